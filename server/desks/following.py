"""Looks at a relay once: its profile, and whatever has changed of the templates."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from channels.alimtalk.desk import Inspection, Registered
from server.alimtalk import dormancy
from server.clock import DAY, MINUTE, Instant
from server.errors import ServerError
from server.store import alimtalk_registrations as registrations
from server.store import alimtalk_sendable, connected, notices, sender_profiles
from server.store import alimtalk_templates as templates
from server.store.sessions import WriteSession

from . import profiles, telling
from .adopting import adopt
from .hearing import take_in
from .office import PATIENCE_FOR_ALL, AtDesk, Desks
from .telling import Whose

OVERLAP = 10 * MINUTE
"""Relays write times to the second, and by clocks of their own: so much is asked for twice."""
ALL_EVERY = DAY
"""How often everything is asked for, and not what changed alone: falling asleep is no change for some."""
MOST_ASKED = 50
"""Templates that are asked for one by one in one look; the others have their turn at the next."""


_OURS = "It could not be looked at, for a reason of ours; the log says more."


@dataclass(frozen=True, slots=True)
class Followed:
    """What a look came to."""

    changed: int
    adopted: int
    is_complete: bool
    """Whether everything was asked for."""


async def follow(desks: Desks, connection_id: int, *, all: bool = False) -> Followed | None:
    """None where no sender profile is registered yet. What it raises is noted, too: a relay that cannot be
    looked at is not looked at again at once."""
    try:
        return await _follow(desks, connection_id, all)
    except Exception as error:
        problem = error.message if isinstance(error, ServerError) else _OURS
        async with desks.db.write() as session:
            project_id = await connected.project_of(session, connection_id)
            if project_id is not None:
                told = {"asked_at": desks.clock.now(), "problem": problem[:1000]}
                await sender_profiles.put(session, project_id, connection_id, told, desks.clock.now())
        raise


async def _follow(desks: Desks, connection_id: int, all: bool) -> Followed | None:
    async with desks.at(connection_id) as at:
        if not at.profile_key:
            return None
        asked_at = desks.clock.now()
        async with desks.db.read() as session:
            rows = await registrations.of_connection(session, connection_id)
            known = await sender_profiles.by_connections(session, [connection_id])
            name = await connected.name_of(session, connection_id)
            silent = await registrations.without_comments(session, connection_id, asked_at - DAY)
        synced_at = known[connection_id].synced_at if connection_id in known else None
        since = None if all else _since(known.get(connection_id), rows, asked_at)
        profile = profiles.mine(at, await at.ask(at.desk.profiles()))
        listed = await at.ask(at.desk.templates(since), PATIENCE_FOR_ALL)
        told, left = await _in_full(at, listed, rows, silent)
        gone = await _gone(at, listed, rows) if since is None else []
    whose, now = Whose(at.connection.project_id, connection_id, name), desks.clock.now()
    async with desks.db.write() as session:
        before = await _sendable(session, whose, rows)
        await profiles.keep(session, whose, profile, now)
        await _tell_of_loss(session, whose, before, now)
        heard = await take_in(session, whose, at.can, told, now, as_of=asked_at)
        adopted = await adopt(session, whose, heard.unknown, asked_at, now)
        before = await _sendable(session, whose, rows) if gone else {}
        await _let_go(session, whose, gone, asked_at, now)
        await _tell_of_loss(session, whose, before, now)
        await _tell_of_sleep(session, whose, now)
        await notices.tell(session, telling.full(whose, adopted.left, now))
        looked: dict[str, Instant | None] = {"asked_at": now}
        looked["synced_at"] = synced_at if left else asked_at
        if since is None:
            looked["all_at"] = None if left else now
        await sender_profiles.put(session, whose.project_id, connection_id, looked, now)
    return Followed(heard.changed, adopted.made, since is None and not left and not adopted.left)


def _since(profile: Any | None, rows: Sequence[Any], now: Instant) -> Instant | None:
    """Since when changes are asked for; None for everything."""
    if profile is None or profile.synced_at is None or profile.all_at is None:
        return None
    waits = any(row.intent and (row.intent_at or 0) < now - registrations.INTENT_LASTS for row in rows)
    if waits or profile.all_at < now - ALL_EVERY:
        return None
    return int(profile.synced_at) - OVERLAP


async def _in_full(
    at: AtDesk, listed: Sequence[Registered], rows: Sequence[Any], silent: set[int]
) -> tuple[list[Registered], bool]:
    """With texts and threads where they are needed: of what is new, and of what was decided. And whether
    there are more of those than can be asked for in one look: they stay as they are until the next."""
    known = {row.code: row for row in rows if row.code}
    several = {code for code in known if sum(row.code == code for row in rows) > 1}
    wanting = [one.code for one in listed if _wants_more(one, known.get(one.code), several, silent)]
    # What we know comes first: of that somebody waits to hear.
    codes = sorted(dict.fromkeys(wanting), key=lambda code: code not in known)
    more = {code: await at.ask(at.desk.template(code)) for code in codes[:MOST_ASKED]}
    left = set(codes[MOST_ASKED:])
    told = [one for one in listed if one.code not in left and not _is_told_by(more.get(one.code))]
    return [*told, *filter(None, more.values())], bool(left)


def _is_told_by(more: Registered | None) -> bool:
    """Whether an answer says all that the list says of the code: of a revision it says that alone."""
    return more is not None and not more.is_revision


def _wants_more(told: Registered, row: Any | None, several: set[str], silent: set[int]) -> bool:
    if row is None:
        was_rejected = told.inspection is Inspection.REJECTED and not told.comments
        return told.template is None or was_rejected
    if told.code in several:
        return told.template is None
    return not told.comments and (told.inspection.value != row.inspection or row.id in silent)


async def _gone(at: AtDesk, told: Sequence[Registered], rows: Sequence[Any]) -> list[Any]:
    """The registrations that the relay does not have: asked for once more before it is believed."""
    there = {one.code for one in told}
    missing = [row for row in rows if row.code not in there and not row.is_replaced]
    gone = [row for row in missing if not row.code]
    for row in [row for row in missing if row.code][:MOST_ASKED]:
        if await at.ask(at.desk.template(row.code)) is None:
            gone.append(row)
    return gone


async def _let_go(
    session: WriteSession, whose: Whose, gone: Sequence[Any], asked_at: Instant, now: Instant
) -> None:
    """Forgets them, so that they can be asked for anew; and tells of them."""
    still = await registrations.by_ids(session, whose.project_id, [row.id for row in gone])
    for row in still.values():
        if row.intent and (row.intent_at or 0) > asked_at - registrations.INTENT_LASTS:
            continue
        if row.code and row.told_at >= asked_at:
            continue
        if row.intent:
            await notices.tell(session, [telling.unsettled(whose, row, row.intent, now)])
        elif row.code:
            await notices.tell(session, [telling.gone(whose, row, now)])
        await forget(session, row)


async def _sendable(session: WriteSession, whose: Whose, rows: Sequence[Any]) -> dict[str, str]:
    """The names of the templates that can be sent now, by key."""
    names = {row.key: row.name or row.key for row in rows}
    found = await alimtalk_sendable.sendable(session, whose.project_id, list(names))
    return {key: names[key] for key in found}


async def _tell_of_loss(session: WriteSession, whose: Whose, before: dict[str, str], now: Instant) -> None:
    """With a profile all of its templates are lost; and what its relay has no more."""
    left = await alimtalk_sendable.sendable(session, whose.project_id, list(before))
    lost = sorted(before.keys() - left.keys())
    await notices.tell(session, await telling.unsendable(session, whose, lost, before, now))


async def forget(session: WriteSession, row: Any) -> None:
    """A registration that is nowhere; a version that is registered nowhere can be edited again."""
    await registrations.remove(session, row.id)
    left = await registrations.of_templates(session, row.project_id, [row.template_id])
    if not any(one.number == row.number for one in left.get(row.template_id, [])):
        await templates.submitted(session, row.template_id, row.number, None)


async def _tell_of_sleep(session: WriteSession, whose: Whose, now: Instant) -> None:
    told = []
    for row in await registrations.of_connection(session, whose.connection_id):
        if row.inspection != "approved" or row.is_dormant or row.is_replaced or row.operation == "stopped":
            continue
        sleeps_at = dormancy.template_sleeps_at(
            approved_at=dormancy.seen(row.decided_at, row.created_at),
            released_at=row.released_at,
            last_sent_at=row.last_sent_at,
        )
        days = dormancy.due(sleeps_at, now, dormancy.TEMPLATE_TOLD)
        if sleeps_at is not None and days is not None:
            told.append(telling.template_sleeps(whose, row, sleeps_at, days, now))
    await notices.tell(session, told)
