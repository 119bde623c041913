"""Devices and sessions: which visit an event is part of.

The rules, in full in docs/behaviour.md:

- A device is an anonymous id, or a device's own id, in the hands of one user.
- A session ends after half an hour without an event, and when an event tells of another source than its
  own (`tells_another`).
- What comes late is part of the session that it lies in, or within half an hour of; else it is one of its
  own. No session that exists is cut again.
- A session that begins where somebody has just logged in may go on from one that another user had, who
  turns out to be this one. Until that is known it has no source.
"""

from collections.abc import Iterable
from typing import NamedTuple

from server.aggregates.calendar import day_of
from server.aggregates.deeds import (
    LONGEST_VALUE,
    Unit,
    acts_of_session,
    days_between,
    origins_of,
    places_of,
)
from server.clock import MINUTE, Instant
from server.ingest.messages import ArrivedEvent
from server.recognising import Recognised, recognise, tells_another

from .batch import Batch
from .devices import VISITS, DeviceState, SessionState, device_of, key_of

PAUSE = 30 * MINUTE
USER, DEVICE = Unit.USER.value, Unit.DEVICE.value
DIRECT = "direct"


class Part(NamedTuple):
    """The device and the session that an event is part of."""

    device: DeviceState
    session: SessionState


def take_in(batch: Batch, project_id: int, number: int, event: ArrivedEvent) -> Part | None:
    """The session that an event of this user is part of; none for what no device of a person tells."""
    if event.type not in VISITS or not (raw := device_of(event)):
        return None
    recognised = recognise(event.type, event.context, event.body)
    if recognised.is_bot:
        return None
    device = device_for(batch, project_id, number, key_of(raw))
    session = _find(device, event.occurred_at, recognised)
    if session is None:
        session = _begin(batch, project_id, device, event.occurred_at, recognised)
    else:
        _go_on(batch, project_id, session, event.occurred_at)
    return Part(device, session)


def device_for(batch: Batch, project_id: int, number: int, key: str) -> DeviceState:
    """The user's device of this key; a new one, if there is none."""
    where = (project_id, number, key)
    device = batch.devices.get(where)
    if device is None or device.moved:
        taken = batch.next_device.get(project_id, 0)
        batch.next_device[project_id] = taken + 1
        device = batch.devices[where] = DeviceState(taken, key, number, is_changed=True)
    return device


def await_news(batch: Batch, project_id: int, number: int, key: str) -> None:
    """Somebody has logged in on a device whose earlier user may turn out to be them."""
    device = device_for(batch, project_id, number, key)
    if device.session_at is None:
        device.awaits = device.is_changed = True


def _find(device: DeviceState, at: Instant, recognised: Recognised) -> SessionState | None:
    if device.session_at is None:
        return None
    latest = device.sessions[device.session_at]
    if at >= latest.last_at:
        goes_on = at - latest.last_at < PAUSE and not tells_another(recognised, latest)
        return latest if goes_on or at == latest.started_at else None
    near = [one for one in device.sessions.values() if one.first_at - PAUSE < at < one.last_at + PAUSE]
    begun = [one for one in near if one.first_at <= at]
    if begun:
        return max(begun, key=_order)
    return min(near, key=_order) if near else None


def _order(one: SessionState) -> tuple[Instant, Instant]:
    return one.first_at, one.started_at


def _begin(
    batch: Batch, project_id: int, device: DeviceState, at: Instant, recognised: Recognised
) -> SessionState:
    source, medium = recognised.source, recognised.medium
    if not source and not device.awaits:
        source, medium = DIRECT, "none"
    session = SessionState(
        device_number=device.number,
        started_at=at,
        user_number=device.user_number,
        first_at=at,
        last_at=at,
        begun=True,
        device=recognised.device,
        source=source,
        origin=recognised.origin[:LONGEST_VALUE],
        medium=medium[:LONGEST_VALUE],
        campaign=recognised.campaign[:LONGEST_VALUE],
        keyword=recognised.keyword[:LONGEST_VALUE],
        ad=recognised.ad,
        landing=recognised.landing[:LONGEST_VALUE],
        is_new=True,
    )
    device.sessions[at] = session
    if device.session_at is None or at > device.session_at:
        device.session_at, device.is_changed = at, True
    count(batch, project_id, session, session.days(batch.catalog.zone_of(project_id)))
    return session


def _go_on(batch: Batch, project_id: int, session: SessionState, at: Instant) -> None:
    zone = batch.catalog.zone_of(project_id)
    if at > session.last_at:
        reached = days_between(day_of(session.last_at, zone), day_of(at, zone))[1:]
        session.last_at = at
    elif at < session.first_at:
        reached = days_between(day_of(at, zone), day_of(session.first_at, zone))[:-1]
        session.first_at = at
    else:
        return
    session.is_changed = True
    if reached:
        count(batch, project_id, session, reached, begins=False)


def count(
    batch: Batch, project_id: int, session: SessionState, days: Iterable[int], *, begins: bool = True
) -> None:
    """Counts the session on these days, of its user and of its device; and once on the day it began."""
    began = None
    if begins and session.begun:
        began = day_of(session.started_at, batch.catalog.zone_of(project_id))
        batch.ledger.lives[project_id, session.user_number].visits += 1
    for deed, value, day, amount in acts_of_session(session, began, days):
        batch.deeds.add(project_id, USER, deed, value, session.user_number, day, amount)
        batch.deeds.add(project_id, DEVICE, deed, value, session.device_number, day, amount)


def settle(batch: Batch, project_id: int, device: DeviceState) -> None:
    """No earlier user of the device turned out to be this one: its sessions without a source are direct."""
    for session in device.sessions.values():
        if not session.source and session.begun:
            session.source, session.medium, session.is_changed = DIRECT, "none", True
            _count_origins(batch, project_id, session, begins=True)
    device.awaits, device.is_changed = False, True


def _count_origins(batch: Batch, project_id: int, session: SessionState, *, begins: bool) -> None:
    """Counts where a session came from, that was counted before this was known."""
    zone = batch.catalog.zone_of(project_id)
    began = day_of(session.started_at, zone) if begins else None
    for deed, value in origins_of(session):
        for day in session.days(zone):
            amount = int(day == began)
            batch.deeds.add(project_id, USER, deed, value, session.user_number, day, amount)
            batch.deeds.add(project_id, DEVICE, deed, value, session.device_number, day, amount)


def go_on_from(batch: Batch, project_id: int, session: SessionState, earlier: SessionState) -> None:
    """A session that began with a log-in is the other's, of before it: it is none of its own any more."""
    zone = batch.catalog.zone_of(project_id)
    began = day_of(session.started_at, zone)
    for deed, value in places_of(session):
        batch.deeds.add(project_id, USER, deed, value, session.user_number, began, -1)
        batch.deeds.add(project_id, DEVICE, deed, value, session.device_number, began, -1)
    batch.ledger.lives[project_id, session.user_number].visits -= 1
    for name in ("source", "origin", "medium", "campaign", "keyword", "ad", "landing"):
        setattr(session, name, getattr(earlier, name))
    session.begun, session.is_changed = False, True
    if session.source:
        _count_origins(batch, project_id, session, begins=False)


def take_over(
    batch: Batch, project_id: int, waiting: Iterable[SessionState], taken: list[SessionState]
) -> None:
    """The sessions that began with a log-in go on from those that the device's user had had before."""
    for session in waiting:
        near = [one for one in taken if one.first_at <= session.started_at < one.last_at + PAUSE]
        if near:
            go_on_from(batch, project_id, session, max(near, key=_order))
