"""Deeds in a batch: what an event is part of and what it counts as, and what a merge takes along.

The events of a user who turns out to be another stay where they are. What they told is kept once more at the
user who stays, in few numbers; the sessions move. Both are facts there, from which deeds are counted again.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple, Protocol

import orjson
from sqlalchemy import bindparam, select

from server.aggregates.calendar import day_of
from server.aggregates.deeds import (
    LONGEST_PROPERTY,
    OF_ORDERS,
    Act,
    Deed,
    Unit,
    acts_of_event,
    property_value,
)
from server.clock import Instant
from server.commerce.amounts import MOST
from server.commerce.orders import Counts
from server.ingest.messages import ArrivedEvent
from server.store.bulk import table_of
from server.store.sessions import ReadSession
from server.store.tables import AdoptedDeeds, Event

from . import device_gather, sessions
from .batch import Batch, UserKey
from .device_gather import Devices
from .devices import DeviceState, SessionState, of_user
from .state import UserState, to_json

_events, _adopted = table_of(Event), table_of(AdoptedDeeds)
_TOLD = select(
    _events.c.digest,
    _events.c.occurred_at,
    _events.c.type,
    _events.c.name,
    _events.c.device_number,
    _events.c.by_member,
    _events.c.deeds,
).where(
    _events.c.shard == bindparam("shard"),
    _events.c.project_id == bindparam("project_id"),
    _events.c.user_number == bindparam("number"),
)
_OF_USER = select(_adopted.c.acts).where(
    _adopted.c.shard == bindparam("shard"),
    _adopted.c.project_id == bindparam("project_id"),
    _adopted.c.user_number == bindparam("number"),
)
USER, DEVICE = Unit.USER.value, Unit.DEVICE.value
MOST_VALUES_OF_ONE = 20
"""Values of one property of one event that are taken."""


class Told(NamedTuple):
    """An event of a user who turns out to be another, as far as it counts."""

    digest: str
    occurred_at: Instant
    type: str
    name: str
    device_number: int | None
    by_member: bool
    deeds: str


class Leaving(NamedTuple):
    """What is known of a user who may leave this batch: events, and what others had told before."""

    told: list[Told]
    adopted: list[dict[str, Any]]


class Noted(NamedTuple):
    """What is kept with an event."""

    device_number: int | None
    session_at: Instant | None
    by_member: bool
    deeds: str


# An event


def note(
    batch: Batch, user: UserState, project_id: int, event: ArrivedEvent, counts: Iterable[Counts]
) -> Noted:
    """Counts an event of this user; `counts` are what commerce has counted by it."""
    zone = batch.catalog.zone_of(project_id)
    part = sessions.take_in(batch, project_id, user.number, event)
    told = [*_acts_of(counts, zone), *_properties(batch, project_id, event, zone)]
    by_member = event.user_id is not None
    day = day_of(event.occurred_at, zone)
    device = part.device.number if part else None
    if part is not None:
        batch.ledger.lives[project_id, user.number].visit(event.occurred_at)
    acts = acts_of_event(event.type, event.name, day, told, by_member=by_member)
    _count(batch, project_id, USER, user.number, acts)
    if device is not None:
        _count(batch, project_id, DEVICE, device, acts)
    return Noted(device, part.session.started_at if part else None, by_member, _stored(told))


def _stored(told: list[Act]) -> str:
    return to_json([tuple(one) for one in told]) if told else ""


def _acts_of(counts: Iterable[Counts], zone: str) -> Iterator[Act]:
    for one in counts:
        if one.deed in _KNOWN:
            yield Act(one.deed, one.value, day_of(one.at, zone), one.amount)


_KNOWN = frozenset(deed.value for deed in Deed)


def _properties(batch: Batch, project_id: int, event: ArrivedEvent, zone: str) -> Iterator[Act]:
    declared = batch.catalog.declared.get((project_id, event.name), ())
    for name in declared:
        for value in _values_of(event.body.get(name)):
            told = property_value(event.name, name, value)
            yield Act(Deed.PROPERTY.value, told, day_of(event.occurred_at, zone), 1)


def _values_of(found: Any) -> list[str]:
    """As texts: of a list each value once, of an object none."""
    if isinstance(found, bool):
        return ["true" if found else "false"]
    if isinstance(found, str | int | float) and found != "":
        return [str(found)[:LONGEST_PROPERTY]]
    if isinstance(found, list):
        plain = [value for one in found if not isinstance(one, list) for value in _values_of(one)]
        return list(dict.fromkeys(plain))[:MOST_VALUES_OF_ONE]
    return []


def _count(batch: Batch, project_id: int, unit: str, number: int, acts: Iterable[Act]) -> None:
    for deed, value, day, amount in acts:
        batch.deeds.add(project_id, unit, deed, value, number, day, amount)


class Moved(Protocol):
    """An event that has come with a user who turned out to be ours."""

    @property
    def user_number(self) -> int: ...
    @property
    def occurred_at(self) -> Instant: ...
    @property
    def type(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def device_number(self) -> int | None: ...
    @property
    def by_member(self) -> bool: ...
    @property
    def deeds(self) -> str: ...


def count_again(batch: Batch, project_id: int, event: Moved) -> None:
    """An event that moves counts here; what orders come to is told by the orders, which move as well."""
    day = day_of(event.occurred_at, batch.catalog.zone_of(project_id))
    acts = acts_of_event(event.type, event.name, day, read_told(event.deeds), by_member=event.by_member)
    mine = [one for one in acts if one.deed not in OF_ORDERS]
    _count(batch, project_id, USER, event.user_number, mine)
    if event.device_number is not None:
        _count(batch, project_id, DEVICE, event.device_number, acts)


def count_orders(batch: Batch, project_id: int, user: UserState, counts: Iterable[Counts]) -> None:
    """What orders come to that came with another user: of the user alone, since no device told it now."""
    acts = (one for one in _acts_of(counts, batch.catalog.zone_of(project_id)) if one.deed in OF_ORDERS)
    _count(batch, project_id, USER, user.number, acts)


# Users who turned out to be one


async def load_merge(session: ReadSession, batch: Batch, user: UserKey) -> None:
    """Everything of a user who turns out to be another, into the batch."""
    about = {"shard": batch.shard, "project_id": user[0], "number": user[1]}
    told = [Told(*row) for row in await session.rows(_TOLD, about)]
    adopted = [orjson.loads(row.acts) for row in await session.rows(_OF_USER, about)]
    batch.moving_deeds[user] = Leaving(told, adopted)
    await device_gather.load_of_user(session, batch, user)


async def load_adoption(
    session: ReadSession, batch: Batch, devices: Devices, project_id: int, command: dict[str, Any]
) -> None:
    """The devices of our user of which something comes, with all their sessions."""
    given = command.get("deeds")
    if given is None:
        return
    keys = {*given["keys"], *(one["key"] for one in given["devices"])}
    await load_devices(session, batch, devices, (project_id, command["number"]), keys)


async def load_devices(
    session: ReadSession, batch: Batch, devices: Devices, user: UserKey, keys: Iterable[str]
) -> None:
    """These devices of a user of ours, with all their sessions."""
    project_id, number = user
    wanted = [(project_id, number, key) for key in keys]
    await devices.find(session, batch, wanted)
    found = [(project_id, batch.devices[key]) for key in wanted if key in batch.devices]
    await device_gather.load_all(session, batch, found)


def leave(batch: Batch, user: UserKey, keys: Iterable[str], moving: set[str]) -> dict[str, Any]:
    """Takes what a user did who turned out to be another, and says what it was.

    `keys` are the devices that showed it; `moving` are the digests of events that move themselves.
    """
    known = batch.moving_deeds.pop(user, Leaving([], []))
    here = [
        Told(row[4], row[3], row[5], row[6], row[10], row[12], row[13])
        for row in batch.events
        if row[1:3] == user
    ]
    told = [one for one in (*known.told, *here) if one.digest not in moving]
    devices = of_user(batch.devices, user)
    acts = _sum_up(told, [*known.adopted, *_just_adopted(batch, user)], batch.catalog.zone_of(user[0]))
    batch.deeds.mask(user[0], USER, user[1])
    batch.gone_adopted.append((batch.shard, *user))
    return {
        "acts": acts.pop("", []),
        "devices": [_send(batch, user[0], device, acts.get(str(device.number), [])) for device in devices],
        "keys": list(keys),
    }


def _just_adopted(batch: Batch, user: UserKey) -> list[dict[str, Any]]:
    """What came for this user in this very batch, and now goes on."""
    rows = [row for row in batch.adopted_deeds if row[1:3] == user]
    batch.adopted_deeds = [row for row in batch.adopted_deeds if row[1:3] != user]
    return [orjson.loads(row[4]) for row in rows]


def _sum_up(told: list[Told], adopted: list[dict[str, Any]], zone: str) -> dict[str, list[Any]]:
    """Of the user (""), and of devices by their number."""
    sums: defaultdict[str, defaultdict[tuple[str, str, int], int]] = defaultdict(lambda: defaultdict(int))
    for one in told:
        acts = acts_of_event(
            one.type, one.name, day_of(one.occurred_at, zone), read_told(one.deeds), by_member=one.by_member
        )
        for deed, value, day, amount in acts:
            if deed not in OF_ORDERS:
                sums[""][deed, value, day] += amount
            if one.device_number is not None:
                sums[str(one.device_number)][deed, value, day] += amount
    for before in adopted:
        for who, acts in before.items():
            for deed, value, day, amount in acts:
                sums[who][deed, value, day] += amount
    return {who: [[*key, min(one, MOST)] for key, one in found.items()] for who, found in sums.items()}


def read_told(stored: str) -> list[Act]:
    return [Act(*one) for one in orjson.loads(stored)] if stored else []


def _send(batch: Batch, project_id: int, device: DeviceState, acts: list[Any]) -> dict[str, Any]:
    device.moved = device.is_changed = True
    batch.deeds.mask(project_id, DEVICE, device.number)
    found = list(device.sessions.values())
    batch.gone_sessions += [(project_id, device.number, one.started_at) for one in found if not one.is_new]
    device.sessions = {}
    values = [one.values()[1:] for one in found]
    return {"key": device.key, "number": device.number, "acts": acts, "sessions": values}


def adopt(batch: Batch, user: UserState, project_id: int, command: dict[str, Any]) -> dict[int, DeviceState]:
    """Takes over from a user who turned out to be ours. Returns its devices here, by their number there."""
    given = command.get("deeds")
    if given is None:
        return {}
    found: dict[int, DeviceState] = {}
    kept: dict[str, list[Any]] = {"": given["acts"]} if given["acts"] else {}
    _count(batch, project_id, USER, user.number, (Act(*one) for one in given["acts"]))
    for one in given["devices"]:
        device = sessions.device_for(batch, project_id, user.number, one["key"])
        found[one["number"]] = device
        _count(batch, project_id, DEVICE, device.number, (Act(*act) for act in one["acts"]))
        if one["acts"]:
            kept.setdefault(str(device.number), []).extend(one["acts"])
        _take_sessions(batch, project_id, device, one["sessions"])
    for key in given["keys"]:
        known = batch.devices.get((project_id, user.number, key))
        if known is not None:
            sessions.settle(batch, project_id, known)
    if kept:
        was = "{}:{}".format(*command["from"])
        batch.adopted_deeds.append((batch.shard, project_id, user.number, was, to_json(kept)))
    return found


def _take_sessions(batch: Batch, project_id: int, device: DeviceState, rows: Iterable[Any]) -> None:
    zone = batch.catalog.zone_of(project_id)
    waiting = [one for one in device.sessions.values() if one.begun and not one.source]
    taken = []
    for started_at, _, *values in rows:
        if started_at not in device.sessions:
            one = SessionState(device.number, started_at, device.user_number, *values)
            one.is_new = True
            device.sessions[started_at] = one
            sessions.count(batch, project_id, one, one.days(zone))
            life = batch.ledger.lives[project_id, device.user_number]
            life.visit(one.first_at)
            life.visit(one.last_at)
            taken.append(one)
    sessions.take_over(batch, project_id, waiting, taken)
    sessions.settle(batch, project_id, device)
    device.session_at, device.is_changed = max(device.sessions, default=None), True


def unlinked(batch: Batch, project_id: int, command: dict[str, Any]) -> None:
    """Nobody who used this device before turned out to be our user."""
    device = batch.devices.get((project_id, command["number"], command["key"]))
    if device is not None and device.awaits:
        sessions.settle(batch, project_id, device)
