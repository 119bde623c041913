"""Finds devices, sessions and deeds in events from before these were kept. Done once, by an upgrade.

Such an event does not say which device told it. A device's own id is believed; else what only a device can
tell (a page, a screen, or anything with a user agent) is of the device by which its user was known then, or
of one of which nothing is known. An event is a member's from when on the user had a user id.

Users who turned out to be others take what they did along as they would today: by a command to the shard of
the user who stays, which the engine works in when it starts. Orders and lives are found by their own recount.
"""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
import structlog
from sqlalchemy import bindparam, select, tuple_

from server.aggregates.deed_tally import DeedTally
from server.aggregates.fill import Tally
from server.clock import Instant
from server.ingest.messages import ArrivedEvent
from server.store import inbox
from server.store.among import among
from server.store.bulk import table_of, updating
from server.store.sessions import WriteSession
from server.store.tables import Event, Identity, User

from . import catalog as catalogs
from . import commands, commerce, deeds, devices
from .batch import Batch, UserKey
from .catalog import Catalog
from .people import ANONYMOUS_ID, USER_ID
from .state import UserState

PAGE = 5000
TELLS_AFTER = 100_000
"""Events, after which the log says how far it is."""
log = structlog.get_logger("upgrade")

_events, _users, _identities = table_of(Event), table_of(User), table_of(Identity)
_ORDER = (_events.c.project_id, _events.c.user_number, _events.c.occurred_at, _events.c.digest)
_PAGE = select(_events).where(_events.c.shard == bindparam("shard")).order_by(*_ORDER).limit(PAGE)
_NAMES = (
    select(_identities.c.kind, _identities.c.value, _identities.c.number, _identities.c.created_at)
    .where(_identities.c.shard == bindparam("shard"), _identities.c.project_id == bindparam("project_id"))
    .where(among(_identities.c.number, "numbers"))
)
_MERGED = (
    select(_users.c.number, _users.c.merged_into)
    .where(_users.c.shard == bindparam("shard"), _users.c.project_id == bindparam("project_id"))
    .where(among(_users.c.number, "numbers"), _users.c.merged_into.is_not(None))
)
_NOTED = updating(
    Event,
    ("shard", "project_id", "user_number", "occurred_at", "digest"),
    "device_number",
    "session_at",
    "by_member",
    "deeds",
)


@dataclass(slots=True)
class _Names:
    """By what a user was known, and from when on."""

    named_at: Instant | None = None
    devices: list[tuple[Instant, str]] = field(default_factory=list)
    merged_into: str | None = None

    def device_at(self, at: Instant) -> str:
        """The latest that was known by then; the first, if none was; and some device, if none is known."""
        if not self.devices:
            return "unknown"
        return self.devices[max(0, bisect_right(self.devices, at, key=lambda one: one[0]) - 1)][1]


async def find(session: WriteSession, shards: int, now: Instant) -> None:
    """Into the facts of all shards. The deeds have to be counted afterwards."""
    catalog = await catalogs.load(session)
    told = read = 0
    for shard in range(shards):
        numbers: dict[int, int] = {}
        async for rows in _whole_users(session, shard):
            batch = _batch(shard, shards, catalog, now)
            batch.next_device = numbers
            await _understand(session, batch, rows)
            read += len(rows)
            if read - told >= TELLS_AFTER:
                log.info("finding sessions and deeds in earlier events", shard=shard, events=read)
                told = read


def _batch(shard: int, shards: int, catalog: Catalog, now: Instant) -> Batch:
    tally = Tally(shard, catalog.zone_of)
    return Batch(shard, shards, catalog, now, now, False, tally, DeedTally(shard), lambda: 0)


