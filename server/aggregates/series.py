"""Series of hours, days or weeks."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from server.clock import Instant

from .ask import DAYS, HOURS, SpanCount
from .calendar import start_of

HOUR, DAY, WEEK = "hour", "day", "week"
MADE_OF = {HOUR: HOURS, DAY: DAYS, WEEK: DAYS}
"""By interval: what has to be asked for."""


def series(counts: Iterable[SpanCount], interval: str, zone: str) -> list[tuple[Instant, int, int]]:
    """Beginning, count and amount of every interval in which something happened, the earliest first."""
    found: defaultdict[Instant, list[int]] = defaultdict(lambda: [0, 0])
    for count in counts:
        point = found[_monday(count.at, zone) if interval == WEEK else count.at]
        point[0] += count.n
        point[1] += count.amount
    return [(at, n, amount) for at, (n, amount) in sorted(found.items()) if n or amount]


def _monday(at: Instant, zone: str) -> Instant:
    day: date = datetime.fromtimestamp(at / 1000, ZoneInfo(zone)).date()
    return start_of(day - timedelta(days=day.weekday()), zone)
