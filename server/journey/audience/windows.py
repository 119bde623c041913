"""In which time something has to have happened.

Everything that a window says holds together. Durations are counted back from the moment of asking; days are
the project's. Whatever it says, nothing counts that happened after that moment.
"""

from dataclasses import dataclass
from datetime import date, time
from functools import lru_cache
from typing import NamedTuple

from ..conditions import LONGEST_BACK
from ..local_time import ONE_DAY, day_of, instant_of
from ..moment import Instant
from ..reading import Reader

MOST_DAYS = 3660
_EARLIEST, _LATEST = date(1970, 1, 2), date(2999, 12, 31)
_MIDNIGHT = time()


class Bounds(NamedTuple):
    """From one instant up to another, both part of it."""

    since: Instant
    until: Instant

    def hold(self, at: Instant) -> bool:
        return self.since <= at <= self.until


@dataclass(frozen=True, slots=True)
class Window:
    within_ms: int | None = None
    """So long before the moment."""
    before_ms: int | None = None
    """Longer before the moment than that."""
    last_days: int | None = None
    """On the last so many days, today among them."""
    before_last_days: int | None = None
    """Before the last so many days."""
    since: date | None = None
    """On this day or later."""
    until: date | None = None
    """Before this day."""

    def bounds(self, at: Instant, zone: str) -> Bounds:
        return _bounds(self, at, zone)

    @property
    def has_start(self) -> bool:
        return (self.within_ms, self.last_days, self.since) != (None, None, None)


EVER = Window()


@lru_cache(maxsize=4096)
def _bounds(window: Window, at: Instant, zone: str) -> Bounds:
    since, until = [0], [at]
    if window.within_ms is not None:
        since.append(at - window.within_ms + 1)
    if window.before_ms is not None:
        until.append(at - window.before_ms)
    if window.last_days is not None:
        since.append(_days_ago(at, window.last_days - 1, zone))
    if window.before_last_days is not None:
        until.append(_days_ago(at, window.before_last_days - 1, zone) - 1)
    if window.since is not None:
        since.append(_start_of(window.since, zone))
    if window.until is not None:
        until.append(_start_of(window.until, zone) - 1)
    return Bounds(max(since), min(until))


def _days_ago(at: Instant, days: int, zone: str) -> Instant:
    return _start_of(day_of(at, zone) - days * ONE_DAY, zone)


def _start_of(day: date, zone: str) -> Instant:
    return instant_of(day, _MIDNIGHT, zone)


def read_window(reader: Reader) -> Window:
    """The window at this place: its member `window`, if there is one."""
    inside = reader.within("window")
    if inside is None:
        return EVER
    found = Window(
        _length(inside, "within_ms"),
        _length(inside, "before_ms"),
        _days(inside, "last_days"),
        _days(inside, "before_last_days"),
        _date(inside, "since"),
        _date(inside, "until"),
    )
    if found.since and found.until and found.since >= found.until:
        inside.refuse("until", f"It must be later than {found.since}, found {found.until}", "out_of_range")
    _refuse_empty(inside, found.within_ms, found.before_ms, "before_ms")
    _refuse_empty(inside, found.last_days, found.before_last_days, "before_last_days")
    return found


def _refuse_empty(reader: Reader, most: int | None, least: int | None, key: str) -> None:
    if most is not None and least is not None and least >= most:
        reader.refuse(key, "It leaves no time: it must be less than how far the window goes back")


def _length(reader: Reader, key: str) -> int | None:
    return reader.duration(key, least=1000, most=LONGEST_BACK, required=False) or None


def _days(reader: Reader, key: str) -> int | None:
    return reader.number(key, least=1, most=MOST_DAYS, required=False) or None


def _date(reader: Reader, key: str) -> date | None:
    text = reader.text(key, required=False, longest=10)
    if not text:
        return None
    try:
        found = date.fromisoformat(text)
    except ValueError:
        reader.refuse(key, f"A day is written as YYYY-MM-DD, found {text!r}")
        return None
    if not _EARLIEST <= found <= _LATEST:
        reader.refuse(key, f"It must lie between {_EARLIEST} and {_LATEST}, found {text}", "out_of_range")
        return None
    return found
