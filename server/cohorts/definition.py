"""What a cohort report is asked for: whole, and nothing but data.

Whoever computes one takes a `Definition`; `checked` says what cannot be. How it is kept is in `stored.py`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from .words import (
    Alignment,
    AsOf,
    Binds,
    Denominator,
    DeviceFilter,
    Granularity,
    JourneyDeed,
    Kind,
    Metric,
    Mode,
    Occurrence,
    Unit,
)

MOST_PERIODS = 90
MOST_DAYS_BACK = 400
MOST_MONTHS_BACK = 36
MOST_VALUES = 20
"""Of a breakdown."""
USUAL_DAYS = 30
MONDAY = 0


@dataclass(frozen=True, slots=True)
class Act:
    """What somebody did: to come in, or to come back."""

    kind: Kind
    name: str = ""
    """The event's name; of a DEED its dimension; of a JOURNEY what it brought about (a `JourneyDeed`)."""
    property: str = ""
    """Of an EVENT: only those whose property, one that the project declares, has this value."""
    value: str = ""
    """Of the property, or of a DEED's dimension."""
    journey_id: int = 0
    step: str = ""
    """Of a JOURNEY: only at this step; of CONVERTED only this goal. All of them if empty."""


@dataclass(frozen=True, slots=True)
class Days:
    """The base dates: from `first` up to, not including, `until`; else the last so many, with today."""

    first: date | None = None
    until: date | None = None
    last: int = USUAL_DAYS


@dataclass(frozen=True, slots=True)
class SegmentFilter:
    """Only people of a segment: a saved one by its name, or conditions as `server.journey.audience` reads."""

    name: str = ""
    conditions: Mapping[str, Any] | None = None
    as_of: AsOf = AsOf.ENTRY


@dataclass(frozen=True, slots=True)
class Breakdown:
    """One report for each value of a dimension; of many values the largest, and whoever reads is told."""

    dimension: str
    values: tuple[str, ...] = ()
    """Which; the largest if none is named."""
    most: int = 10
    binds: Binds = Binds.ENTRY
    """BOTH: what is done later counts only if it was done with the same value."""


@dataclass(frozen=True, slots=True)
class Definition:
    """One report, as it is asked for."""

    entry: Act = Act(Kind.VISIT)
    occurrence: Occurrence = Occurrence.EVERY
    returning: Act | None = None
    """What coming back is; the same as the entry if left out. Only PEOPLE and TIMES ask for it."""
    unit: Unit = Unit.USER
    metric: Metric = Metric.PEOPLE
    currency: str = ""
    """Of REVENUE; the one that most people paid in if left out."""
    mode: Mode = Mode.ON
    counts_from: int = 1
    """The period with which ON_OR_BEFORE and STREAK begin: 0, the base date itself, or 1."""
    brackets: tuple[tuple[int, int], ...] = ()
    """Of BRACKETS: first and last period of each."""
    denominator: Denominator = Denominator.COHORT_SIZE
    granularity: Granularity = Granularity.DAY
    alignment: Alignment = Alignment.CALENDAR
    week_start: int = MONDAY
    """The weekday on which weeks begin: 0 is Monday, 6 is Sunday."""
    first_period: int = 0
    last_period: int = 7
    days: Days = field(default_factory=Days)
    device: DeviceFilter = DeviceFilter.ALL
    device_binds: Binds = Binds.BOTH
    where: tuple[Act, ...] = ()
    """What else was done on the day of entry, all of it."""
    segment: SegmentFilter | None = None
    breakdown: Breakdown | None = None

    @property
    def back(self) -> Act:
        """What coming back is."""
        return self.returning or self.entry

    @property
    def columns(self) -> tuple[tuple[int, int], ...]:
        """First and last period of each cell of a row."""
        if self.mode is Mode.BRACKETS:
            return self.brackets
        return tuple((period, period) for period in range(self.first_period, self.last_period + 1))


RETENTION_7_DAYS = Definition(unit=Unit.DEVICE, first_period=1, last_period=7)
"""Devices that visited on a day, and how many of them visit on each of the seven days after it."""


