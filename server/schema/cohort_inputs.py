"""Cohort reports as they are asked for, and the definition that comes of it."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from enum import Enum
from typing import Any, TypeVar

import strawberry

from server.cohorts.definition import (
    RETENTION_7_DAYS,
    Act,
    Breakdown,
    Days,
    Definition,
    SegmentFilter,
)
from server.cohorts.words import (
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
from server.errors import BadInput
from server.journey.moment import Path
from server.resolvers.refusals import Invalid, Missing

from .cohort_words import (
    CohortAlignment,
    CohortAsOf,
    CohortBinds,
    CohortDeed,
    CohortDenominator,
    CohortDevice,
    CohortDimension,
    CohortGranularity,
    CohortJourneyDeed,
    CohortMetric,
    CohortMode,
    CohortOccurrence,
    CohortPreset,
    CohortUnit,
)
from .ids import key_in
from .segment_inputs import SegmentConditionInput, to_conditions
from .time_words import Weekday

E = TypeVar("E")
AS_PRESET = "As the preset says if left out, or else"
_WEEKDAYS = list(Weekday)


@strawberry.input(description="An event by its name.")
class CohortEventInput:
    name: str = strawberry.field(
        description="Its name; of pages and screens `$page` and `$screen`, and theirs."
    )
    property: str | None = strawberry.field(
        default=None,
        description="Only those in which this property, which the project declares, has a value.",
    )
    value: str | None = strawberry.field(default=None, description="The value that the property has.")


@strawberry.input(description="A visit of some kind.")
class CohortWasInput:
    by: CohortDimension = strawberry.field(description="By what visits are told apart.")
    value: str = strawberry.field(description="What it was.")


@strawberry.input(description="Something that a journey brought about, also one that is over or put away.")
class CohortJourneyInput:
    id: strawberry.ID = strawberry.field(description="The journey.")
    did: CohortJourneyDeed = strawberry.field(description="What it brought about.")
    step: strawberry.ID | None = strawberry.field(
        default=None, description="Only at the step of this key, also one that is not drawn any more."
    )
    goal: strawberry.ID | None = strawberry.field(
        default=None, description="Only the goal of this key, for CONVERTED."
    )


@strawberry.input(one_of=True, description="What somebody did: to come in, or to come back.")
class CohortActInput:
    did: CohortDeed | None = strawberry.field(
        default=strawberry.UNSET, description="A visit, a purchase, a sign-up."
    )
    event: CohortEventInput | None = strawberry.field(default=strawberry.UNSET, description="An event.")
    was: CohortWasInput | None = strawberry.field(
        default=strawberry.UNSET,
        description="A visit of some kind: from a search engine, by a campaign, on a device.",
    )
    journey: CohortJourneyInput | None = strawberry.field(
        default=strawberry.UNSET, description="Something that a journey brought about."
    )


@strawberry.input(description="Which periods are shown: the base date is period 0.")
class CohortPeriodsInput:
    first: int = strawberry.field(default=0, description="The first.")
    last: int = strawberry.field(description="The last: 90 at most.")


@strawberry.input(description="Several periods in one cell.")
class CohortBracketInput:
    first: int = strawberry.field(description="The first period.")
    last: int = strawberry.field(description="The last period: 90 at most.")


@strawberry.input(
    description="Which base dates: some days, or the last so many. Weeks and months in them are whole."
)
class CohortDatesInput:
    start: date | None = strawberry.field(
        default=None, name="from", description="The first day: at most 400 days back."
    )
    until: date | None = strawberry.field(default=None, description="The day after the last.")
    last: int | None = strawberry.field(
        default=None, description="The last so many days, with today: 1 to 400. 30 if nothing is said."
    )


@strawberry.input(description="Only people of a segment: one that is saved, or conditions.")
class CohortSegmentInput:
    name: str | None = strawberry.field(default=None, description="What the saved segment is called.")
    conditions: SegmentConditionInput | None = strawberry.field(
        default=None, description="Conditions that are not saved."
    )
    as_of: CohortAsOf = strawberry.field(default=CohortAsOf.ENTRY, description="As of when they are asked.")


@strawberry.input(description="The same report for each value of a dimension.")
class CohortBreakdownInput:
    by: CohortDimension = strawberry.field(description="By what the cohorts are told apart.")
    values: list[str] | None = strawberry.field(
        default=None, description="Which values: at most 20. The largest if left out."
    )
    most: int = strawberry.field(default=10, description="How many of the largest: at most 20.")
    binds: CohortBinds = strawberry.field(
        default=CohortBinds.ENTRY,
        description="BOTH: what is done later counts only on days with the same value.",
    )


@strawberry.input(
    description="Which cohort report. Everything may be left out: the preset says it, or else a default."
)
class CohortInput:
    preset: CohortPreset | None = strawberry.field(
        default=None, description="What it begins with; every other field changes it."
    )
    entry: CohortActInput | None = strawberry.field(
        default=None, description="What lets into a cohort; a visit by default."
    )
    returning: CohortActInput | None = strawberry.field(
        default=None,
        name="return",
        description="What coming back is, for PEOPLE and TIMES; the same as the entry by default.",
    )
    where: list[CohortActInput] | None = strawberry.field(
        default=None,
        description="What else has to have been done on the day of entry: all of it, at most 10.",
    )
    occurrence: CohortOccurrence | None = strawberry.field(
        default=None, description=f"Which entries count. {AS_PRESET} EVERY."
    )
    unit: CohortUnit | None = strawberry.field(default=None, description=f"Who is counted. {AS_PRESET} USER.")
    metric: CohortMetric | None = strawberry.field(
        default=None, description=f"What is counted. {AS_PRESET} PEOPLE."
    )
    currency: str | None = strawberry.field(
        default=None, description="Of revenue, e.g. KRW; the one that most people paid in by default."
    )
    mode: CohortMode | None = strawberry.field(
        default=None, description=f"Which periods a cell is about. {AS_PRESET} ON; BRACKETS if there are any."
    )
    counts_from: int | None = strawberry.field(
        default=None, description="With which period ON_OR_BEFORE and STREAK begin: 0 or 1. 1 by default."
    )
    brackets: list[CohortBracketInput] | None = strawberry.field(
        default=None, description="The cells of a row, for BRACKETS: at most 90."
    )
    denominator: CohortDenominator | None = strawberry.field(
        default=None, description=f"What numerators are divided by. {AS_PRESET} COHORT_SIZE."
    )
    granularity: CohortGranularity | None = strawberry.field(
        default=None, description=f"How long a period is. {AS_PRESET} DAY."
    )
    alignment: CohortAlignment | None = strawberry.field(
        default=None, description=f"Where periods begin. {AS_PRESET} CALENDAR."
    )
    week_start: Weekday | None = strawberry.field(
        default=None, description="The day on which weeks begin; Monday by default."
    )
    periods: CohortPeriodsInput | None = strawberry.field(
        default=None, description="Which periods are shown; 0 to 7 by default."
    )
    base_dates: CohortDatesInput | None = strawberry.field(
        default=None, description="Which base dates; the last 30 days by default."
    )
    device: CohortDevice | None = strawberry.field(
        default=None, description="Only what was done on such devices; on all by default."
    )
    device_binds: CohortBinds | None = strawberry.field(
        default=None, description="Whether coming back has to be on such a device, too; it has to by default."
    )
    segment: CohortSegmentInput | None = strawberry.field(
        default=None, description="Only people of a segment; everybody by default."
    )
    breakdown: CohortBreakdownInput | None = strawberry.field(
        default=None, description="The report for each value of a dimension, beside that of everybody."
    )


MOST_WHERE = 10
_PRESETS = {CohortPreset.RETENTION_7_DAYS: RETENTION_7_DAYS}
_KINDS: tuple[tuple[str, str, type[Enum]], ...] = (
    ("occurrence", "occurrence", Occurrence),
    ("unit", "unit", Unit),
    ("metric", "metric", Metric),
    ("mode", "mode", Mode),
    ("denominator", "denominator", Denominator),
    ("granularity", "granularity", Granularity),
    ("alignment", "alignment", Alignment),
    ("device", "device", DeviceFilter),
    ("device_binds", "device_binds", Binds),
)
"""Words that are the same in the input and in the definition."""


def to_definition(given: CohortInput, path: Path = ("input",)) -> Definition:
    """What is asked for. Raises Invalid, Missing."""
    begin = _PRESETS[given.preset] if given.preset else Definition()
    words: dict[str, Any] = {
        name: kind(getattr(given, field).value)
        for field, name, kind in _KINDS
        if getattr(given, field) is not None
    }
    asked = replace(begin, **words, **_plain(given, path))
    if given.brackets is not None and given.mode is None:
        asked = replace(asked, mode=Mode.BRACKETS)
    return asked


def _plain(given: CohortInput, path: Path) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if given.entry is not None:
        found["entry"] = to_act(given.entry, (*path, "entry"))
    if given.returning is not None:
        found["returning"] = to_act(given.returning, (*path, "return"))
    if given.where is not None:
        found["where"] = _where(given.where, (*path, "where"))
    if given.currency is not None:
        found["currency"] = given.currency.strip().upper()
    if given.counts_from is not None:
        found["counts_from"] = given.counts_from
    if given.brackets is not None:
        found["brackets"] = tuple((one.first, one.last) for one in given.brackets)
    if given.week_start is not None:
        found["week_start"] = _WEEKDAYS.index(given.week_start)
    if given.periods is not None:
        found["first_period"], found["last_period"] = given.periods.first, given.periods.last
    if given.base_dates is not None:
        found["days"] = _days(given.base_dates, (*path, "baseDates"))
    if given.segment is not None:
        found["segment"] = _segment(given.segment, (*path, "segment"))
    if given.breakdown is not None:
        found["breakdown"] = _breakdown(given.breakdown)
    return found


def to_act(given: CohortActInput, path: Path) -> Act:
    """Raises Invalid, Missing."""
    if given.did:
        return Act(Kind(given.did.value))
    if given.was:
        return Act(Kind.DEED, name=given.was.by.value, value=given.was.value)
    if given.event:
        return _event(given.event, path)
    assert given.journey
    return _journey(given.journey, path)


def _event(given: CohortEventInput, path: Path) -> Act:
    if (given.property is None) != (given.value is None):
        raise Invalid("A property goes with its value.", (*path, "event"))
    return Act(Kind.EVENT, name=given.name, property=given.property or "", value=given.value or "")


def _journey(given: CohortJourneyInput, path: Path) -> Act:
    try:
        (journey_id,) = key_in(given.id, "Journey")
    except BadInput as error:
        raise Missing(error.message, (*path, "journey", "id")) from error
    did = JourneyDeed(given.did.value)
    for name, value, fits in (
        ("step", given.step, did not in (JourneyDeed.ENTERED, JourneyDeed.CONVERTED)),
        ("goal", given.goal, did is JourneyDeed.CONVERTED),
    ):
        if value is not None and not fits:
            raise Invalid(f"{given.did.name} is not told by {name}.", (*path, "journey", name))
    return Act(Kind.JOURNEY, name=did.value, journey_id=journey_id, step=str(given.step or given.goal or ""))


def _where(given: Sequence[CohortActInput], path: Path) -> tuple[Act, ...]:
    if len(given) > MOST_WHERE:
        raise Invalid(f"At most {MOST_WHERE} deeds at once, found {len(given)}.", path)
    return tuple(to_act(one, (*path, place)) for place, one in enumerate(given))


def _days(given: CohortDatesInput, path: Path) -> Days:
    if given.last is not None and (given.start is not None or given.until is not None):
        raise Invalid("Give `last`, or `from` and `until`, not both.", path)
    if given.last is not None:
        return Days(last=given.last)
    return Days(given.start, given.until)


def _segment(given: CohortSegmentInput, path: Path) -> SegmentFilter:
    if (given.name is None) == (given.conditions is None):
        raise Invalid("A segment is a saved one by its name, or conditions: one of the two.", path)
    conditions = None if given.conditions is None else to_conditions(given.conditions)
    return SegmentFilter(given.name or "", conditions, AsOf(given.as_of.value))


def _breakdown(given: CohortBreakdownInput) -> Breakdown:
    values = tuple(dict.fromkeys(given.values or ()))
    return Breakdown(given.by.value, values, given.most, Binds(given.binds.value))
