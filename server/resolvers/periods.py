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

_DAYS = {"today": (0, 1), "yesterday": (1, 0), "last_7_days": (6, 1), "last_30_days": (29, 1)}
"""By preset: how many days before today it begins, and how many after the beginning of today it ends."""


async def period(context: Context, preset: str | None, first: date | None, until: date | None) -> Period:
    """The days of a preset, or between two days; everything by default."""
    zone = (await context.loaders.project_by_id.load(context.project_id)).time_zone
    if preset is not None and (first is not None or until is not None):
        raise BadInput("Give a `preset`, or `from` and `until`, not both.")
    if preset in _DAYS:
        today = _today(context, zone)
        before, after = _DAYS[preset]
        span = Span(zone, today - timedelta(days=before), today + timedelta(days=after))
        return Period(preset, span)
    for day in (first, until):
        if day is not None and not EARLIEST <= day <= LATEST:
            raise BadInput(f"Days lie between {EARLIEST} and {LATEST}, found {day}.")
    if first is not None and until is not None and until <= first:
        raise BadInput(
            f"`until` must lie after `from` ({first}); it is not part of the period. Found {until}."
        )
    return Period("all" if first is None and until is None else None, Span(zone, first, until))


def _today(context: Context, zone: str) -> date:
    day = day_of(context.clock.now(), zone)
    return date(day // 10_000, day // 100 % 100, day % 100)
