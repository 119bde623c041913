"""How long runs stay at a step."""

from typing import Annotated, TypeAlias

import strawberry

from server.aggregates.stays import Stays, stays_at
from server.errors import BadInput

from .fields import field
from .scalars import Count
from .source import Source

PercentArgument: TypeAlias = Annotated[
    float, strawberry.argument(description="Which: above 0 and up to 100; 99 is all but the slowest one.")
]


@strawberry.type(
    description="How long runs stayed at a step, in seconds: of those that left it or ended there in the "
    "period. Percentiles are right within 5 %, the mean is exact. Null while nobody has."
)
class TimeSpent:
    stays: strawberry.Private[Stays]
    runs: Count = strawberry.field(description="How many runs.")

    @field("On average.")
    def mean(self) -> float | None:
        return _seconds(self.stays.mean())

    @field("Half of them stayed no longer.")
    def p50(self) -> float | None:
        return self._percentile(50)

    @field("Nine of ten stayed no longer.")
    def p90(self) -> float | None:
        return self._percentile(90)

    @field("Nineteen of twenty stayed no longer.")
    def p95(self) -> float | None:
        return self._percentile(95)

    @field("So many of a hundred stayed no longer.")
    def percentile(self, percent: PercentArgument) -> float | None:
        if not 0 < percent <= 100:
            raise BadInput(f"`percent` lies above 0 and is at most 100; found {percent}.")
        return self._percentile(percent)

    def _percentile(self, percent: float) -> float | None:
        return _seconds(self.stays.percentile(percent / 100))


def _seconds(milliseconds: float | None) -> float | None:
    return None if milliseconds is None else round(milliseconds / 1000, 3)


def time_spent(source: Source, step_key: str) -> TimeSpent:
    found = stays_at(source.answer, step_key)
    return TimeSpent(stays=found, runs=found.whole)
