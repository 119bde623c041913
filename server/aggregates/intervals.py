"""The hours, days and weeks of a span, also those in which nothing happened."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from server.clock import Instant
from server.errors import BadInput

from .ask import Span
from .calendar import HOUR as LENGTH
from .calendar import hour_of, start_of
from .series import HOUR, WEEK

MOST = 3_000
"""Intervals of one series."""


def intervals(span: Span, interval: str, earliest: Instant | None, now: Instant) -> list[Instant]:
    """When each interval of a span begins, up to now. Without a beginning it begins with the earliest."""
    since = earliest if span.first is None else start_of(span.first, span.zone)
    until = now + 1 if span.until is None else min(now + 1, start_of(span.until, span.zone))
    if since is None:
        return []
    found: list[Instant] = []
    for at in _beginnings(since, until, interval, span.zone):
        found.append(at)
        check_length(len(found))
    return found


def check_length(points: int) -> None:
    """Raises BadInput for a series that nobody can look at, and that takes seconds to make."""
    if points > MOST:
        raise BadInput(
            f"A series has at most {MOST:,} points; ask for longer intervals, for a shorter period, "
            "or without `fill`."
        )


def _beginnings(since: Instant, until: Instant, interval: str, zone: str) -> Iterator[Instant]:
    return _hours(since, until, zone) if interval == HOUR else _days(since, until, interval, zone)


def _hours(since: Instant, until: Instant, zone: str) -> Iterator[Instant]:
    at = hour_of(since, zone)
    while at < until:
        yield at
        # Where clocks change by half an hour, hours begin at another minute from then on.
        at = max(hour_of(at + LENGTH, zone), at + LENGTH // 2)


def _days(since: Instant, until: Instant, interval: str, zone: str) -> Iterator[Instant]:
    day: date = datetime.fromtimestamp(since / 1000, ZoneInfo(zone)).date()
    if interval == WEEK:
        day -= timedelta(days=day.weekday())
    step = timedelta(days=7 if interval == WEEK else 1)
    while (at := start_of(day, zone)) < until:
        yield at
        day += step
