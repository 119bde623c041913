"""A report no larger than one of its cells takes: what is behind a cell is asked of nothing else."""

from dataclasses import replace
from datetime import date, timedelta

from .buckets import base_days, bucket_of
from .definition import Breakdown, Days, Definition
from .words import Mode, Occurrence


def base_day(asked: Definition, day: date, today: date) -> date | None:
    """A base day of the period in which this day lies; None if no period of the report has it.

    Raises BadInput, as the report would.
    """
    form = (asked.granularity, asked.week_start)
    first, last = base_days(asked.days, today)
    if not bucket_of(first, *form).first <= day < bucket_of(last, *form).until:
        return None
    return min(max(day, first), last)


def narrowed(
    asked: Definition, base: date, column: tuple[int, int] | None, value: str | None, today: date
) -> Definition:
    """Of the last base date and the only column. Without a column it is asked who came in."""
    first, _ = base_days(asked.days, today)
    # Who came in for the first time in the report is known only beside the base dates before.
    begin = first if asked.occurrence is Occurrence.FIRST_MATCHING else base
    found = replace(
        asked,
        days=Days(begin, base + timedelta(days=1)),
        breakdown=_only(asked.breakdown, value),
    )
    if column is None:
        return replace(found, mode=Mode.ON, brackets=(), first_period=0, last_period=0)
    if asked.mode is Mode.BRACKETS:
        return replace(found, brackets=(column,))
    return replace(found, first_period=column[0], last_period=column[1])


def _only(breakdown: Breakdown | None, value: str | None) -> Breakdown | None:
    return None if breakdown is None or value is None else replace(breakdown, values=(value,))
