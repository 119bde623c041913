"""Devices and their sessions as a batch holds them in hand, and which device tells an event."""

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from server.aggregates.calendar import day_of
from server.aggregates.deeds import days_between
from server.clock import Instant
from server.ingest.messages import ArrivedEvent
from server.store.bulk import deleting, replacing
from server.store.ids import digest
from server.store.sessions import WriteSession
from server.store.tables import Device, VisitSession

VISITS = frozenset(("page", "screen", "track"))
key_of = lru_cache(maxsize=65_536)(digest)
"""Of a device's id: what is kept of it."""

_ORIGINS = ("source", "origin", "medium", "campaign", "keyword", "ad", "landing")
_DEVICES = replacing(Device, "session_at", "moved", "awaits")
_SESSIONS = replacing(VisitSession, "first_at", "last_at", "begun", *_ORIGINS)
_GONE_SESSIONS = deleting(VisitSession, "shard", "project_id", "device_number", "started_at")


DeviceKey = tuple[int, int, str]
"""Project, user's number, key."""


@dataclass(slots=True)
class SessionState:
    device_number: int
    started_at: Instant
    user_number: int
    first_at: Instant
    last_at: Instant
    begun: bool
    device: str
    source: str
    origin: str
    medium: str
    campaign: str
    keyword: str
    ad: str
    landing: str
    is_new: bool = False
    is_changed: bool = False

    def values(self) -> tuple[Any, ...]:
        """In the order of the table's columns, from the device's number on."""
        return (
            self.device_number,
            self.started_at,
            self.user_number,
            self.first_at,
            self.last_at,
            self.begun,
            self.device,
            self.source,
            self.origin,
            self.medium,
            self.campaign,
            self.keyword,
            self.ad,
            self.landing,
        )

    def days(self, zone: str) -> list[int]:
        """Those on which something was done in it: between two there is never a day without."""
        return days_between(day_of(self.first_at, zone), day_of(self.last_at, zone))


@dataclass(slots=True)
class DeviceState:
    number: int
    key: str
    user_number: int
    session_at: Instant | None = None
    moved: bool = False
    awaits: bool = False
    sessions: dict[Instant, SessionState] = field(default_factory=dict)
    """By when they began, as far as they were asked for: its latest, always."""
    is_changed: bool = False

    def values(self) -> tuple[Any, ...]:
        return self.number, self.key, self.user_number, self.session_at, self.moved, self.awaits

    def trim(self) -> None:
        """Forgets the sessions but for the latest, as it is when it is written."""
        for one in self.sessions.values():
            one.is_new = one.is_changed = False
        latest = self.sessions.get(self.session_at) if self.session_at is not None else None
        self.sessions = {latest.started_at: latest} if latest else {}
        self.is_changed = False


def raw_key(event: ArrivedEvent) -> str:
    """Of the device that tells a visit, or on which somebody logs in."""
    if event.type in VISITS:
        return device_of(event)
    return event.anonymous_id or "" if event.user_id else ""


def device_of(event: ArrivedEvent) -> str:
    """The device that tells the event; empty for what a server tells."""
    return event.anonymous_id or own_id(event.context)


def own_id(context: dict[str, Any]) -> str:
    """What a device calls itself, if it tells."""
    device = context.get("device")
    known = device.get("id") if isinstance(device, dict) else None
    return str(known) if known else ""


def of_user(devices: dict[DeviceKey, DeviceState], user: tuple[int, int]) -> list[DeviceState]:
    return [one for key, one in devices.items() if key[:2] == user and not one.moved]


async def write(
    session: WriteSession, shard: int, devices: dict[DeviceKey, DeviceState], gone: list[tuple[int, ...]]
) -> None:
    """What has changed of these; `gone` are sessions that went where their user went."""
    await session.bulk(_GONE_SESSIONS, [(shard, *key) for key in gone])
    changed = [(shard, key[0], *one.values()) for key, one in devices.items() if one.is_changed]
    await session.bulk(_DEVICES, changed)
    rows = [
        (shard, key[0], *one.values())
        for key, device in devices.items()
        for one in device.sessions.values()
        if one.is_new or one.is_changed
    ]
    await session.bulk(_SESSIONS, rows)
