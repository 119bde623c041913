"""Reads from the facts what units did moment by moment: of those who, by the sets, can have come in at all.

Facts stay where they were written. Whoever turned out to be another is told as the other, and so are devices:
the same device in the hands of the same person is one, under whatever number.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, NamedTuple

import orjson
from pyroaring import BitMap
from sqlalchemy import bindparam, func, select

from server.aggregates import deed_sets
from server.aggregates.calendar import day_of, start_of
from server.aggregates.deed_sets import Of
from server.aggregates.deeds import OF_ORDERS, Act, Deed, Unit, acts_of_event, places_of
from server.clock import Instant
from server.errors import BadInput
from server.segments.loading import former_of
from server.store.among import among
from server.store.bulk import table_of
from server.store.sessions import ReadSession
from server.store.tables import Device, Event, Purchase, VisitSession
from server.store.users import UserKey

from .acts import Source, Turn
from .happenings import Happening, Past

MOST_EVENTS = 100_000
"""Of one report. By sets any number is asked; these are read one by one."""

_events, _sessions = table_of(Event), table_of(VisitSession)
_devices, _orders = table_of(Device), table_of(Purchase)


def _of_users(table: Any, *columns: Any) -> Any:
    return (
        select(*columns)
        .where(table.c.shard == bindparam("shard"), table.c.project_id == bindparam("project_id"))
        .where(among(table.c.user_number, "numbers"))
    )


_IN_TIME = (_events.c.occurred_at >= bindparam("since"), _events.c.occurred_at < bindparam("until"))
_COUNT = _of_users(_events, func.count()).where(*_IN_TIME)
_EVENTS = _of_users(
    _events,
    *(_events.c[name] for name in ("user_number", "device_number", "occurred_at", "session_at", "type")),
    *(_events.c[name] for name in ("name", "by_member", "deeds")),
).where(*_IN_TIME)
_ORDERS = _of_users(
    _orders,
    *(_orders.c[name] for name in ("user_number", "ordered_at", "amount", "currency", "refunds")),
).where(_orders.c.ordered_at.is_not(None))
_OF_DEVICES = (
    select(_sessions)
    .where(_sessions.c.shard == bindparam("shard"), _sessions.c.project_id == bindparam("project_id"))
    .where(among(_sessions.c.device_number, "devices"))
    .where(_sessions.c.last_at >= bindparam("since"), _sessions.c.started_at < bindparam("until"))
)
_KEYS = (
    select(_devices.c.number, _devices.c.key)
    .where(_devices.c.shard == bindparam("shard"), _devices.c.project_id == bindparam("project_id"))
    .where(among(_devices.c.number, "devices"))
)


class Where(NamedTuple):
    session: ReadSession
    project_id: int
    shards: int
    zone: str


class Window(NamedTuple):
    since: Instant
    until: Instant


UnitKey = tuple[UserKey, str]
"""Whose it is, and the key of the device; empty for all of a user's."""


@dataclass(slots=True)
class Told:
    """What was read, by unit."""

    happenings: defaultdict[UnitKey, list[Happening]] = field(default_factory=lambda: defaultdict(list))
    numbers: dict[UnitKey, set[tuple[int, int]]] = field(default_factory=dict)
    """Shard and number of each: of a user one, of a device those that it has had."""


async def pasts(
    where: Where,
    unit: str,
    came: Mapping[int, BitMap],
    window: Window,
    turned: Collection[Source],
    before: Sequence[int],
) -> dict[UnitKey, Past]:
    """What these users did in the window, by shard and number as they are now; of devices, each by itself.

    Of what is `turned` it is told besides whether it was done in the days and months `before`. Raises
    BadInput for more than can be read.
    """
    people = await _former(where, came)
    await _refuse_too_many(where, people, window)
    told = Told()
    for shard, numbers in people.items():
        await _read(where, told, unit, shard, numbers, window)
    earlier = await _earlier(where, unit, turned, before)
    return {
        key: Past(sorted(found, key=_order), _known(told, earlier, key))
        for key, found in told.happenings.items()
    }


def _order(one: Happening) -> Instant:
    return one.at


async def _former(where: Where, came: Mapping[int, BitMap]) -> dict[int, dict[int, UserKey]]:
    """By shard and number, as facts name them: who that is now."""
    people: defaultdict[int, dict[int, UserKey]] = defaultdict(dict)
    for shard, users in came.items():
        people[shard] |= {number: (shard, number) for number in users}
        about = (where.session, where.project_id, shard, list(users))
        for (there, former), number in (await former_of(*about)).items():
            people[there][former] = (shard, number)
    return people


async def _refuse_too_many(where: Where, people: Mapping[int, Mapping[int, UserKey]], window: Window) -> None:
    count = 0
    for shard, numbers in people.items():
        for (n,) in await where.session.rows_in(_COUNT, "numbers", numbers, _about(where, shard, window)):
            count += n
    if count > MOST_EVENTS:
        raise BadInput(
            f"Hours, and periods from each entry on, are counted event by event: {MOST_EVENTS:,} at most, "
            f"found {count:,}. Ask for fewer base dates or periods, or for days of the calendar."
        )


