"""Which days a question is about, in the project's zone: half-open, the last day is not part of it."""

from dataclasses import dataclass
from datetime import date, timedelta

from server.aggregates.ask import Span
from server.aggregates.calendar import day_of
from server.context import Context
from server.errors import BadInput


@dataclass(frozen=True, slots=True)
class Period:
    preset: str | None
    span: Span


EARLIEST, LATEST = date(2000, 1, 1), date(2200, 1, 1)

_DAYS = {
    "today": (0, 1),
    "yesterday": (1, 0),
    "last_7_days": (6, 1),
    "last_30_days": (29, 1),
    "last_90_days": (89, 1),
}
"""By preset: how many days before today it begins, and how many after the beginning of today it ends."""


async def period(context: Context, preset: str | None, first: date | None, until: date | None) -> Period:
    """The days of a preset, or between two days; everything by default."""
    zone = (await context.loaders.project_by_id.load(context.project_id)).time_zone
    if preset is not None and (first is not None or until is not None):
        raise BadInput("Give a `preset`, or `from` and `until`, not both.")
    if preset is not None and preset != "all":
        return Period(preset, Span(zone, *days_of(preset, _today(context, zone))))
    for day in (first, until):
        if day is not None and not EARLIEST <= day <= LATEST:
            raise BadInput(f"Days lie between {EARLIEST} and {LATEST}, found {day}.")
    if first is not None and until is not None and until <= first:
        raise BadInput(
            f"`until` must lie after `from` ({first}); it is not part of the period. Found {until}."
        )
    return Period("all" if first is None and until is None else None, Span(zone, first, until))


def days_of(preset: str, today: date) -> tuple[date, date]:
    """The first day of a preset, and the day after its last."""
    tomorrow = today + timedelta(days=1)
    monday, first = today - timedelta(days=today.weekday()), today.replace(day=1)
    if preset == "this_week":
        return monday, tomorrow
    if preset == "last_week":
        return monday - timedelta(days=7), monday
    if preset == "this_month":
        return first, tomorrow
    if preset == "last_month":
        return (first - timedelta(days=1)).replace(day=1), first
    before, after = _DAYS[preset]
    return today - timedelta(days=before), today + timedelta(days=after)


def _today(context: Context, zone: str) -> date:
    day = day_of(context.clock.now(), zone)
    return date(day // 10_000, day // 100 % 100, day % 100)
