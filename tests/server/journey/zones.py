"""Every zone of the tz database, on the days on which its clocks change; told without our own code."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from itertools import pairwise
from typing import NamedTuple
from zoneinfo import ZoneInfo, available_timezones

FIRST, LAST = datetime(2024, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)


class Change(NamedTuple):
    """A clock change: until `at` the clocks are `before` ahead of UTC, from then on `after`."""

    zone: str
    at: datetime
    before: timedelta
    after: timedelta

    def __str__(self) -> str:
        return f"{self.zone} {self.at:%Y-%m-%d}"

    def wall(self, at: datetime) -> datetime:
        """What the clock on the wall shows."""
        return at.replace(tzinfo=None) + (self.before if at < self.at else self.after)

    def minutes(self, days: int = 2) -> Iterator[datetime]:
        """Every minute around it."""
        return (self.at + n * MINUTE for n in range(-days * 1440, days * 1440 + 1))

    def first(self, day: date, clock: time) -> datetime:
        """The first instant at which the clock shows that time or a later one."""
        wanted = datetime.combine(day, clock)
        early, late = (wanted.replace(tzinfo=UTC) - offset for offset in (self.before, self.after))
        if early < self.at:
            return early
        return max(late, self.at)

    @property
    def days(self) -> list[date]:
        """Those that it concerns: the clock shows a time of them within a day of it."""
        first = self.wall(self.at - DAY).date()
        return [first + n * DAY for n in range(4)]


def ms(at: datetime) -> int:
    return round(at.timestamp() * 1000)


@cache
def changes() -> tuple[Change, ...]:
    """One zone of all that change their clocks alike."""
    alike = {changes_of(zone): zone for zone in sorted(available_timezones(), reverse=True)}
    return tuple(Change(zone, *change) for found, zone in sorted(alike.items()) for change in found)


@cache
def changes_of(zone: str) -> tuple[tuple[datetime, timedelta, timedelta], ...]:
    found = []
    days = [FIRST + n * DAY for n in range((LAST - FIRST).days)]
    offsets = [(day, _offset(day, zone)) for day in days]
    for (day, before), (following, after) in pairwise(offsets):
        if before != after:
            found.append((_moment(day, following, zone), before, after))
    return tuple(found)


def _offset(at: datetime, zone: str) -> timedelta:
    return at.astimezone(ZoneInfo(zone)).utcoffset() or timedelta()


def _moment(early: datetime, late: datetime, zone: str) -> datetime:
    """When between the two the clocks change, to the second."""
    before = _offset(early, zone)
    while late - early > timedelta(seconds=1):
        middle = early + timedelta(seconds=(late - early) // timedelta(seconds=2))
        if _offset(middle, zone) == before:
            early = middle
        else:
            late = middle
    return late
