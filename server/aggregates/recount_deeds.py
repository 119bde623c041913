"""Counts deeds again from the facts: events, sessions, orders, and what came with users who were others.

Written apart from the code that fills them, as `recount` is. It shares the definitions: what an event or a
session counts as, where a day begins, which values have sets of their own.
"""

import secrets
from array import array
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import orjson
from pyroaring import BitMap
from sqlalchemy import Select, and_, delete, select

from server.commerce.amounts import MOST
from server.store.bulk import table_of
from server.store.sessions import ReadSession, WriteSession
from server.store.tables import (
    AdoptedDeeds,
    DeedSet,
    Device,
    Event,
    Project,
    Purchase,
    ShardState,
    User,
    VisitSession,
)

from .calendar import ALL_TIME, day_of
from .deed_forgetting import FORGOTTEN
from .deed_sets import Held, Of, Row, numbers_of, put_together, unpack, without, write_deeds
from .deed_values import Value, Values
from .deeds import (
    OF_ORDERS,
    Act,
    Deed,
    Unit,
    acts_of_event,
    acts_of_session,
    days_between,
    spread,
)

PAGE = 10_000
MOST_ACTS = 1_000_000
"""Held in memory before they are written as a part: some tens of megabytes."""

Key = tuple[int, Of, int]
"""Project, deed, day."""

_events, _sessions, _adopted = table_of(Event), table_of(VisitSession), table_of(AdoptedDeeds)
_purchases, _users, _devices, _sets = table_of(Purchase), table_of(User), table_of(Device), table_of(DeedSet)
_EVENT_COLUMNS = (
    "project_id",
    "user_number",
    "occurred_at",
    "type",
    "name",
    "device_number",
    "by_member",
    "deeds",
)


@dataclass(slots=True)
class Counted:
    """Deeds of one shard by day: numbers and amounts one after the other, summed up when asked for."""

    zones: dict[int, str]
    size: int = 0
    _numbers: "defaultdict[Key, array[int]]" = field(default_factory=lambda: defaultdict(lambda: array("L")))
    _amounts: "defaultdict[Key, array[int]]" = field(default_factory=lambda: defaultdict(lambda: array("q")))

    def add(self, project_id: int, unit: str, number: int, acts: list[Act]) -> None:
        for deed, value, day, amount in acts:
            key = (project_id, Of(unit, deed, value), day)
            self._numbers[key].append(number)
            self._amounts[key].append(amount)
        self.size += len(acts)

    def take(self) -> dict[Key, Held]:
        """What was counted, and begins anew."""
        found = {key: _summed(numbers, self._amounts[key]) for key, numbers in self._numbers.items()}
        self._numbers.clear()
        self._amounts.clear()
        self.size = 0
        return found


def _summed(numbers: "array[int]", amounts: "array[int]") -> Held:
    listed, places = np.unique(np.array(numbers, dtype=np.uint32), return_inverse=True)
    sums, given = np.zeros(len(listed), dtype=np.int64), np.array(amounts, dtype=np.int64)
    np.add.at(sums, places, given)
    if int(given.max()) * len(given) > MOST:
        # A sum may have left 64 bits: those that came near are told apart by what they are roughly.
        sums[np.bincount(places, weights=given) > 1.5 * MOST] = MOST
        sums = np.minimum(sums, MOST)
    return Held(BitMap(listed), sums if sums.any() else None)


async def _pages(session: ReadSession, statement: Select[Any]) -> AsyncIterator[Any]:
    connection = await session.connection()
    result = await connection.stream(statement.execution_options(yield_per=PAGE))
    async for row in result:
        yield row


async def _count(session: ReadSession, shard: int, counted: Counted) -> AsyncIterator[None]:
    """Counts the facts of a shard, and stops now and then so that what was counted can be taken."""
    for part in (_count_events, _count_sessions, _count_orders, _count_adopted, _count_masks):
        async for _ in part(session, shard, counted):
            if counted.size >= MOST_ACTS:
                yield
    yield


