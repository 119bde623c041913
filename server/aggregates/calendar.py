"""Hours and days of a project.

An hour begins where the project's zone begins it, so that every day is a whole number of hours even in
a zone that lies half an hour off; it is stored as the instant at which it began.
"""

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from server.clock import DAY, HOUR, MINUTE, Instant

HAPPENED, ENTERED = 0, 1
"""The clocks: a count falls into the time at which it happened, or at which its run had entered."""
ALL_TIME = 0
LAST_MONTH = 999_912
"""Spans beyond, up to hours, are days."""
FIRST_HOUR = 1_000_000_000
"""Spans beyond are hours: no day or month is written with so many digits, and no hour of ours is so early."""
_DAWN = 946_728_000_000
"""Since when the year is 2000 everywhere. What is told of an earlier time (by a device without a clock, by a
provider that says 0) is counted here, so that every period without a beginning has it, as all time does."""
QUARTER = 15 * MINUTE
"""No zone's days or hours begin in the middle of a quarter of an hour."""


_FIRST_DAY, _LAST_DAY = date(2, 1, 1), date(9998, 12, 31)
"""The calendar of a zone ends a day before that of UTC, or begins a day after it."""


def hour_of(at: Instant, zone: str) -> Instant:
    return _places(max(at, _DAWN) // QUARTER, zone)[0]


def day_of(at: Instant, zone: str) -> int:
    """20240313 for the 13th of March 2024 in that zone."""
    return _places(max(at, _DAWN) // QUARTER, zone)[1]


@lru_cache(maxsize=65_536)
def _places(quarter: int, zone: str) -> tuple[Instant, int]:
    at = quarter * QUARTER
    local = datetime.fromtimestamp(at / 1000, ZoneInfo(zone))
    offset = int((local.utcoffset() or timedelta()).total_seconds() * 1000) % HOUR
    hour = (at + offset) // HOUR * HOUR - offset
    return hour, local.year * 10_000 + local.month * 100 + local.day


def month_of(day: int) -> int:
    return day // 100


def spans(day: int, entered: int) -> tuple[tuple[int, int], ...]:
    """The clocks and spans into which falls what happened on a day, in a run that entered on a day."""
    return (
        (HAPPENED, day),
        (HAPPENED, month_of(day)),
        (HAPPENED, ALL_TIME),
        (ENTERED, entered),
        (ENTERED, month_of(entered)),
    )


def spans_of_hours(hour: Instant, entered: Instant, zone: str) -> tuple[tuple[int, int], ...]:
    """The clocks and spans into which a count falls, by the hours of both clocks."""
    return ((HAPPENED, hour), (ENTERED, entered), *spans(day_of(hour, zone), day_of(entered, zone)))


def start_of(day: date, zone: str) -> Instant:
    """The instant at which this day begins in that zone, also where midnight is skipped or repeated."""
    day = min(max(day, _FIRST_DAY), _LAST_DAY)
    midnight = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone))
    # Through UTC and back: a midnight that a clock change skips lands on the first instant that exists.
    return int(midnight.astimezone(UTC).timestamp() * 1000)


def covering(first: date, last: date) -> list[int]:
    """The fewest stored days and months whose union is the days from `first` up to, not including, `last`."""
    found: list[int] = []
    day = first
    while day < last:
        following = (day.replace(day=1) + timedelta(days=32)).replace(day=1)
        if day.day == 1 and following <= last:
            found.append(day.year * 100 + day.month)
            day = following
        else:
            found.append(day.year * 10_000 + day.month * 100 + day.day)
            day += timedelta(days=1)
    return found


def counting(first: date, last: date, today: date) -> tuple[list[int], list[int]]:
    """What to add and what to take away for the sum of the days from `first` up to, not including, `last`.

    Nearly a whole month is the month less a few days; days that are still to come hold next to nothing.
    """
    added: list[int] = []
    taken: list[int] = []
    days: dict[int, list[int]] = {}
    for span in covering(first, last):
        if span <= LAST_MONTH:
            added.append(span)
        else:
            days.setdefault(month_of(span), []).append(span)
    for month, inside in days.items():
        outside = [day for day in _days_of(month) if day not in inside]
        if sum(day <= _code(today) for day in outside) < len(inside):
            added.append(month)
            taken += outside
        else:
            added += inside
    return added, taken


def _days_of(month: int) -> list[int]:
    begins = date(month // 100, month % 100, 1)
    ends = (begins + timedelta(days=32)).replace(day=1)
    return [month * 100 + day for day in range(1, (ends - begins).days + 1)]


def _code(day: date) -> int:
    return day.year * 10_000 + day.month * 100 + day.day


__all__ = [
    "ALL_TIME",
    "DAY",
    "ENTERED",
    "FIRST_HOUR",
    "HAPPENED",
    "HOUR",
    "LAST_MONTH",
    "QUARTER",
    "counting",
    "covering",
    "day_of",
    "hour_of",
    "month_of",
    "spans",
    "spans_of_hours",
    "start_of",
]