def _about(where: Where, shard: int, window: Window) -> dict[str, Any]:
    return {"shard": shard, "project_id": where.project_id, **window._asdict()}


async def _read(
    where: Where, told: Told, unit: str, shard: int, numbers: Mapping[int, UserKey], window: Window
) -> None:
    about = _about(where, shard, window)
    events = await where.session.rows_in(_EVENTS, "numbers", numbers, about)
    devices = sorted({row.device_number for row in events if row.device_number is not None})
    sessions = await where.session.rows_in(_OF_DEVICES, "devices", devices, about)
    keys = {}
    if unit == Unit.DEVICE:
        keys = {row.number: row.key for row in await where.session.rows_in(_KEYS, "devices", devices, about)}
    orders = []
    if unit == Unit.USER:
        orders = await where.session.rows_in(_ORDERS, "numbers", numbers, about)
    shelf = _Shelf(where.zone, shard, unit, numbers, keys, window)
    for row in sessions:
        shelf.begin(told, row)
    for row in events:
        shelf.add(told, row)
    for row in orders:
        shelf.order(told, row)


@dataclass(slots=True)
class _Shelf:
    """Puts one shard's rows under the units whose they are."""

    zone: str
    shard: int
    unit: str
    numbers: Mapping[int, UserKey]
    keys: Mapping[int, str]
    window: Window
    _places: dict[tuple[int, Instant], list[tuple[str, str]]] = field(default_factory=dict)
    """Of each session, by device and beginning: what it was recognised as."""

    def begin(self, told: Told, row: Any) -> None:
        places = self._places[row.device_number, row.started_at] = places_of(row)
        if row.begun and row.user_number in self.numbers:
            self._put(told, row.user_number, row.device_number, row.started_at, dict.fromkeys(places, 1))

    def add(self, told: Told, row: Any) -> None:
        day = day_of(row.occurred_at, self.zone)
        recognised = [Act(*one) for one in orjson.loads(row.deeds or "[]")]
        if self.unit == Unit.USER:
            # A user's are counted by orders: one may have been told twice before it was known whose it is.
            recognised = [act for act in recognised if act.deed not in OF_ORDERS]
        at: defaultdict[Instant, dict[tuple[str, str], int]] = defaultdict(dict)
        for place in self._places.get((row.device_number, row.session_at), ()):
            at[row.occurred_at][place] = 0
        for act in acts_of_event(row.type, row.name, day, recognised, by_member=row.by_member):
            # Such as what had been given back before its order was heard of.
            deeds = at[row.occurred_at if act.day == day else start_of(_date(act.day), self.zone)]
            deeds[act.deed, act.value] = deeds.get((act.deed, act.value), 0) + act.amount
        for moment, deeds in at.items():
            self._put(told, row.user_number, row.device_number, moment, deeds)

    def order(self, told: Told, row: Any) -> None:
        """An order counts once, however often it was told; what was given back of it, when it was."""
        amount = {} if row.amount is None else {(Deed.SPENT.value, row.currency): row.amount}
        self._put(told, row.user_number, None, row.ordered_at, {(Deed.ORDERED.value, ""): 1, **amount})
        for at, _, counted in orjson.loads(row.refunds or "{}").values():
            if counted:
                self._put(told, row.user_number, None, at, {(Deed.REFUNDED.value, row.currency): counted})

    def _put(
        self, told: Told, user: int, device: int | None, at: Instant, deeds: Mapping[tuple[str, str], int]
    ) -> None:
        if not self.window.since <= at < self.window.until:
            return
        whose = self.numbers[user]
        if self.unit == Unit.DEVICE:
            if device is None or device not in self.keys:
                return
            key: UnitKey = (whose, self.keys[device])
            told.numbers.setdefault(key, set()).add((self.shard, device))
        else:
            key = (whose, "")
            told.numbers[key] = {whose}
        told.happenings[key].append(Happening(at, day_of(at, self.zone), deeds))


def _date(day: int) -> date:
    return date(day // 10_000, day // 100 % 100, day % 100)


Earlier = Mapping[Source, Mapping[int, BitMap]]


async def _earlier(
    where: Where, unit: str, turned: Collection[Source], before: Sequence[int]
) -> dict[Source, dict[int, BitMap]]:
    """By act and shard: who had done it before."""
    ofs: list[Of] = list(dict.fromkeys(of for source in turned for of in source.ofs))
    about = (where.session, where.project_id, where.shards)
    held = await deed_sets.read(*about, ofs, before, with_amounts=False)
    found: dict[Source, dict[int, BitMap]] = {}
    for source in turned:
        sets = found[source._replace(turn=Turn.ANY)] = {}
        for (shard, of, _), one in held.items():
            if of in source.ofs:
                sets[shard] = sets.get(shard, BitMap()) | one.users
    return found


def _known(told: Told, earlier: Earlier, key: UnitKey) -> frozenset[Source]:
    numbers = told.numbers[key]
    return frozenset(
        source
        for source, sets in earlier.items()
        if any(number in sets.get(shard, ()) for shard, number in numbers)
    )
