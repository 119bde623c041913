"""The time, handed to everything that asks for it. Instants are milliseconds since the epoch, UTC."""

import time
from datetime import UTC, datetime
from typing import Protocol

Instant = int

SECOND = 1000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR


class Clock(Protocol):
    follows_events: bool
    """Whether time moves by what events say; then a timer fires at the very instant it is due."""

    def now(self) -> Instant: ...

    def reach(self, at: Instant) -> None:
        """Tells the clock that something happened at this instant."""


class WallClock:
    """The machine's time."""

    follows_events = False

    def now(self) -> Instant:
        return time.time_ns() // 1_000_000

    def reach(self, at: Instant) -> None:
        """Nothing that happens moves it."""


class EventsClock:
    """Shows the latest instant that any event has reached; never goes back. History replays with it."""

    follows_events = True

    def __init__(self, start: Instant = 0) -> None:
        self._now = start

    def now(self) -> Instant:
        return self._now

    def reach(self, at: Instant) -> None:
        self._now = max(self._now, at)


def to_datetime(at: Instant) -> datetime:
    return datetime.fromtimestamp(at / 1000, UTC)


def to_datetime_if_any(at: Instant | None) -> datetime | None:
    return None if at is None else to_datetime(at)
