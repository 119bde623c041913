"""How long runs stay at a step: times in classes that grow by a tenth, so that any percentile is known.

A class is known by its number n and holds the times above 1.1^(n-1) up to 1.1^n milliseconds. What is said
for a class lies in its middle, so that it is wrong by less than five per cent.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil, log

from server.clock import Instant

from .ask import Answer
from .metrics import Metric

_GROWTH = 1.1
PRECISION = (_GROWTH - 1) / (_GROWTH + 1)
"""By how much a percentile can be wrong, as a share of itself."""


def class_of(stayed: Instant) -> str:
    """The class of a time of at least a millisecond, as it is counted."""
    return str(ceil(log(stayed) / log(_GROWTH)))


def percentile(counts: Mapping[str, int], passed_at_once: int, share: float) -> float | None:
    """The milliseconds within which this share of the runs had gone on or ended; none without any.

    `counts` are those that stayed, by class; `passed_at_once` is how many others there were.
    """
    whole = passed_at_once + sum(counts.values())
    if not whole:
        return None
    wanted = max(1, ceil(share * whole))
    seen = passed_at_once
    for number in sorted(int(name) for name, n in counts.items() if n > 0):
        if seen >= wanted:
            break
        seen += counts[str(number)]
        if seen >= wanted:
            return 2 * _GROWTH**number / (_GROWTH + 1)
    return 0.0


@dataclass(frozen=True, slots=True)
class Stays:
    """How long those stayed at a step who have left it, or have ended there."""

    counts: Mapping[str, int]
    """Those who stayed a while, by class."""
    whole: int
    milliseconds: int
    """All of them together."""

    def percentile(self, share: float) -> float | None:
        return percentile(self.counts, self.whole - sum(self.counts.values()), share)

    def mean(self) -> float | None:
        return self.milliseconds / self.whole if self.whole else None


def stays_at(answer: Answer, step_key: str) -> Stays:
    stayed = answer.of(Metric.STAYED, step_key)
    return Stays(
        counts=answer.by_reason(Metric.STAYED, step_key),
        whole=answer.total(Metric.LEFT, step_key) + answer.total(Metric.ENDED, step_key),
        milliseconds=sum(one.amount for one in stayed),
    )
