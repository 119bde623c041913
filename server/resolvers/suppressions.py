"""Suppressed addresses: listed, added and removed by people."""

from dataclasses import dataclass

from channels.contract import Purpose
from channels.phone import region_of, to_e164
from channels.reasons import Reason
from server.clock import Instant
from server.context import Context
from server.journey.steps import CHANNELS
from server.store import projects, routes, suppressed, suppressions
from server.store.paging import Page, Slice
from server.store.same_address import same_address, same_channel
from server.store.sessions import ReadSession, WriteSession
from server.store.suppressed import Wanted
from server.store.suppressions import PutRow

from .once import Answer, once
from .records import Suppression
from .refusals import Invalid, Missing

NUMBERED = ("sms", "whatsapp", "kakao", "brand_message")
"""Channels whose addresses are telephone numbers."""
LONGEST_ADDRESS = 2000
"""Bytes: what PostgreSQL's index takes in any script."""
LONGEST_NOTE = 2000


@dataclass(frozen=True, slots=True)
class Place:
    """Where nobody writes to: a channel's address, for messages of a purpose (empty: all)."""

    channel: str
    address: str
    purpose: str


@dataclass(frozen=True, slots=True)
class Grounds:
    """What a project has to say to addresses that are written down by hand."""

    region: str
    """Where a number without a country is dialled: in the country of the project's time zone."""
    channels: frozenset[str]
    """Those of every project, and what its plugged-in connections add."""


async def grounds(session: ReadSession, project_id: int) -> Grounds:
    zone = (await projects.by_id(session, project_id)).time_zone
    return Grounds(region_of(zone), CHANNELS | await routes.channels(session, project_id))


def place(channel: str, address: str, purpose: str, grounds: Grounds) -> Place:
    """The place as it is stored. Raises Invalid that says what is wrong with it."""
    name = same_channel(channel)
    if name is None or name not in grounds.channels:
        known = ", ".join(sorted(grounds.channels))
        raise Invalid(f"A channel ({known}) was wanted, found {channel[:40]!r}.", ("input", "channel"))
    if purpose and purpose not in list(Purpose):
        known = ", ".join(Purpose)
        message = f"A purpose ({known}) or nothing for all was wanted, found {purpose[:40]!r}."
        raise Invalid(message, ("input", "purpose"))
    return Place(name, _address(name, address.strip(), grounds.region), purpose)


async def where(context: Context, channel: str, address: str, purpose: str) -> Place:
    """The place, as this project writes it. Raises Invalid."""
    async with context.db.read() as session:
        return place(channel, address, purpose, await grounds(session, context.project_id))


def _address(channel: str, address: str, region: str) -> str:
    path = ("input", "address")
    if not 0 < len(address.encode("utf-8", "replace")) <= LONGEST_ADDRESS or "\0" in address:
        raise Invalid(f"An address has 1 to {LONGEST_ADDRESS} bytes and no NUL.", path)
    if channel == "email" and "@" not in address:
        raise Invalid("An e-mail address was wanted; this one has no @.", path)
    if channel in NUMBERED:
        number = to_e164(address, region)
        if number is None:
            raise Invalid("A telephone number with its country like +821012345678 was wanted.", path)
        return number
    return same_address(channel, address)


def put_row(
    project_id: int,
    where: Place,
    *,
    reason: str,
    since: Instant,
    until: Instant | None,
    source: str,
    note: str,
) -> PutRow:
    """What people want to suppress. Raises Invalid."""
    if reason not in list(Reason):
        raise Invalid(f"A failure reason was wanted, found {reason[:40]!r}.", ("input", "reason"))
    if until is not None and until <= since:
        raise Invalid("A suppression ends after it begins.", ("input", "until"))
    if len(note) > LONGEST_NOTE or "\0" in note:
        raise Invalid(f"A note has at most {LONGEST_NOTE} characters and no NUL.", ("input", "note"))
    about = (where.channel, where.address, where.purpose, reason, since, until, source, note)
    return PutRow(project_id, *about)


async def page(context: Context, wanted: Wanted, at: Instant | None, page: Page) -> Slice:
    """What suppresses at that instant, now by default."""
    async with context.db.read() as session:
        moment = context.clock.now() if at is None else at
        return await suppressed.page(session, context.project_id, wanted, moment, page)


async def get(context: Context, where: Place, set_by: str) -> Suppression | None:
    async with context.db.read() as session:
        return await suppressed.by_key(session, _key(context, where), set_by)


async def add(
    context: Context, where: Place, reason: str, until: Instant | None, note: str, key: str | None
) -> Answer:
    """From the commit on nothing is handed over there. Raises Invalid, IdempotencyConflict."""
    now = context.clock.now()
    row = put_row(context.project_id, where, reason=reason, since=now, until=until, source="api", note=note)

    async def work(session: WriteSession) -> Answer:
        await suppressions.put(session, [row])
        held_by = suppressed.PEOPLE
        if await suppressed.by_key(session, row.key, held_by) is None:
            held_by = suppressed.HEARD
        return {"channel": row.channel, "address": row.key[2], "purpose": row.purpose, "set_by": held_by}

    wish = ("addSuppression", [where.channel, where.address, where.purpose, reason, until, note])
    return await once(context, key, wish, work)


async def remove(context: Context, where: Place, evidence: str, key: str | None) -> Answer:
    """Ends whatever suppresses there, and says how much. Raises Missing, Invalid, IdempotencyConflict.

    What the reader asked for ends only with evidence that the reader has changed their mind.
    """
    evidence = evidence.strip()
    if len(evidence) > LONGEST_NOTE or "\0" in evidence:
        raise Invalid(f"Evidence has at most {LONGEST_NOTE} characters and no NUL.", ("input", "evidence"))

    async def work(session: WriteSession) -> Answer:
        found = [
            row
            for set_by in (suppressed.HEARD, suppressed.PEOPLE)
            if (row := await suppressed.by_key(session, _key(context, where), set_by))
        ]
        if not found:
            raise Missing("Nothing suppresses this address for this purpose.", ("input", "address"))
        if any(row.reason == Reason.OPTED_OUT for row in found) and not evidence:
            message = "The reader asked for no more: say in `evidence` how they have taken that back."
            raise Invalid(message, ("input", "evidence"))
        for row in found:
            about = (_key(context, where), row.set_by)
            await suppressions.remove(session, *about, now=context.clock.now(), note=evidence)
        return {"removed": len(found)}

    wish = ("removeSuppression", [where.channel, where.address, where.purpose, evidence])
    return await once(context, key, wish, work)


def _key(context: Context, where: Place) -> suppressed.Key:
    return context.project_id, where.channel, where.address, where.purpose
