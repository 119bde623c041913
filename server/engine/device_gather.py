"""Reads the devices and sessions that a batch needs: a few statements, however many there are."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from heapq import nlargest
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, bindparam, func, select

from server.clock import HOUR, Instant
from server.store.among import among
from server.store.bulk import table_of
from server.store.sessions import ReadSession
from server.store.tables import Device, VisitSession

from .batch import Batch, UserKey
from .devices import DeviceKey, DeviceState, SessionState, key_of, of_user, raw_key
from .sessions import PAUSE

if TYPE_CHECKING:  # `items` needs this file itself, by way of `commands`.
    from .items import Item

MOST_SPANS = 8
"""Statements by which the sessions around a project's late events are read."""
LONG = 6 * HOUR
"""Without a late event: worth a statement of its own."""

_devices, _sessions = table_of(Device), table_of(VisitSession)

_BY_KEY = select(_devices).where(
    _devices.c.shard == bindparam("shard"),
    _devices.c.project_id == bindparam("project_id"),
    among(_devices.c.key, "keys"),
    ~_devices.c.moved,
)
_OF_USER = select(_devices).where(
    _devices.c.shard == bindparam("shard"),
    _devices.c.project_id == bindparam("project_id"),
    _devices.c.user_number == bindparam("number"),
    ~_devices.c.moved,
)
_SESSIONS = select(_sessions).where(
    _sessions.c.shard == bindparam("shard"),
    _sessions.c.project_id == bindparam("project_id"),
    among(_sessions.c.device_number, "numbers"),
)
_LATEST = (
    select(_sessions)
    .join(
        _devices,
        and_(
            _devices.c.shard == _sessions.c.shard,
            _devices.c.project_id == _sessions.c.project_id,
            _devices.c.number == _sessions.c.device_number,
            _devices.c.session_at == _sessions.c.started_at,
        ),
    )
    .where(_devices.c.shard == bindparam("shard"), _devices.c.project_id == bindparam("project_id"))
    .where(among(_devices.c.number, "numbers"))
)
_AROUND = _SESSIONS.where(
    _sessions.c.first_at <= bindparam("until"), _sessions.c.last_at >= bindparam("since")
)
_LAST_NUMBER = select(func.max(_devices.c.number)).where(
    _devices.c.shard == bindparam("shard"), _devices.c.project_id == bindparam("project_id")
)


