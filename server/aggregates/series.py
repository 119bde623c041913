"""Hours, days and weeks as the points of a series."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from server.clock import Instant

from .ask import DAYS, HOURS
from .calendar import start_of

HOUR, DAY, WEEK = "hour", "day", "week"
MADE_OF = {HOUR: HOURS, DAY: DAYS, WEEK: DAYS}
"""By interval: what has to be asked for."""


def beginning_of(at: Instant, interval: str, zone: str) -> Instant:
    """When the interval begins into which falls the hour or day that began at this instant."""
    if interval != WEEK:
        return at
    day: date = datetime.fromtimestamp(at / 1000, ZoneInfo(zone)).date()
    return start_of(day - timedelta(days=day.weekday()), zone)
