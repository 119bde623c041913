"""Ranges of the clock and weekdays, as people write them: 21:00 to 08:00, on Saturdays and Sundays."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, time
from typing import NamedTuple

from .local_time import ONE_DAY, Weekday, day_of, instant_of, last_instant_of, weekday_of
from .moment import Instant
from .reading import Reader

ALL_WEEK = frozenset(Weekday)
MIDNIGHT = time()
END_OF_DAY = "24:00"
_CLOCK = re.compile(r"([01]\d|2[0-3]):([0-5]\d)", re.ASCII)


class Stretch(NamedTuple):
    """A piece of time; its end is not part of it."""

    start: Instant
    end: Instant


@dataclass(frozen=True, slots=True)
class Hours:
    """From one clock time until another, on the next day if that is not later."""

    start: time
    end: time

    @property
    def ends_on_next_day(self) -> bool:
        return self.end <= self.start

    def on(self, day: date, zone: str) -> Stretch:
        """The hours that begin on this day."""
        return Stretch(instant_of(day, self.start, zone), instant_of(self._last_day(day), self.end, zone))

    def widest_on(self, day: date, zone: str) -> Stretch:
        """As `on`, but up to the last time that the clock shows the end."""
        end = last_instant_of(self._last_day(day), self.end, zone)
        return Stretch(instant_of(day, self.start, zone), end)

    def _last_day(self, day: date) -> date:
        return day + ONE_DAY if self.ends_on_next_day else day


WHOLE_DAY = Hours(MIDNIGHT, MIDNIGHT)


@dataclass(frozen=True, slots=True)
class Window:
    """Hours on some days of the week. What goes over midnight belongs to the day on which it begins."""

    weekdays: frozenset[Weekday]
    hours: Hours

    def starting_on(self, day: date, zone: str) -> Stretch | None:
        return self.hours.on(day, zone) if weekday_of(day) in self.weekdays else None


def next_within(at: Instant, windows: tuple[Window, ...], zone: str) -> Instant:
    """Now if any of the windows is open, else when the next one opens."""
    today = day_of(at, zone)
    # From yesterday, for what goes over midnight; two weeks, should a clock change swallow a window.
    days = (today + offset * ONE_DAY for offset in range(-1, 15))
    starting = (_still_to_end(at, windows, day, zone) for day in days)
    return max(at, min(next(starts for starts in starting if starts)))


def _still_to_end(at: Instant, windows: tuple[Window, ...], day: date, zone: str) -> list[Instant]:
    """When the windows of this day begin that are not over."""
    found = (window.starting_on(day, zone) for window in windows)
    return [one.start for one in found if one is not None and at < one.end and one.start < one.end]


_MINUTES_OF_DAY = 24 * 60
MINUTES_OF_WEEK = (1 << 7 * _MINUTES_OF_DAY) - 1
"""Every minute of a week, a bit each."""


def minutes_of_week(hours: Hours, weekdays: Iterable[Weekday]) -> int:
    """The minutes of a week in these hours of these days, as the clock counts them."""
    start, end = (one.hour * 60 + one.minute for one in (hours.start, hours.end))
    length = end - start + _MINUTES_OF_DAY * hours.ends_on_next_day
    found = 0
    for weekday in weekdays:
        found |= ((1 << length) - 1) << list(Weekday).index(weekday) * _MINUTES_OF_DAY + start
    # What goes over the end of Sunday goes on on Monday.
    return (found | found >> 7 * _MINUTES_OF_DAY) & MINUTES_OF_WEEK


def read_clock(reader: Reader, key: str, *, required: bool = True) -> time | None:
    """A time of day as HH:MM."""
    text = reader.text(key, required=required, longest=5)
    return _clock_in(text, reader, key) if text else None


def read_hours(reader: Reader) -> Hours:
    """`from` and `until`; until 24:00 is until the day is over."""
    start = read_clock(reader, "from") or MIDNIGHT
    text = reader.text("until", longest=5)
    end = _clock_in(text, reader, "until") if text and text != END_OF_DAY else MIDNIGHT
    if text and start == end and text != END_OF_DAY:
        reader.refuse("until", "`from` and `until` are the same; 00:00 to 24:00 is the whole day")
    return Hours(start, end or MIDNIGHT)


def read_weekdays(reader: Reader, key: str, *, least: int = 1, most: int = 7) -> frozenset[Weekday]:
    """A list of weekdays; where it may be left out, none."""
    found = reader.value(key, required=least > 0)
    if found is None:
        return frozenset()
    if not isinstance(found, list) or not all(isinstance(one, str) and one in ALL_WEEK for one in found):
        reader.refuse(key, f"`{key}` must be a list of weekdays: {', '.join(Weekday)}")
        return frozenset()
    days = frozenset(map(Weekday, found))
    if not least <= len(days) <= most:
        wanted = f"{least} to {most}"
        reader.refuse(key, f"`{key}` may hold {wanted} weekdays, found {len(days)}", "out_of_range")
    return days


def read_windows(reader: Reader, key: str) -> tuple[Window, ...]:
    """1 to 20 windows; one without weekdays is open on all of them."""
    return tuple(
        Window(read_weekdays(item, "weekdays", least=0) or ALL_WEEK, read_hours(item))
        for item in reader.items(key, least=1, most=20)
    )


def _clock_in(text: str, reader: Reader, key: str) -> time | None:
    parts = _CLOCK.fullmatch(text)
    if parts is None:
        reader.refuse(key, f"`{key}` must be a time of day from 00:00 to 23:59, found {text[:40]!r}")
        return None
    return time(int(parts[1]), int(parts[2]))
