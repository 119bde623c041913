"""Which figures a query asks for: what nobody selects is not read."""

from collections.abc import Iterable, Iterator
from enum import Enum
from typing import Any, NamedTuple, TypeVar

from strawberry.types.nodes import SelectedField

from server.aggregates.calendar import ENTERED, HAPPENED
from server.aggregates.charts import OF_GOAL, OF_HEALTH
from server.aggregates.series import MADE_OF
from server.loaders import FiguresKey
from server.resolvers.periods import Period

from .figure_words import Clock, Interval, Metric
from .info import Info, fields_below

BY = {Clock.HAPPENED: HAPPENED, Clock.ENTERED: ENTERED}
_OF_USERS = ("user", "recipient", "messaged")
"""One of these words is in the name of every field that comes from user sets."""
_OF_STEPS = ("messages", "message")
"""Below these fields a series is one of a single step."""
_MADE_OF = {"health": OF_HEALTH, "performance": OF_GOAL, "goals": OF_GOAL}
"""By the field above a series that names no metric: what it is made of."""
_OF_BRANCHES = ("holdout", "variants", "conclusions", "verdicts")
"""The fields that compare branches."""
E = TypeVar("E", bound=Enum)


class _Wanted(NamedTuple):
    """The series of one field."""

    metrics: Iterable[str]
    interval: Interval
    by_step: bool

    @property
    def series(self) -> Iterator[tuple[str, str]]:
        return ((metric, MADE_OF[self.interval.value]) for metric in self.metrics)


def figures_key(info: Info, journey_id: int, period: Period, version: int | None, clock: Clock) -> FiguresKey:
    """The question that the fields below the present one ask of a journey's aggregates."""
    asked = list(fields_below(info))
    wanted = [_wanted(above, field) for above, field in asked if field.name == "over"]
    return FiguresKey(
        journey_id,
        period.span,
        version,
        BY[clock],
        users=any(word in field.name.lower() for _, field in asked for word in _OF_USERS),
        series=frozenset(one for each in wanted for one in each.series),
        series_by_step=any(each.by_step for each in wanted),
        compared=any(field.name in _OF_BRANCHES for _, field in asked),
    )


def _wanted(above: str, field: SelectedField) -> _Wanted:
    # Null is a variable that was left out: its argument has its default, or the field says what it lacks.
    told = {name: value for name, value in field.arguments.items() if value is not None}
    interval = _chosen(Interval, told.get("by", Interval.DAY))
    by_step = above in _OF_STEPS or "step" in told
    if "metric" not in told:
        return _Wanted([metric.value for metric in _MADE_OF.get(above, ())], interval, by_step)
    return _Wanted([_chosen(Metric, told["metric"]).value], interval, by_step)


def _chosen(kind: type[E], told: Any) -> E:
    """An argument as the query spells it: by name where it is written out, else as a variable's value."""
    if isinstance(told, kind):
        return told
    return kind[told] if told in kind.__members__ else kind(told)