async def _count_events(session: ReadSession, shard: int, counted: Counted) -> AsyncIterator[None]:
    columns = (_events.c[name] for name in _EVENT_COLUMNS)
    async for row in _pages(session, select(*columns).where(_events.c.shard == shard)):
        day = day_of(row.occurred_at, counted.zones[row.project_id])
        told = [Act(*one) for one in orjson.loads(row.deeds)] if row.deeds else []
        acts = acts_of_event(row.type, row.name, day, told, by_member=row.by_member)
        mine = [one for one in acts if one.deed not in OF_ORDERS]
        counted.add(row.project_id, Unit.USER.value, row.user_number, mine)
        if row.device_number is not None:
            counted.add(row.project_id, Unit.DEVICE.value, row.device_number, acts)
        yield


async def _count_sessions(session: ReadSession, shard: int, counted: Counted) -> AsyncIterator[None]:
    async for row in _pages(session, select(_sessions).where(_sessions.c.shard == shard)):
        zone = counted.zones[row.project_id]
        days = days_between(day_of(row.first_at, zone), day_of(row.last_at, zone))
        acts = acts_of_session(row, day_of(row.started_at, zone) if row.begun else None, days)
        counted.add(row.project_id, Unit.USER.value, row.user_number, acts)
        counted.add(row.project_id, Unit.DEVICE.value, row.device_number, acts)
        yield


async def _count_orders(session: ReadSession, shard: int, counted: Counted) -> AsyncIterator[None]:
    """Of users: once, however often an order was told."""
    async for row in _pages(session, select(_purchases).where(_purchases.c.shard == shard)):
        zone, acts = counted.zones[row.project_id], []
        if row.ordered_at is not None:
            day = day_of(row.ordered_at, zone)
            acts.append(Act(Deed.ORDERED.value, "", day, 1))
            if row.amount:
                acts.append(Act(Deed.SPENT.value, row.currency, day, row.amount))
        for at, _, amount in orjson.loads(row.refunds).values():
            if amount:
                acts.append(Act(Deed.REFUNDED.value, row.currency, day_of(at, zone), amount))
        counted.add(row.project_id, Unit.USER.value, row.user_number, acts)
        yield


async def _count_adopted(session: ReadSession, shard: int, counted: Counted) -> AsyncIterator[None]:
    """What the events told of those who turned out to be others: the events stay where they are."""
    async for row in _pages(session, select(_adopted).where(_adopted.c.shard == shard)):
        for who, acts in orjson.loads(row.acts).items():
            unit, number = (Unit.DEVICE, int(who)) if who else (Unit.USER, row.user_number)
            counted.add(row.project_id, unit.value, number, [Act(*one) for one in acts])
        yield


async def _count_masks(session: ReadSession, shard: int, counted: Counted) -> AsyncIterator[None]:
    merged = select(_users.c.project_id, _users.c.number).where(
        _users.c.shard == shard, _users.c.merged_into.is_not(None)
    )
    moved = select(_devices.c.project_id, _devices.c.number).where(
        _devices.c.shard == shard, _devices.c.moved
    )
    for unit, statement in ((Unit.USER, merged), (Unit.DEVICE, moved)):
        async for row in _pages(session, statement):
            counted.add(row.project_id, unit.value, row.number, [Act(Deed.MASKED.value, "", ALL_TIME, 0)])
            yield


async def _zones(session: ReadSession) -> dict[int, str]:
    projects = table_of(Project)
    rows = await session.rows(select(projects.c.id, projects.c.time_zone))
    return {row.id: row.time_zone for row in rows}


async def _shards(session: ReadSession) -> list[int]:
    states = table_of(ShardState)
    return [row.shard for row in await session.rows(select(states.c.shard).order_by(states.c.shard))]


# Rebuilding


async def rebuild(session: WriteSession) -> int:
    """Puts the recount in the place of all deed sets. No engine may work meanwhile. Returns the rows."""
    zones, values, written = await _zones(session), Values(), 0
    await session.run(delete(_sets))
    for shard in await _shards(session):
        counted = Counted(zones)
        async for _ in _count(session, shard, counted):
            written += await _write(session, shard, counted.take(), values)
    return written


async def _write(session: WriteSession, shard: int, counted: dict[Key, Held], values: Values) -> int:
    told = [Value(project_id, of.dimension, of.value) for project_id, of, _ in counted]
    await values.admit(session, told, 0)
    rows = _rows(shard, counted, values)
    # A number that no part has ever had: whoever remembers a set by its parts sees that this is another.
    await write_deeds(session, -secrets.randbelow(1 << 62) - 1, rows)
    return len(rows)


