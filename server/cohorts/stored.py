"""How a report's definition is kept: as JSON with a version, everything written out.

What a default is may change; what somebody has saved may not. An older version is brought up step by step,
by `UPGRADES`, and what nobody can read is refused with the reason instead of being guessed at.
"""

from collections.abc import Callable, Mapping
from dataclasses import fields
from datetime import date
from enum import StrEnum
from typing import Any, Final

from server.errors import BadInput

from .definition import Act, Breakdown, Days, Definition, SegmentFilter
from .words import (
    Alignment,
    AsOf,
    Binds,
    Denominator,
    DeviceFilter,
    Granularity,
    Kind,
    Metric,
    Mode,
    Occurrence,
    Unit,
)

Data = dict[str, Any]

VERSION: Final = 1
UPGRADES: Mapping[int, Callable[[Data], Data]] = {}
"""By version: what makes the next one of it."""


def to_data(asked: Definition) -> Data:
    """As JSON takes it."""
    return {"version": VERSION, **_written(asked)}


def from_data(data: Mapping[str, Any]) -> Definition:
    """The definition that was kept. Raises BadInput for what this release cannot read."""
    kept = _upgraded(dict(data))
    try:
        return _definition(kept)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BadInput(f"This is not the definition of a cohort report: {error!r}.") from error


def _upgraded(data: Data) -> Data:
    version = data.pop("version", None)
    if not isinstance(version, int) or not 1 <= version <= VERSION:
        raise BadInput(
            f"The report was saved in version {version!r}; this release reads versions 1 to {VERSION}."
        )
    for step in range(version, VERSION):
        data = UPGRADES[step](data)
    return data


def _written(value: Any) -> Any:
    """Dataclasses as objects, enums by their values, days as they are spelled."""
    if isinstance(value, StrEnum):
        return value.value
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, tuple):
        return [_written(one) for one in value]
    if hasattr(value, "__dataclass_fields__"):
        return {one.name: _written(getattr(value, one.name)) for one in fields(value)}
    return value


def _definition(data: Data) -> Definition:
    return Definition(
        entry=_act(data["entry"]),
        occurrence=Occurrence(data["occurrence"]),
        returning=None if data["returning"] is None else _act(data["returning"]),
        unit=Unit(data["unit"]),
        metric=Metric(data["metric"]),
        currency=str(data["currency"]),
        mode=Mode(data["mode"]),
        counts_from=int(data["counts_from"]),
        brackets=tuple((int(first), int(last)) for first, last in data["brackets"]),
        denominator=Denominator(data["denominator"]),
        granularity=Granularity(data["granularity"]),
        alignment=Alignment(data["alignment"]),
        week_start=int(data["week_start"]),
        first_period=int(data["first_period"]),
        last_period=int(data["last_period"]),
        days=_days(data["days"]),
        device=DeviceFilter(data["device"]),
        device_binds=Binds(data["device_binds"]),
        where=tuple(_act(one) for one in data["where"]),
        segment=None if data["segment"] is None else _segment(data["segment"]),
        breakdown=None if data["breakdown"] is None else _breakdown(data["breakdown"]),
    )


def _act(data: Data) -> Act:
    return Act(
        kind=Kind(data["kind"]),
        name=str(data["name"]),
        property=str(data["property"]),
        value=str(data["value"]),
        journey_id=int(data["journey_id"]),
        step=str(data["step"]),
    )


def _days(data: Data) -> Days:
    first, until = (
        None if data[end] is None else date.fromisoformat(data[end]) for end in ("first", "until")
    )
    return Days(first, until, int(data["last"]))


def _segment(data: Data) -> SegmentFilter:
    return SegmentFilter(str(data["name"]), data["conditions"], AsOf(data["as_of"]))


def _breakdown(data: Data) -> Breakdown:
    values = tuple(str(one) for one in data["values"])
    return Breakdown(str(data["dimension"]), values, int(data["most"]), Binds(data["binds"]))