@dataclass(slots=True)
class Devices:
    """Those of a batch, and what the worker of a shard remembers of them from turn to turn."""

    known: dict[DeviceKey, DeviceState] = field(default_factory=dict)
    next_number: dict[int, int] = field(default_factory=dict)

    async def load(self, session: ReadSession, batch: Batch, items: Iterable["Item"]) -> None:
        """The devices that tell the events of a batch, and their sessions as far as those ask for them."""
        times: defaultdict[DeviceKey, list[Instant]] = defaultdict(list)
        for item in items:
            if item.event is not None and item.found is not None and (raw := raw_key(item.event)):
                key = (item.row.project_id, item.found.number, key_of(raw))
                times[key].append(item.event.occurred_at)
        await self.find(session, batch, times)
        await _load_around(session, batch, times)

    async def find(self, session: ReadSession, batch: Batch, wanted: Iterable[DeviceKey]) -> None:
        """These devices with their latest sessions, into the batch; and the numbers that new ones get."""
        missing: defaultdict[int, set[DeviceKey]] = defaultdict(set)
        for key in wanted:
            known = self.known.get(key)
            if known is not None:
                batch.devices.setdefault(key, known)
            elif key not in batch.devices:
                missing[key[0]].add(key)
        for project_id, keys in missing.items():
            await _load(session, batch, project_id, keys)
            if project_id not in self.next_number:
                about = {"shard": batch.shard, "project_id": project_id}
                last = (await session.rows(_LAST_NUMBER, about))[0][0]
                self.next_number[project_id] = 0 if last is None else int(last) + 1
        batch.next_device = self.next_number

    def remember(self, batch: Batch, most: int) -> None:
        """The batch is written: what it found out holds, but of whoever is erased: that was written over."""
        erased = {key for key, user in batch.users.items() if user.is_erased}
        if erased:
            self.known = {key: one for key, one in self.known.items() if key[:2] not in erased}
        if len(self.known) > most:
            for key in list(self.known)[: most // 2]:
                del self.known[key]
        for key, device in batch.devices.items():
            if device.moved or key[:2] in erased:
                self.known.pop(key, None)
            else:
                device.trim()
                self.known[key] = device

    def forget(self) -> None:
        self.known.clear()
        self.next_number.clear()


async def _load(session: ReadSession, batch: Batch, project_id: int, wanted: set[DeviceKey]) -> None:
    about = {"shard": batch.shard, "project_id": project_id}
    found: dict[int, DeviceState] = {}
    for row in await session.rows_in(_BY_KEY, "keys", sorted({key[2] for key in wanted}), about):
        key = (project_id, row.user_number, row.key)
        if key in wanted:
            found[row.number] = batch.devices.setdefault(key, to_device(row))
    if found:
        keep_sessions(found, await session.rows_in(_LATEST, "numbers", sorted(found), about))


def to_device(row: Any) -> DeviceState:
    _, _, *values = row
    return DeviceState(*values)


def keep_sessions(devices: dict[int, DeviceState], rows: Iterable[Any]) -> None:
    for row in rows:
        _, _, *values = row
        devices[row.device_number].sessions.setdefault(row.started_at, SessionState(*values))


async def _load_around(session: ReadSession, batch: Batch, times: dict[DeviceKey, list[Instant]]) -> None:
    """The sessions around events that came late: before the latest session of their device."""
    late: defaultdict[int, list[tuple[Instant, int]]] = defaultdict(list)
    devices: defaultdict[int, dict[int, DeviceState]] = defaultdict(dict)
    for key, told in times.items():
        device = batch.devices.get(key)
        if device is not None and device.session_at is not None and min(told) < device.session_at:
            devices[key[0]][device.number] = device
            late[key[0]] += [(at, device.number) for at in told if at < device.session_at]
    for project_id, events in late.items():
        for near in together(events):
            span = {"since": near[0][0] - PAUSE, "until": near[-1][0] + PAUSE}
            about = {"shard": batch.shard, "project_id": project_id, **span}
            numbers = sorted({number for _, number in near})
            keep_sessions(devices[project_id], await session.rows_in(_AROUND, "numbers", numbers, about))


def together(late: list[tuple[Instant, int]]) -> list[list[tuple[Instant, int]]]:
    """Late events in order, cut where there is longest none: one of long ago asks for nothing in between."""
    ordered = sorted(late)
    gaps = ((ordered[n][0] - ordered[n - 1][0], n) for n in range(1, len(ordered)))
    longest = nlargest(MOST_SPANS - 1, (gap for gap in gaps if gap[0] > LONG))
    cuts = [0, *sorted(n for _, n in longest), len(ordered)]
    return [ordered[begin:end] for begin, end in pairwise(cuts)]


async def load_all(session: ReadSession, batch: Batch, devices: Iterable[tuple[int, DeviceState]]) -> None:
    """Every session of these devices, by project, into the batch."""
    grouped: defaultdict[int, dict[int, DeviceState]] = defaultdict(dict)
    for project_id, device in devices:
        grouped[project_id][device.number] = device
    for project_id, found in grouped.items():
        about = {"shard": batch.shard, "project_id": project_id}
        keep_sessions(found, await session.rows_in(_SESSIONS, "numbers", sorted(found), about))


async def load_of_user(session: ReadSession, batch: Batch, user: UserKey) -> None:
    """Every device of a user with every session, into the batch."""
    about = {"shard": batch.shard, "project_id": user[0], "number": user[1]}
    for row in await session.rows(_OF_USER, about):
        batch.devices.setdefault((*user, row.key), to_device(row))
    await load_all(session, batch, [(user[0], device) for device in of_user(batch.devices, user)])
