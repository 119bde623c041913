"""When an audience is let in: the times of an entry, one after the other, and when each is whose.

A launch is one time of an entry: a day of its schedule, or the one moment of an entry at once. Every person
of the audience has a moment of it. In the project's zone that is the same for all; in each person's own it
comes earlier in Seoul than in London, so a launch begins when the day's time comes to the first zone on
earth, and is over when it has come to the last.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import NamedTuple

from .local_time import ONE_DAY, day_of
from .moment import Instant
from .schedule import ONCE
from .steps.entry_audience import EntryAudience, IfPassed, LaunchZone

EARLIEST, LATEST = "Etc/GMT-14", "Etc/GMT+12"
"""The zones in which a day comes first and last. Their names count against the clock."""


class Launch(NamedTuple):
    """One time at which the audience is let in."""

    occurrence: int
    """Which: the day as the instant at which it begins in UTC, or the very instant of one at once."""
    due_at: Instant
    """Before which nobody's moment comes."""


def next_launch(
    entry: EntryAudience, planned_at: Instant, zone: str, last: int | None = None
) -> Launch | None:
    """The first launch of an entry that was set going at `planned_at`, or the first after the last one."""
    if entry.when.is_at_once:
        return Launch(planned_at, planned_at) if last is None else None
    for day in _days(entry, planned_at, zone, last):
        due_at = _due_at(entry, day, planned_at, zone)
        if due_at is not None:
            return Launch(_number_of(day), due_at)
    return None


def _days(entry: EntryAudience, planned_at: Instant, zone: str, last: int | None) -> Iterator[date]:
    """The days from today on, or after the last launch; a single day whenever it was."""
    west = LATEST if entry.zone is LaunchZone.PERSON else zone
    if last is not None:
        after = day_numbered(last) + ONE_DAY
        return entry.when.days(max(after, day_of(planned_at, west)))
    if entry.when.kind == ONCE:
        return iter(entry.when.dates)
    return entry.when.days(day_of(planned_at, west))


def _due_at(entry: EntryAudience, day: date, planned_at: Instant, zone: str) -> Instant | None:
    """When somebody's moment comes first; none if it has passed for everybody, and they are skipped."""
    if entry.zone is LaunchZone.PROJECT:
        return moment_of(entry, day, planned_at, zone)
    first, last = entry.when.at_on(day, EARLIEST), entry.when.at_on(day, LATEST)
    if last < planned_at and entry.if_passed is IfPassed.SKIP:
        return None
    return max(first, planned_at)


def concerns(entry: EntryAudience, day: date, planned_at: Instant, zone: str) -> bool:
    """Whether this day had not passed for people in this zone when the entry was set going.

    The one day of an entry that has only one concerns everybody, whenever it was.
    """
    return entry.when.kind == ONCE or day >= day_of(planned_at, zone)


def moment_of(entry: EntryAudience, day: date, planned_at: Instant, zone: str) -> Instant | None:
    """The moment of a person in this zone on a day of the schedule; none for whom it has passed."""
    at = entry.when.at_on(day, zone)
    if at >= planned_at:
        return at
    if entry.if_passed is IfPassed.AT_ONCE:
        return planned_at
    if entry.if_passed is IfPassed.SKIP:
        return None
    today = day_of(planned_at, zone)
    return next(
        moment
        for moment in (entry.when.at_on(one, zone) for one in (today, today + ONE_DAY, today + 2 * ONE_DAY))
        if moment >= planned_at
    )


def _number_of(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * 1000


def day_numbered(occurrence: int) -> date:
    return datetime.fromtimestamp(occurrence / 1000, UTC).date()
