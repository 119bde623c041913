"""Who of the sample meets with which misfortune: the same person with the same one on every channel.

A provider tells of it in its own words and at its own time. What it has no word for it does not notice, as in
life: then the message is taken over and nothing more is heard.
"""

from collections.abc import Collection, Iterable

from channels.phone import to_domestic, to_e164
from channels.reasons import Reason
from channels.testing.providers import Life, Lives, lives_of

from .people import Person

MISFORTUNES = {
    Reason.INVALID_RECIPIENT: 0.045,
    Reason.UNREACHABLE: 0.04,
    Reason.NOT_ON_CHANNEL: 0.035,
    Reason.OPTED_OUT: 0.03,
    Reason.CONTENT_REJECTED: 0.025,
}
"""Shares of all people."""
_SECOND = 1000
VISITOR = Life(opened_after=20 * _SECOND, clicked_after=40 * _SECOND)
"""Of addresses that nobody of the sample has: whoever tries the demo, and has no hours to wait."""


def fates(seed: int, persons: Iterable[Person]) -> Lives:
    """The life of a person, by any address that it has anywhere."""
    drawn = lives_of(seed, failed=MISFORTUNES, opened=0.42, clicked=0.3)
    known = {address: drawn(one.user_id) for one in persons for address in _addresses(one)}
    return lambda address: known.get(address, VISITOR)


def as_told(
    lives: Lives, *, refused: Collection[Reason] = (), failed: Collection[Reason] = (), reads: bool = True
) -> Lives:
    """The lives as a provider knows them that can refuse and fail for these reasons only.

    `reads` says whether it hears of people who read.
    """

    def life(address: str) -> Life:
        lived = lives(address)
        if lived.failed is None:
            return lived if reads else Life()
        if lived.failed in failed:
            return lived
        return Life(refused=lived.failed) if lived.failed in refused else Life(delivered_after=None)

    return life


def _addresses(person: Person) -> Iterable[str]:
    """As providers see them: numbers from abroad and at home, tokens without their scheme."""
    if not person.user_id:
        return
    yield person.user_id
    if "email" in person.traits:
        yield person.traits["email"]
    if number := to_e164(person.traits.get("phone", "")):
        yield number
        yield to_domestic(number) or number
    for token in person.traits.get("push_tokens", ()):
        yield token.partition(":")[2]