def _rows(shard: int, counted: dict[Key, Held], values: Values) -> list[Row]:
    parts: defaultdict[tuple[int, Of, int], list[Held]] = defaultdict(list)
    for (project_id, of, day), held in counted.items():
        shown = of._replace(value=values.shown(Value(project_id, of.dimension, of.value)))
        for span in spread(day) if day != ALL_TIME else (ALL_TIME,):
            parts[project_id, shown, span].append(held)
    return [Row(shard, key[0], key[1], key[2], *put_together(found)) for key, found in parts.items()]


# Comparing


async def differences(session: ReadSession) -> list[str]:
    """Where deed sets and facts disagree, in words. Who turned out to be another counts in neither; who is
    erased, in none of the values that facts have forgotten of them."""
    zones, found = await _zones(session), []
    for shard in await _shards(session):
        counted, whole = Counted(zones), defaultdict[Key, list[Held]](list)
        async for _ in _count(session, shard, counted):
            for key, held in counted.take().items():
                whole[key].append(held)
        values = await _listed(session, {key[0] for key in whole})
        wanted = {key: put_together(parts) for key, parts in whole.items()}
        rows = _rows(shard, wanted, values)
        told = {(row.project_id, row.of, row.span): Held(row.users, row.amounts) for row in rows}
        found += _compared(shard, await _stored(session, shard), told, await _erased(session, shard))
    return found


async def _listed(session: ReadSession, projects: set[int]) -> Values:
    values = Values()
    for project_id in projects:
        await values.read(session, project_id, [deed.value for deed in Deed])
    return values


async def _stored(session: ReadSession, shard: int) -> dict[Key, Held]:
    parts: defaultdict[Key, list[Held]] = defaultdict(list)
    async for row in _pages(session, select(_sets).where(_sets.c.shard == shard)):
        key = (row.project_id, Of(row.unit, row.dimension, row.value), row.span)
        parts[key].append(Held(BitMap.deserialize(row.bitmap), unpack(row.amounts)))
    return {key: put_together(found) for key, found in parts.items()}


async def _erased(session: ReadSession, shard: int) -> dict[tuple[int, str], BitMap]:
    """By project and unit: who is erased, or about to be."""
    erased = and_(_users.c.shard == shard, _users.c.erased_at.is_not(None))
    people = select(_users.c.project_id, _users.c.number).where(erased)
    theirs = and_(
        _devices.c.shard == _users.c.shard,
        _devices.c.project_id == _users.c.project_id,
        _devices.c.user_number == _users.c.number,
    )
    devices = select(_devices.c.project_id, _devices.c.number).join(_users, theirs).where(erased)
    found: defaultdict[tuple[int, str], BitMap] = defaultdict(BitMap)
    for unit, statement in ((Unit.USER, people), (Unit.DEVICE, devices)):
        for row in await session.rows(statement):
            found[row.project_id, unit.value].add(row.number)
    return found


_NOBODY = Held(BitMap(), None)


def _compared(
    shard: int,
    stored: dict[Key, Held],
    wanted: dict[Key, Held],
    erased: Mapping[tuple[int, str], BitMap],
) -> list[str]:
    found = []
    for key in sorted({*stored, *wanted}):
        project_id, of, span = key
        mask = (project_id, Of(of.unit, Deed.MASKED.value, ""), ALL_TIME)
        masked = wanted.get(mask, _NOBODY).users if key != mask else BitMap()
        if of.dimension in FORGOTTEN:
            masked = masked | erased.get((project_id, of.unit), _NOBODY.users)
        one, two = (without(held.get(key, _NOBODY), masked) for held in (stored, wanted))
        if one.users != two.users or _sums(one) != _sums(two):
            missing, extra = len(two.users - one.users), len(one.users - two.users)
            about = f"shard {shard}, project {project_id}, {'/'.join(of)}, {span}"
            sums = f"{sum(_sums(one).values())} instead of {sum(_sums(two).values())}"
            found.append(f"deeds {about}: {missing} missing, {extra} too many, the amounts are {sums}")
    return found


def _sums(held: Held) -> dict[int, int]:
    """Who has an amount, and which."""
    if held.amounts is None:
        return {}
    there = np.flatnonzero(held.amounts)
    return dict(zip(numbers_of(held.users)[there].tolist(), held.amounts[there].tolist(), strict=True))
