"""Where days, weeks and hours of a zone begin: found on the clock on the wall, not by arithmetic."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

DAY = 86_400_000


def on_the_wall(at: int, zone: str) -> datetime:
    return datetime.fromtimestamp(at / 1000, ZoneInfo(zone))


def beginning_of(day: date, zone: str) -> int:
    """The first instant at which the calendar on the wall says this day."""
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=ZoneInfo("UTC"))
    low, high = int(noon.timestamp() * 1000) - 2 * DAY, int(noon.timestamp() * 1000) + 2 * DAY
    while high - low > 1:
        middle = (low + high) // 2
        if on_the_wall(middle, zone).date() < day:
            low = middle
        else:
            high = middle
    return high


def hour(at: int, zone: str) -> int:
    wall = on_the_wall(at, zone)
    return at - at % 1000 - 1000 * (60 * wall.minute + wall.second)


def day(at: int, zone: str) -> int:
    return beginning_of(on_the_wall(at, zone).date(), zone)


def week(at: int, zone: str) -> int:
    today = on_the_wall(at, zone).date()
    return beginning_of(today - timedelta(days=today.weekday()), zone)


BEGINNINGS: dict[str, Callable[[int, str], int]] = {"HOUR": hour, "DAY": day, "WEEK": week}
