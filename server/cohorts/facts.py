"""Reads from the facts what units did moment by moment: of those who, by the sets, can have come in at all.

Facts stay where they were written, but for sessions: those move to whoever stays. Whoever turned out to be
another is told as the other, and so are devices: the same device in the hands of the same person is one,
under whatever number. Values are told as sets have them: what has no set of its own is among the others.
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
from server.aggregates.deed_values import Value, Values
from server.aggregates.deeds import LIMITED, OF_ORDERS, Act, Deed, Unit, acts_of_event, places_of
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
_DEVICES = _of_users(_devices, *(_devices.c[name] for name in ("number", "key", "user_number")))


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
    _refuse_more(sum(map(len, came.values())))
    people = await _former(where, came)
    await _refuse_too_many(where, people, window)
    shelf = _Shelf(where, unit, people, window, await _listed(where))
    # Every session comes before any event: those of another shard may be of these.
    for shard, numbers in people.items():
        await _read_sessions(where, shelf, shard, numbers)
    for shard, numbers in people.items():
        await _read_events(where, shelf, shard, numbers)
    told, earlier = shelf.told, await _earlier(where, unit, turned, before)
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
        _refuse_more(count)


def _refuse_more(count: int) -> None:
    """Everybody who comes in has done something: of so many people it need not be asked how much."""
    if count > MOST_EVENTS:
        raise BadInput(
            f"Hours, and periods from each entry on, are counted event by event: {MOST_EVENTS:,} at most, "
            f"found {count:,} or more. Ask for fewer base dates or periods, or for days of the calendar."
        )


async def _listed(where: Where) -> Values:
    values = Values()
    await values.read(where.session, where.project_id, LIMITED)
    return values


def _about(where: Where, shard: int, window: Window) -> dict[str, Any]:
    return {"shard": shard, "project_id": where.project_id, **window._asdict()}


async def _read_sessions(where: Where, shelf: "_Shelf", shard: int, numbers: Mapping[int, UserKey]) -> None:
    about = _about(where, shard, shelf.window)
    devices = await where.session.rows_in(_DEVICES, "numbers", numbers, about)
    shelf.know(shard, devices)
    found = [row.number for row in devices]
    for row in await where.session.rows_in(_OF_DEVICES, "devices", found, about):
        shelf.begin(shard, row)


async def _read_events(where: Where, shelf: "_Shelf", shard: int, numbers: Mapping[int, UserKey]) -> None:
    about = _about(where, shard, shelf.window)
    for row in await where.session.rows_in(_EVENTS, "numbers", numbers, about):
        shelf.add(shard, row)
    if shelf.unit == Unit.USER:
        for row in await where.session.rows_in(_ORDERS, "numbers", numbers, about):
            shelf.order(shard, row)


Place = tuple[str, str]
"""Dimension and value."""


@dataclass(slots=True)
class _Shelf:
    """Puts rows under the units whose they are."""

    where: Where
    unit: str
    people: Mapping[int, Mapping[int, UserKey]]
    window: Window
    values: Values
    told: Told = field(default_factory=Told)
    _devices: dict[tuple[int, int], UnitKey] = field(default_factory=dict)
    """By shard and number, also those of before a merge: whose it is now, and its key."""
    _places: dict[tuple[UnitKey, Instant], list[Place]] = field(default_factory=dict)
    """Of each session, by device and beginning: what it was recognised as."""
    _shown: dict[Place, Place] = field(default_factory=dict)

    def know(self, shard: int, devices: Collection[Any]) -> None:
        for row in devices:
            key = self.people[shard][row.user_number], row.key
            self._devices[shard, row.number] = key
            if self.unit == Unit.DEVICE:
                self.told.numbers.setdefault(key, set()).add((shard, row.number))

    def begin(self, shard: int, row: Any) -> None:
        places = [self._as_shown(*place) for place in places_of(row)]
        self._places[self._devices[shard, row.device_number], row.started_at] = places
        if row.begun:
            whose = self.people[shard][row.user_number]
            self._put(whose, (shard, row.device_number), row.started_at, dict.fromkeys(places, 1))

    def add(self, shard: int, row: Any) -> None:
        day = day_of(row.occurred_at, self.where.zone)
        recognised = [Act(*one) for one in orjson.loads(row.deeds or "[]")]
        if self.unit == Unit.USER:
            # A user's are counted by orders: one may have been told twice before it was known whose it is.
            recognised = [act for act in recognised if act.deed not in OF_ORDERS]
        at: defaultdict[Instant, dict[tuple[str, str], int]] = defaultdict(dict)
        device = None if row.device_number is None else (shard, row.device_number)
        for place in self._places_of(device, row.session_at):
            at[row.occurred_at][place] = 0
        for act in acts_of_event(row.type, row.name, day, recognised, by_member=row.by_member):
            # Such as what had been given back before its order was heard of.
            deeds = at[row.occurred_at if act.day == day else start_of(_date(act.day), self.where.zone)]
            place = self._as_shown(act.deed, act.value)
            deeds[place] = deeds.get(place, 0) + act.amount
        for moment, deeds in at.items():
            self._put(self.people[shard][row.user_number], device, moment, deeds)

    def order(self, shard: int, row: Any) -> None:
        """An order counts once, however often it was told; what was given back of it, when it was."""
        whose = self.people[shard][row.user_number]
        amount = {} if row.amount is None else {(Deed.SPENT.value, row.currency): row.amount}
        self._put(whose, None, row.ordered_at, {(Deed.ORDERED.value, ""): 1, **amount})
        for at, _, counted in orjson.loads(row.refunds or "{}").values():
            if counted:
                self._put(whose, None, at, {(Deed.REFUNDED.value, row.currency): counted})

    def _places_of(self, device: tuple[int, int] | None, session_at: Instant | None) -> Collection[Place]:
        key = self._devices.get(device) if device else None
        return () if key is None or session_at is None else self._places.get((key, session_at), ())

    def _as_shown(self, deed: str, value: str) -> Place:
        """As sets have it."""
        if deed not in LIMITED:
            return deed, value
        known = self._shown.get((deed, value))
        if known is None:
            shown = self.values.shown(Value(self.where.project_id, deed, value))
            known = self._shown[deed, value] = (deed, shown)
        return known

    def _put(
        self, whose: UserKey, device: tuple[int, int] | None, at: Instant, deeds: Mapping[Place, int]
    ) -> None:
        if not self.window.since <= at < self.window.until:
            return
        key: UnitKey = (whose, "")
        if self.unit == Unit.USER:
            self.told.numbers[key] = {whose}
        elif device in self._devices:
            key = self._devices[device]
        else:
            return
        self.told.happenings[key].append(Happening(at, day_of(at, self.where.zone), deeds))


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
