"""Periods of the calendar: days, weeks and months of a project's zone, counted from the first base date."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import NamedTuple

from server.aggregates.calendar import day_of, start_of
from server.clock import Instant
from server.errors import BadInput

from .definition import MOST_DAYS_BACK, Days, Definition
from .words import Granularity, Mode


class Bucket(NamedTuple):
    """Days from `first` up to, not including, `until`."""

    first: date
    until: date

    @property
    def days(self) -> list[date]:
        return [self.first + timedelta(days=n) for n in range((self.until - self.first).days)]


@dataclass(frozen=True, slots=True)
class Periods:
    """The base dates, and all periods from the first of them on that have begun."""

    zone: str
    granularity: Granularity
    week_start: int
    bases: Sequence[Bucket]
    reached: Sequence[Bucket]
    """As far as the watermark, or as any cell looks: the n-th period of a base date is n places after it."""

    def later(self, base: int, by: int) -> Bucket:
        """The period so many after a base date, whether or not it has begun."""
        place = base + by
        if place < len(self.reached):
            return self.reached[place]
        return shifted(self.bases[base], self.granularity, by)

    def ends(self, base: int, first: int, last: int) -> tuple[Instant, Instant]:
        """When these periods after a base date begin and end."""
        return (
            start_of(self.later(base, first).first, self.zone),
            start_of(self.later(base, last).until, self.zone),
        )


def periods(asked: Definition, zone: str, now: Instant, watermark: Instant) -> Periods:
    """Base dates are whole periods: half a week would be told as a weak one. Raises BadInput."""
    form = (asked.granularity, asked.week_start)
    first, last = base_days(asked.days, date_of(now, zone))
    begin = bucket_of(first, *form)
    reached = date_of(watermark - 1, zone)
    bases = _between(begin, asked.granularity, last)
    begun = _between(begin, asked.granularity, reached)
    if asked.mode is not Mode.ON_OR_AFTER:
        begun = begun[: len(bases) + max(one for _, one in asked.columns)]
    return Periods(zone, *form, bases, begun)


def base_days(days: Days, today: date) -> tuple[date, date]:
    """The first and the last base day. Raises BadInput for what lies too far back, or ahead."""
    if days.first is None or days.until is None:
        return today - timedelta(days=days.last - 1), today
    earliest = today - timedelta(days=MOST_DAYS_BACK)
    if not earliest <= days.first <= today:
        raise BadInput(f"Base dates begin between {earliest} and {today}; found {days.first}.")
    return days.first, min(days.until - timedelta(days=1), today)


def date_of(at: Instant, zone: str) -> date:
    day = day_of(at, zone)
    return date(day // 10_000, day // 100 % 100, day % 100)


def code_of(day: date) -> int:
    """As sets are kept by: 20240313."""
    return day.year * 10_000 + day.month * 100 + day.day


def bucket_of(day: date, granularity: Granularity, week_start: int) -> Bucket:
    """The period in which this day lies."""
    if granularity is Granularity.MONTH:
        return _month(day.year, day.month)
    if granularity is Granularity.WEEK:
        first = day - timedelta(days=(day.weekday() - week_start) % 7)
        return Bucket(first, first + timedelta(days=7))
    return Bucket(day, day + timedelta(days=1))


def shifted(bucket: Bucket, granularity: Granularity, by: int) -> Bucket:
    """The period so many after this one."""
    if granularity is Granularity.MONTH:
        months = bucket.first.year * 12 + bucket.first.month - 1 + by
        return _month(months // 12, months % 12 + 1)
    length = bucket.until - bucket.first
    return Bucket(bucket.first + by * length, bucket.until + by * length)


def _month(year: int, month: int) -> Bucket:
    first = date(year, month, 1)
    return Bucket(first, (first + timedelta(days=31)).replace(day=1))


def _between(begin: Bucket, granularity: Granularity, last: date) -> list[Bucket]:
    """This period and those after it, up to the one in which that day lies; none if that is before."""
    found: list[Bucket] = []
    following = begin
    while following.first <= last:
        found.append(following)
        following = shifted(following, granularity, 1)
    return found
