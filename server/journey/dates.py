"""Dates that customers keep in attributes and properties, in whatever form they keep them.

What stands without a zone is meant in the person's zone. What cannot be read says why, and is never
guessed at: a wrong day is worse than none.
"""

import re
from calendar import isleap
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any, NamedTuple

from .local_time import ONE_DAY, instant_of, local_of
from .moment import Instant

FIRST_YEAR, LAST_YEAR = 1900, 2199
"""What lies outside stands for `never` or `unknown` in somebody's database."""

_SECONDS_UP_TO = 10_000_000_000
"""Whole numbers from here on are milliseconds: these are April 1970, as seconds they are the year 2286."""
_NO_DATE_UP_TO = 10_000_000
"""Numbers this small count something else."""
_YEAR_FIRST = re.compile(
    r"(\d{4})\s?[-/.]\s?(\d{1,2})\s?[-/.]\s?(\d{1,2})(?!\d)\.?(?:T|\s|$)\s?(.*)", re.ASCII
)
"""2024-03-13, 2024/3/13, 2024. 3. 13. with or without a time of day."""
_BY_DIGITS = re.compile(r"(\d{4})(\d\d)(\d\d)(?:(\d\d)(\d\d)(\d\d))?", re.ASCII)
_BEFORE_OFFSET = re.compile(r"\s+(?=[-+Z])")
_WITHOUT_YEAR = re.compile(r"(?:--)?(\d{2})-?(\d{2})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Unreadable:
    """There is no date in the value, and why."""

    why: str


class Found(NamedTuple):
    """A date as it is in the person's zone; `clock` is None if the value tells no time of day."""

    day: date
    clock: time | None


class Yearly(NamedTuple):
    """A day of every year."""

    month: int
    day: int

    def in_year(self, year: int) -> date:
        """Who was born on the 29th of February has the 28th in the other years."""
        day = 28 if (self.month, self.day) == (2, 29) and not isleap(year) else self.day
        return date(year, self.month, day)


def find_date(value: Any, zone: str) -> Found | Unreadable:
    """The date in a value: an ISO date or date-time, or seconds or milliseconds since 1970."""
    if value is None or value == "":
        return Unreadable("there is no value")
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return Unreadable(f"{_shown(value)} is not a date")
    if not isinstance(value, str):
        return _in_number(value, zone)
    text = value.strip()
    return _in_number(int(text), zone) if _is_whole(text) else _in_text(text, zone)


def find_yearly(value: Any, zone: str) -> Yearly | Unreadable:
    """The day of the year in a value: a date as `find_date` reads it, or one without a year (03-13)."""
    short = _WITHOUT_YEAR.fullmatch(value.strip()) if isinstance(value, str) else None
    if short is not None:
        # 2024 is a leap year: it has every day that a year can have.
        return _yearly(_in_text(f"2024-{short[1]}-{short[2]}", zone))
    return _yearly(find_date(value, zone))


def instant_near(found: Found, days: int, clock: time | None, zone: str) -> Instant:
    """So many days after the date, before it if negative, at this clock time, else at the date's own."""
    return instant_of(found.day + days * ONE_DAY, clock or found.clock or time(), zone)


def next_anniversary(at: Instant, yearly: Yearly, days: int, clock: time, zone: str) -> Instant:
    """The next time that it is so many days after this day of the year, or before it; never now."""
    year = (local_of(at, zone).date() - days * ONE_DAY).year
    candidates = (yearly.in_year(year + n) + days * ONE_DAY for n in (-1, 0, 1, 2))
    return next(found for day in candidates if (found := instant_of(day, clock, zone)) > at)


def _yearly(found: Found | Unreadable) -> Yearly | Unreadable:
    return found if isinstance(found, Unreadable) else Yearly(found.day.month, found.day.day)


def _is_whole(text: str) -> bool:
    return text.isascii() and text.removeprefix("-").isdecimal() and len(text) < 20


def _in_number(number: int | float, zone: str) -> Found | Unreadable:
    named = _BY_DIGITS.fullmatch(str(number))
    if named is not None and FIRST_YEAR <= int(named[1]) <= LAST_YEAR:
        # 20240313 is the 13th of March 2024, and not a day in August 1970.
        clock = ":".join(named.groups()[3:]) if named[4] else ""
        return _of_parts(named[1], named[2], named[3], clock, str(number), zone)
    if not _NO_DATE_UP_TO <= abs(number) < _SECONDS_UP_TO * 1000:
        return Unreadable(f"{_shown(number)} is not a time since 1970")
    local = local_of(int(number if abs(number) >= _SECONDS_UP_TO else number * 1000), zone)
    return _in_range(Found(local.date(), local.time()), number)


def _in_text(text: str, zone: str) -> Found | Unreadable:
    parts = _YEAR_FIRST.fullmatch(text)
    if parts is None:
        return Unreadable(f"{_shown(text)} is not a date")
    clock = _BEFORE_OFFSET.sub("", parts[4] or "")
    return _of_parts(parts[1], parts[2], parts[3], clock, text, zone)


def _of_parts(year: str, month: str, day: str, clock: str, text: str, zone: str) -> Found | Unreadable:
    try:
        found = _with_clock(date(int(year), int(month), int(day)), clock, zone)
    except (ValueError, OverflowError):
        return Unreadable(f"{_shown(text)} is no day of the calendar, or no time of day")
    return _in_range(found, text)


def _with_clock(day: date, clock: str, zone: str) -> Found:
    if not clock:
        return Found(day, None)
    shown = datetime.combine(day, time.fromisoformat(clock))
    if shown.tzinfo is None:
        return Found(day, shown.time())
    local = local_of(int(shown.timestamp() * 1000), zone)
    return Found(local.date(), local.time())


def _in_range(found: Found, value: Any) -> Found | Unreadable:
    if FIRST_YEAR <= found.day.year <= LAST_YEAR:
        return found
    return Unreadable(f"{_shown(value)} lies outside the years {FIRST_YEAR} to {LAST_YEAR}")


def _shown(value: Any) -> str:
    """Enough of it to recognise it by; it may be anything, and as long as it likes."""
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "a list"
    return repr(value[:40]) if isinstance(value, str) else repr(value)[:40]
