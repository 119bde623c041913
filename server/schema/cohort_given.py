"""A definition as JSON that `CohortInput` takes: what is saved can be changed and saved again."""

from typing import Any

from server.cohorts.definition import Act, Days, Definition, SegmentFilter
from server.cohorts.words import JourneyDeed, Kind

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
    CohortUnit,
)
from .ids import to_id
from .segment_inputs import to_given as to_given_conditions
from .time_words import Weekday

Data = dict[str, Any]


def to_given(asked: Definition) -> Data:
    """Everything, also what the input may leave out."""
    given: Data = {
        "entry": _act(asked.entry),
        "where": [_act(one) for one in asked.where],
        "occurrence": CohortOccurrence(asked.occurrence.value).name,
        "unit": CohortUnit(asked.unit.value).name,
        "metric": CohortMetric(asked.metric.value).name,
        "mode": CohortMode(asked.mode.value).name,
        "countsFrom": asked.counts_from,
        "denominator": CohortDenominator(asked.denominator.value).name,
        "granularity": CohortGranularity(asked.granularity.value).name,
        "alignment": CohortAlignment(asked.alignment.value).name,
        "weekStart": list(Weekday)[asked.week_start].name,
        "periods": {"first": asked.first_period, "last": asked.last_period},
        "baseDates": _days(asked.days),
        "device": CohortDevice(asked.device.value).name,
        "deviceBinds": CohortBinds(asked.device_binds.value).name,
    }
    return {**given, **_optional(asked)}


def _optional(asked: Definition) -> Data:
    """What is not there if nobody asked for it."""
    found: Data = {}
    if asked.returning is not None:
        found["return"] = _act(asked.returning)
    if asked.currency:
        found["currency"] = asked.currency
    if asked.brackets:
        found["brackets"] = [{"first": first, "last": last} for first, last in asked.brackets]
    if asked.segment is not None:
        found["segment"] = _segment(asked.segment)
    if asked.breakdown is not None:
        found["breakdown"] = {
            "by": CohortDimension(asked.breakdown.dimension).name,
            "values": list(asked.breakdown.values) or None,
            "most": asked.breakdown.most,
            "binds": CohortBinds(asked.breakdown.binds.value).name,
        }
    return found


def _act(one: Act) -> Data:
    if one.kind is Kind.EVENT:
        named = {"property": one.property, "value": one.value} if one.property else {}
        return {"event": {"name": one.name, **named}}
    if one.kind is Kind.DEED:
        return {"was": {"by": CohortDimension(one.name).name, "value": one.value}}
    if one.kind is Kind.JOURNEY:
        place = "goal" if one.name == JourneyDeed.CONVERTED else "step"
        about = {"id": to_id("Journey", one.journey_id), "did": CohortJourneyDeed(one.name).name}
        return {"journey": {**about, **({place: one.step} if one.step else {})}}
    return {"did": CohortDeed(one.kind.value).name}


def _days(days: Days) -> Data:
    if days.first is None or days.until is None:
        return {"last": days.last}
    return {"from": days.first.isoformat(), "until": days.until.isoformat()}


def _segment(segment: SegmentFilter) -> Data:
    if segment.conditions is None:
        who: Data = {"name": segment.name}
    else:
        who = {"conditions": to_given_conditions(dict(segment.conditions))}
    return {**who, "asOf": CohortAsOf(segment.as_of.value).name}
