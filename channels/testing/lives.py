"""What becomes of a message to an address, told apart from how a provider words it.

The same misfortunes befall the same share of people on every channel, so that reports of different channels
can be laid side by side.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import TypeAlias

from channels.reasons import Reason

_SECOND = 1000


@dataclass(frozen=True, slots=True)
class Life:
    """What a provider will say of a message to one address. Times are milliseconds after it took it over."""

    refused: Reason | None = None
    """Said at once, in the answer to the request."""
    failed: Reason | None = None
    """Said later, after the message was taken over; nothing else follows then."""
    failed_after: int = 20 * _SECOND
    delivered_after: int | None = 3 * _SECOND
    opened_after: int | None = None
    clicked_after: int | None = None


Lives: TypeAlias = Callable[[str], Life]
"""The life behind an address; a pure function."""


def everybody(life: Life | None = None) -> Lives:
    """The same for all: by default everything arrives and nobody reads it."""
    lived = life or Life()
    return lambda address: lived


def lives_of(
    seed: int,
    *,
    refused: Mapping[Reason, float] | None = None,
    failed: Mapping[Reason, float] | None = None,
    opened: float = 0,
    clicked: float = 0,
) -> Lives:
    """People by chance: shares of all addresses for each misfortune, and of the rest who open and click.

    Drawn from a hash of the seed and the address, so that it is the same on every run.
    """

    def life(address: str) -> Life:
        digest = blake2b(f"{seed}\0{address}".encode("utf-8", "surrogatepass"), digest_size=16).digest()
        draws = [int.from_bytes(digest[i : i + 4], "big") / 2**32 for i in range(0, 16, 4)]
        if (reason := _drawn(refused or {}, draws[0])) is not None:
            return Life(refused=reason)
        if (reason := _drawn(failed or {}, draws[1])) is not None:
            return Life(failed=reason)
        opened_after = int(60 * _SECOND + draws[3] ** 2 * 6 * 3600 * _SECOND) if draws[2] < opened else None
        clicks = opened_after is not None and draws[2] < opened * clicked
        return Life(
            opened_after=opened_after,
            clicked_after=opened_after + 30 * _SECOND if clicks and opened_after is not None else None,
        )

    return life


def _drawn(shares: Mapping[Reason, float], draw: float) -> Reason | None:
    for reason, share in shares.items():
        if draw < share:
            return reason
        draw -= share
    return None
