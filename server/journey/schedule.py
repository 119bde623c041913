"""Plans of what happens at once, at a time, or again and again, in whatever zone one asks for.

A `Schedule` says on which days of the calendar something happens, and at which clock time. It knows no
zone: whoever asks brings one, the project's or a person's, so that one plan serves both.

- `schedule.days(since)`: the days from that day on, in order; for ever, if nothing ends them.
- `schedule.occurrences(after, zone)`: each day with its instant in that zone, strictly later than `after`.
- `schedule.next_after(after, zone)`: the instant of the first of them, or None if there is none to come.
- `schedule.at_on(day, zone)`: the instant of that day, also if it has passed.
- `schedule.is_at_once`: it happens once, when it is set going; it has no days.

Days that a zone does not have, and clock times that it skips or has twice, follow `local_time`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, time
from itertools import count, takewhile
from typing import NamedTuple

from .hours import MIDNIGHT, read_clock, read_weekdays
from .local_time import ONE_DAY, Weekday, day_of, exists, instant_of, weekday_of
from .moment import Instant
from .reading import Reader

AT_ONCE, ONCE, DATES = "at_once", "once", "dates"
EVERY_DAYS, EVERY_WEEKS = "every_days", "every_weeks"
KINDS = (AT_ONCE, ONCE, DATES, EVERY_DAYS, EVERY_WEEKS)
MOST_DATES = 366
FIRST_DAY, LAST_DAY = date(2000, 1, 1), date(2199, 12, 31)
WEEK = 7 * ONE_DAY


class Occurrence(NamedTuple):
    """One time that it happens. In every zone the day is the same, and the instant is another."""

    day: date
    at: Instant


@dataclass(frozen=True, slots=True)
class Schedule:
    kind: str = AT_ONCE
    clock: time = MIDNIGHT
    dates: tuple[date, ...] = ()
    """Of `once` the one day, of `dates` all, in order."""
    every: int = 1
    """So many days or weeks from one to the next."""
    weekdays: frozenset[Weekday] = frozenset()
    """Of `every_weeks`, in each of its weeks; the first is the week in which `start` lies."""
    start: date = FIRST_DAY
    until: date | None = None
    """The last day on which it may happen."""

    @property
    def is_at_once(self) -> bool:
        return self.kind == AT_ONCE

    def days(self, since: date) -> Iterator[date]:
        if self.kind in (ONCE, DATES):
            return (day for day in self.dates if day >= since)
        if self.kind == AT_ONCE:
            return iter(())
        first = max(since, self.start)
        days = self._weekly(first) if self.kind == EVERY_WEEKS else self._daily(first)
        return takewhile(self._may_be, days)

    def occurrences(self, after: Instant, zone: str) -> Iterator[Occurrence]:
        # A day before: where clocks have gone back over midnight, today's date has been here already.
        for day in self.days(day_of(after, zone) - ONE_DAY):
            at = self.at_on(day, zone)
            if at > after and exists(day, zone):
                yield Occurrence(day, at)

    def next_after(self, after: Instant, zone: str) -> Instant | None:
        found = next(self.occurrences(after, zone), None)
        return found.at if found else None

    def at_on(self, day: date, zone: str) -> Instant:
        return instant_of(day, self.clock, zone)

    def _may_be(self, day: date) -> bool:
        return day <= (self.until or LAST_DAY)

    def _daily(self, first: date) -> Iterator[date]:
        step = self.every * ONE_DAY
        begun = -((self.start - first) // step)
        return (self.start + n * step for n in count(begun))

    def _weekly(self, first: date) -> Iterator[date]:
        begun = self.start - self.start.weekday() * ONE_DAY
        step = self.every * WEEK
        for n in count((first - begun) // step):
            week = begun + n * step
            for day in (week + offset * ONE_DAY for offset in range(7)):
                if day >= first and weekday_of(day) in self.weekdays:
                    yield day


def read_schedule(reader: Reader) -> Schedule:
    """Its data: `kind`, and what that kind takes.

    - `at_once`: nothing.
    - `once`: `date`, `at`.
    - `dates`: `dates`, `at`.
    - `every_days`: `every` (1 to 366), `start`, `until` (or without end), `at`.
    - `every_weeks`: `every` (1 to 52), `weekdays`, `start`, `until` (or without end), `at`.
    """
    kind = reader.choice("kind", KINDS)
    if kind == AT_ONCE:
        return Schedule()
    clock = read_clock(reader, "at") or MIDNIGHT
    if kind == ONCE:
        day = read_day(reader, "date")
        return Schedule(kind, clock, (day,) if day else ())
    if kind == DATES:
        return Schedule(kind, clock, _read_dates(reader))
    return _read_recurring(reader, kind, clock)


def _read_recurring(reader: Reader, kind: str, clock: time) -> Schedule:
    start, until = read_day(reader, "start"), read_day(reader, "until", required=False)
    if start and until and until < start:
        reader.refuse("until", f"It would be over on {until}, before it begins on {start}", "out_of_range")
    return Schedule(
        kind,
        clock,
        every=reader.number("every", least=1, most=52 if kind == EVERY_WEEKS else 366, default=1),
        weekdays=read_weekdays(reader, "weekdays") if kind == EVERY_WEEKS else frozenset(),
        start=start or FIRST_DAY,
        until=until,
    )


def _read_dates(reader: Reader) -> tuple[date, ...]:
    found = reader.value("dates")
    if found is None:
        return ()
    if not isinstance(found, list) or not 0 < len(found) <= MOST_DATES:
        reader.refuse("dates", f"`dates` must be a list of 1 to {MOST_DATES} dates", "out_of_range")
        return ()
    days = [parse_day(one) for one in found]
    if None in days:
        reader.refuse("dates", f"`dates` must be dates such as 2026-12-24, found {found[days.index(None)]!r}")
    return tuple(sorted({day for day in days if day}))


def read_day(reader: Reader, key: str, *, required: bool = True) -> date | None:
    """A day of the calendar as YYYY-MM-DD."""
    text = reader.text(key, required=required, longest=10)
    day = parse_day(text)
    if text and day is None:
        wanted = f"from {FIRST_DAY} to {LAST_DAY}"
        reader.refuse(key, f"`{key}` must be a day {wanted}, as YYYY-MM-DD, found {text[:40]!r}")
    return day


def parse_day(text: object) -> date | None:
    if not isinstance(text, str) or len(text) != 10:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if FIRST_DAY <= day <= LAST_DAY else None
