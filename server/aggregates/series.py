"""Series of hours, days or weeks from hourly counts."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from server.clock import Instant

from .ask import HourCount
from .calendar import start_of

HOUR, DAY, WEEK = "hour", "day", "week"


def series(counts: Iterable[HourCount], interval: str, zone: str) -> list[tuple[Instant, int, int]]:
    """Beginning, count and amount of every interval in which something happened, the earliest first."""
    found: defaultdict[Instant, list[int]] = defaultdict(lambda: [0, 0])
    for count in counts:
        point = found[_beginning(count.hour, interval, zone)]
        point[0] += count.n
        point[1] += count.amount
    return [(at, n, amount) for at, (n, amount) in sorted(found.items()) if n or amount]


def _beginning(hour: Instant, interval: str, zone: str) -> Instant:
    if interval == HOUR:
        return hour
    day: date = datetime.fromtimestamp(hour / 1000, ZoneInfo(zone)).date()
    return start_of(day - timedelta(days=day.weekday() if interval == WEEK else 0), zone)
