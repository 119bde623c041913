"""Whether anything can be sent to a user on a channel: there is an address, a connection that takes it, and
nobody has said no. It is what the claim of a message would find, asked beforehand."""

from collections import defaultdict
from collections.abc import Iterable

from channels.contract import Purpose
from server.delivery.status import SkipReason
from server.store import consents, suppressed
from server.store.same_address import same_address
from server.store.sessions import ReadSession
from server.store.suppressing import EVERY_PURPOSE

from . import mailing
from .addresses import BY_USER_ID
from .batch import Batch, UserKey
from .gather import by_project
from .state import UserState

USABLE = "usable"
_STATES = {"opted_out": SkipReason.OPTED_OUT.value}


async def load(session: ReadSession, batch: Batch, users: Iterable[UserKey]) -> None:
    """What these users, who are in the batch, have decided, and what suppresses their addresses."""
    for project_id, numbers in by_project(users).items():
        keys = [(batch.shard, number) for number in sorted(numbers)]
        for (_, number), rows in (await consents.by_users(session, project_id, keys)).items():
            for row in rows:
                who = ((project_id, number), row.channel, row.purpose)
                batch.permissions.granted[who] = bool(consents.holds(row.granted, row.until, batch.now))
        found = await suppressed.until_by_address(session, project_id, _addresses(batch, project_id, numbers))
        batch.permissions.suppressed_until.update(found)


def _addresses(batch: Batch, project_id: int, numbers: Iterable[int]) -> dict[str, set[str]]:
    by_channel: defaultdict[str, set[str]] = defaultdict(set)
    for number in numbers:
        user = batch.user((project_id, number))
        for channel in {*user.addresses, *BY_USER_ID}:
            for one in mailing.addresses_of(user, channel):
                by_channel[channel].add(same_address(channel, one.address))
    return by_channel


def why_not(batch: Batch, project_id: int, user: UserState, channel: str, purpose: str) -> str:
    """A `SkipReason`, or nothing."""
    connections = batch.catalog.connections_for(project_id, channel, "")
    letters = mailing.letters_for(connections, mailing.addresses_of(user, channel))
    skipped = next((letter.skipped for letter in letters if letter.skipped), "")
    state = user.known_states.get((channel, letters[0].address), USABLE)
    if skipped or state != USABLE:
        return skipped or _STATES.get(state, SkipReason.INVALID_ADDRESS.value)
    who = ((project_id, user.number), consents.kept_under(channel), purpose)
    granted = batch.permissions.granted.get(who)
    needs_consent = purpose == Purpose.ADVERTISEMENT and batch.catalog.requires_consent(project_id)
    if granted is False or (granted is None and needs_consent):
        return SkipReason.NO_CONSENT.value
    closed = (_is_suppressed(batch, project_id, channel, letter.address, purpose) for letter in letters)
    return SkipReason.SUPPRESSED.value if all(closed) else ""


def _is_suppressed(batch: Batch, project_id: int, channel: str, address: str, purpose: str) -> bool:
    written = same_address(channel, address)
    until = (
        batch.permissions.suppressed_until.get((project_id, channel, written, which), 0)
        for which in (EVERY_PURPOSE, purpose)
    )
    return max(until) > batch.now