async def _whole_users(session: WriteSession, shard: int) -> AsyncIterator[list[Any]]:
    """The events of a shard in the order of users and their time, all of a user together."""
    waiting: list[Any] = []
    last: tuple[Any, ...] | None = None
    while True:
        statement = _PAGE if last is None else _PAGE.where(tuple_(*_ORDER) > tuple_(*last))
        page = list(await session.rows(statement, {"shard": shard}))
        if len(page) < PAGE:
            break
        last = (page[-1].project_id, page[-1].user_number, page[-1].occurred_at, page[-1].digest)
        begins = _begin_of_last(page)
        if begins or (waiting and _user(waiting[-1]) != _user(page[0])):
            yield waiting + page[:begins]
            waiting = []
        waiting += page[begins:]
    if waiting or page:
        yield waiting + page


def _user(row: Any) -> UserKey:
    return row.project_id, row.user_number


def _begin_of_last(page: Sequence[Any]) -> int:
    """Where in a page the last user's events begin."""
    return bisect_left(page, _user(page[-1]), key=_user)


async def _understand(session: WriteSession, batch: Batch, rows: Sequence[Any]) -> None:
    names = await _names(session, batch.shard, rows)
    of_users: defaultdict[UserKey, list[Any]] = defaultdict(list)
    for row in rows:
        of_users[row.project_id, row.user_number].append(row)
    noted: list[tuple[Any, ...]] = []
    for user, own in of_users.items():
        noted += _note(batch, user, own, names[user])
    await devices.write(session, batch.shard, batch.devices, [])
    await session.bulk(_NOTED, noted)
    await inbox.append(session, batch.outgoing)


async def _names(session: WriteSession, shard: int, rows: Sequence[Any]) -> dict[UserKey, _Names]:
    found: defaultdict[UserKey, _Names] = defaultdict(_Names)
    numbers: defaultdict[int, set[int]] = defaultdict(set)
    for row in rows:
        numbers[row.project_id].add(row.user_number)
    for project_id, listed in numbers.items():
        about = {"shard": shard, "project_id": project_id}
        for kind, value, number, at in await session.rows_in(_NAMES, "numbers", listed, about):
            if kind == ANONYMOUS_ID:
                found[project_id, number].devices.append((at, value))
            elif kind == USER_ID:
                found[project_id, number].named_at = at
        for number, merged_into in await session.rows_in(_MERGED, "numbers", listed, about):
            found[project_id, number].merged_into = merged_into
    for names in found.values():
        names.devices.sort()
    return found


def _note(batch: Batch, user: UserKey, rows: Sequence[Any], names: _Names) -> list[tuple[Any, ...]]:
    """What is kept with each event of a user from now on."""
    state, found = UserState(user[1], {}, None, 0), []
    for row in rows:
        event = _event(row, names)
        counts = commerce.take_in(batch, state, user[0], event, row.digest)
        noted = deeds.note(batch, state, user[0], event, counts)
        found.append((batch.shard, *user, row.occurred_at, row.digest, *noted))
        if names.merged_into is not None:
            told = deeds.Told(row.digest, row.occurred_at, row.type, row.name, noted[0], *noted[2:])
            batch.moving_deeds.setdefault(user, deeds.Leaving([], [])).told.append(told)
    if names.merged_into is not None:
        _send_after(batch, user, names.merged_into)
    return found


def _event(row: Any, names: _Names) -> ArrivedEvent:
    body, context = orjson.loads(row.body), orjson.loads(row.context)
    is_member = names.named_at is not None and row.occurred_at >= names.named_at
    by_device = row.type in ("page", "screen") or "page" in context or "userAgent" in context
    device = names.device_at(row.occurred_at) if by_device and not devices.own_id(context) else None
    named = "member" if is_member else None
    times = (row.occurred_at, row.received_at)
    return ArrivedEvent(row.type, row.digest, named, device, None, row.name, *times, body, context)


def _send_after(batch: Batch, user: UserKey, merged_into: str) -> None:
    """What a user did who turned out to be another before deeds were kept."""
    home, _, number = merged_into.partition(":")
    payload = {
        **commands.nothing_to_adopt(int(number), [batch.shard, user[1]], batch.now),
        "deeds": deeds.leave(batch, user, [], set()),
    }
    entry = inbox.Entry(int(home), user[0], commands.ADOPT, orjson.dumps(payload), batch.now)
    batch.outgoing.append(entry)
