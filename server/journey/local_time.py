"""Clock times, weekdays and calendar days in a zone, as instants.

One rule holds for every point in time that somebody names by what a clock shows: it happens at the first
instant at which the clock shows that time or a later one of that day. So a time that a clock change skips
happens when the clocks have changed, and a time that comes twice happens the first time.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache
from itertools import count
from typing import Any
from zoneinfo import ZoneInfo

from .moment import Instant

ONE_DAY = timedelta(days=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


class Weekday(StrEnum):
    """The days of a week, which begins on Monday."""

    MONDAY = "monday"
    TUESDAY = "tuesday"
    WEDNESDAY = "wednesday"
    THURSDAY = "thursday"
    FRIDAY = "friday"
    SATURDAY = "saturday"
    SUNDAY = "sunday"


_WEEK = tuple(Weekday)

zone_named = lru_cache(maxsize=1024)(ZoneInfo)
"""Keeps its zones: the library's own cache holds eight, and then reads its files again."""

TIME_ZONE = "timezone"
"""The attribute that holds a person's time zone, by its IANA name."""
_LONGEST_NAME = 64


def zone_of_person(attributes: Mapping[str, Any], otherwise: str) -> str:
    """The person's own time zone if it is known and there is such a zone."""
    found = attributes.get(TIME_ZONE)
    return found if isinstance(found, str) and is_zone(found) else otherwise


@lru_cache(maxsize=4096)
def is_zone(name: str) -> bool:
    if len(name) > _LONGEST_NAME:
        return False
    try:
        zone_named(name)
    except (KeyError, ValueError, OSError):
        # Not found, no name at all, or a folder: what people send is not always a zone.
        return False
    return True


def instant_of(day: date, clock: time, zone: str) -> Instant:
    """When the clocks of the zone show this time on this day; see the rule above."""
    local = datetime.combine(day, clock, zone_named(zone))
    at = local.astimezone(UTC)
    if at.astimezone(local.tzinfo).replace(tzinfo=None) != local.replace(tzinfo=None):
        at = _end_of_gap(local)
    return _to_instant(at)


def last_instant_of(day: date, clock: time, zone: str) -> Instant:
    """As `instant_of`, but the second time where it comes twice."""
    local = datetime.combine(day, clock, zone_named(zone)).replace(fold=1)
    return max(instant_of(day, clock, zone), _to_instant(local.astimezone(UTC)))


def _end_of_gap(local: datetime) -> datetime:
    """The first instant after the clock change that skips this time, to the second."""
    # By the old offset it lies behind the change, by the new one before it.
    late, early = local.astimezone(UTC), local.replace(fold=1).astimezone(UTC)
    shown = local.replace(tzinfo=None)
    while late - early > timedelta(seconds=1):
        middle = early + (late - early) // timedelta(seconds=2) * timedelta(seconds=1)
        if middle.astimezone(local.tzinfo).replace(tzinfo=None) < shown:
            early = middle
        else:
            late = middle
    return late


def _to_instant(at: datetime) -> Instant:
    return (at - _EPOCH) // _MILLISECOND


def local_of(at: Instant, zone: str) -> datetime:
    """What a calendar and a clock in the zone show at this instant. It carries no zone itself."""
    moment = _EPOCH + at * _MILLISECOND
    return moment.astimezone(zone_named(zone)).replace(tzinfo=None)


def day_of(at: Instant, zone: str) -> date:
    return local_of(at, zone).date()


def exists(day: date, zone: str) -> bool:
    """Whether the zone has this day at all: Samoa left one out when it moved across the date line."""
    return day_of(instant_of(day, time(), zone), zone) == day


def weekday_of(day: date) -> Weekday:
    return _WEEK[day.weekday()]


def today_at(at: Instant, clock: time, zone: str) -> Instant:
    """This clock time on the day that it is now, whether it is still to come or has passed."""
    return instant_of(day_of(at, zone), clock, zone)


def next_at(at: Instant, clock: time, zone: str) -> Instant:
    """The next time that the clock shows this, today or tomorrow; never now."""
    return next(instants_after(at, days_from(day_of(at, zone)), clock, zone))


def next_weekday_at(at: Instant, weekdays: Iterable[Weekday], clock: time, zone: str) -> Instant:
    """The next such time on one of these weekdays, today if it is still to come; never now."""
    wanted = frozenset(weekdays)
    days = (day for day in days_from(day_of(at, zone)) if weekday_of(day) in wanted)
    return next(instants_after(at, days, clock, zone))


def days_from(day: date) -> Iterator[date]:
    """This day and all that follow."""
    return (day + n * ONE_DAY for n in count())


def instants_after(at: Instant, days: Iterable[date], clock: time, zone: str) -> Iterator[Instant]:
    """This clock time on each of the days that the zone has, as far as it is later than `at`."""
    for day in days:
        found = instant_of(day, clock, zone)
        if found > at and exists(day, zone):
            yield found