def wrongs(asked: Definition) -> Iterator[tuple[str, str]]:
    """Everything that cannot be: the field, and why."""
    yield from _wrong_periods(asked)
    yield from _wrong_metric(asked)
    yield from _wrong_unit(asked)
    yield from _wrong_days(asked.days)
    if asked.occurrence is Occurrence.FIRST_EVER and asked.entry.kind in (Kind.REVISIT, Kind.REPURCHASE):
        again = asked.entry.kind.name
        yield "occurrence", f"Of {again} it is not kept which was the first ever: ask for FIRST_MATCHING."
    if asked.breakdown and not 1 <= max(asked.breakdown.most, len(asked.breakdown.values)) <= MOST_VALUES:
        yield "breakdown", f"A breakdown has 1 to {MOST_VALUES} values."
    if asked.segment and (asked.segment.name == "") == (asked.segment.conditions is None):
        yield "segment", "A segment is a saved one or conditions: one of the two."
    if not 0 <= asked.week_start <= 6:
        yield "weekStart", "A week begins on one of seven days."


def _wrong_periods(asked: Definition) -> Iterator[tuple[str, str]]:
    if asked.mode is Mode.BRACKETS:
        if not 1 <= len(asked.brackets) <= MOST_PERIODS:
            yield "brackets", f"BRACKETS wants 1 to {MOST_PERIODS} brackets, found {len(asked.brackets)}."
        for first, last in asked.brackets:
            if not 0 <= first <= last <= MOST_PERIODS:
                yield "brackets", f"A bracket lies within 0 to {MOST_PERIODS}, found {first} to {last}."
    elif asked.brackets:
        yield "brackets", "Brackets go with the mode BRACKETS."
    if not 0 <= asked.first_period <= asked.last_period <= MOST_PERIODS:
        found = f"{asked.first_period} to {asked.last_period}"
        yield "periods", f"Periods go from 0 or later up to {MOST_PERIODS} at most, found {found}."
    if asked.counts_from not in (0, 1):
        yield "countsFrom", "Counting begins with period 0 or 1."


def _wrong_metric(asked: Definition) -> Iterator[tuple[str, str]]:
    if asked.metric not in (Metric.PEOPLE, Metric.TIMES) and asked.returning is not None:
        yield "return", f"{asked.metric.name} counts what it counts, whatever coming back is. Leave it out."
    if asked.metric is not Metric.PEOPLE and asked.mode is Mode.STREAK:
        yield "mode", "A streak is of people: sums have ON, ON_OR_AFTER, ON_OR_BEFORE and BRACKETS."
    if asked.metric is Metric.TIMES and not _is_counted(asked.back):
        yield "return", "It is not kept how often this was done, only who did it: ask for PEOPLE."
    if asked.currency and not (len(asked.currency) == 3 and asked.currency.isalpha()):
        yield "currency", "A currency has three letters, such as KRW."


def _is_counted(act: Act) -> bool:
    return act.kind in (Kind.EVENT, Kind.VISIT, Kind.PURCHASE)


def _wrong_unit(asked: Definition) -> Iterator[tuple[str, str]]:
    if asked.unit is not Unit.DEVICE:
        return
    for name, act in (
        ("entry", asked.entry),
        ("return", asked.back),
        *(("where", act) for act in asked.where),
    ):
        if act.kind is Kind.JOURNEY:
            yield name, "Journeys know users, not devices: ask for the unit USER or MEMBER."


def _wrong_days(days: Days) -> Iterator[tuple[str, str]]:
    if (days.first is None) != (days.until is None):
        yield "baseDates", "Give both ends, or none."
    elif days.first and days.until and days.until <= days.first:
        yield "baseDates", f"`until` must lie after `from` ({days.first}); found {days.until}."
    elif not 1 <= days.last <= MOST_DAYS_BACK:
        yield "baseDates", f"The last 1 to {MOST_DAYS_BACK} days, found {days.last}."


__all__ = [
    "RETENTION_7_DAYS",
    "Act",
    "Breakdown",
    "Days",
    "Definition",
    "JourneyDeed",
    "SegmentFilter",
    "wrongs",
]
