"""Which figures a query asks for: what nobody selects is not read."""

from enum import Enum
from typing import Any, TypeVar

from strawberry.types.nodes import SelectedField

from server.aggregates.calendar import ENTERED, HAPPENED
from server.aggregates.series import MADE_OF
from server.loaders import FiguresKey
from server.resolvers.periods import Period

from .info import Info, fields_below
from .words import Clock, Interval, Metric

BY = {Clock.HAPPENED: HAPPENED, Clock.ENTERED: ENTERED}
_OF_USERS = ("user", "recipient", "messaged")
"""One of these words is in the name of every field that comes from user sets."""
E = TypeVar("E", bound=Enum)


def figures_key(info: Info, journey_id: int, period: Period, version: int | None, clock: Clock) -> FiguresKey:
    """The question that the fields below the present one ask of a journey's aggregates."""
    fields = list(fields_below(info))
    return FiguresKey(
        journey_id,
        period.span,
        version,
        BY[clock],
        users=any(word in field.name.lower() for field in fields for word in _OF_USERS),
        series=frozenset(_series(field) for field in fields if field.name == "over"),
    )


def _series(field: SelectedField) -> tuple[str, str]:
    metric = _chosen(Metric, field.arguments["metric"])
    interval = _chosen(Interval, field.arguments.get("by", Interval.DAY))
    return metric.value, MADE_OF[interval.value]


def _chosen(kind: type[E], told: Any) -> E:
    """An argument as the query spells it: by name where it is written out, else as a variable's value."""
    if isinstance(told, kind):
        return told
    return kind[told] if told in kind.__members__ else kind(told)
