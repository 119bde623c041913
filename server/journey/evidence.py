"""Whether a branch does better than the control: a test that may be looked at after every single hit.

Everybody was drawn for a branch by chance. Were the branches the same for people, each next one who reaches
the goal would be of the branch with the probability with which people were drawn for it, whenever that
happens and however long they take. The likelihood of what was seen at other ratios of the branches, mixed
over a bell curve of them, by the likelihood at the same, is then a martingale: it ever reaches 20 in one of
20 experiments without an effect at most, whoever looks how often. `docs/decisions/0010-experiments.md`
names the papers.

Everything here is told in logarithms of the ratio of two rates: 0 is no difference.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import exp, expm1, log, log1p, pi, sqrt

TYPICAL = 0.25
"""The width of the bell curve: the test is quickest at lifts of some ten to some fifty percent."""
_POINTS = 64
_REACH = 9.0
"""How many standard deviations the integral reaches to both sides of its peak."""
_FAR = 40.0
"""Beyond this no ratio of two rates is told from never or always."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """People who reached the goal, of those drawn under the same percentages."""

    weight: float
    """The branch's."""
    control_weight: float
    hits: int
    """People of the branch who reached it."""
    control_hits: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """A branch against the control."""

    lift: float | None
    """How much more often, as a part of the control's rate; none while the control has no hit."""
    low: float
    """The lift lies between these with the confidence asked for, at all looks together."""
    high: float | None
    """None is without an end."""
    p_value: float
    """Corrected for the number of branches. It may be looked at at any time."""
    is_proven: bool
    """Whether there is a difference, in either direction."""

    @property
    def is_better(self) -> bool:
        return self.is_proven and self.low > 0


def compare(drawn: Sequence[Drawn], alpha: float, comparisons: int = 1) -> Comparison:
    """One of so many comparisons with the control, which together are wrong in `alpha` of all experiments."""
    seen = _Seen([one for one in drawn if one.weight > 0 and one.control_weight > 0])
    hits, control_hits = seen.hits, seen.control_hits
    evidence = seen.evidence()
    threshold = log(comparisons / alpha)
    # The ratios that the same evidence does not speak against as strongly.
    level = evidence - threshold
    peak = seen.peak(prior=False)
    low = expm1(seen.crossing(level, peak, -_FAR)) if hits else -1.0
    high = expm1(seen.crossing(level, peak, _FAR)) if control_hits else None
    return Comparison(
        lift=expm1(peak) if control_hits else None,
        low=low,
        high=high,
        p_value=min(1.0, comparisons * exp(-evidence)),
        is_proven=evidence >= threshold,
    )


class _Seen:
    """The likelihood of the ratio of the branch's rate to the control's, by its logarithm."""

    def __init__(self, drawn: Sequence[Drawn]) -> None:
        self.hits = sum(one.hits for one in drawn)
        self.control_hits = sum(one.control_hits for one in drawn)
        self._drawn = [
            (one.hits + one.control_hits, one.weight / (one.weight + one.control_weight)) for one in drawn
        ]

    def __call__(self, ratio: float) -> float:
        """The log of the likelihood by that at no difference."""
        grown = expm1(ratio)
        return self.hits * ratio - sum(n * log1p(share * grown) for n, share in self._drawn)

    def _slope(self, ratio: float) -> float:
        back = exp(-ratio)
        return self.hits - sum(n * share / (share + (1 - share) * back) for n, share in self._drawn)

    def _bend(self, ratio: float) -> float:
        expected = ((n, share / (share + (1 - share) * exp(-ratio))) for n, share in self._drawn)
        return sum(n * part * (1 - part) for n, part in expected)

    def peak(self, *, prior: bool) -> float:
        """The likeliest ratio, with the bell curve or without."""
        pull = TYPICAL**-2 if prior else 0.0
        return _root(lambda ratio: self._slope(ratio) - pull * ratio, -_FAR, _FAR)

    def evidence(self) -> float:
        """The log of the likelihood mixed over the bell curve, by that at no difference."""
        peak = self.peak(prior=True)
        width = 1 / sqrt(self._bend(peak) + TYPICAL**-2)
        step = 2 * _REACH * width / _POINTS
        heights = [self._mixed(peak + (index - _POINTS / 2) * step) for index in range(_POINTS + 1)]
        top = max(heights)
        whole = sum(exp(height - top) for height in heights) * step
        return top + log(whole / (TYPICAL * sqrt(2 * pi)))

    def _mixed(self, ratio: float) -> float:
        return self(ratio) - ratio * ratio / (2 * TYPICAL * TYPICAL)

    def crossing(self, level: float, inside: float, outside: float) -> float:
        """Where on this side the likelihood falls to that level."""
        if self(outside) > level:
            return outside
        return _root(lambda ratio: self(ratio) - level, outside, inside)


def _root(falls: Callable[[float], float], one: float, other: float) -> float:
    """Where a function crosses 0 between two places; the end that is nearer to 0 if it does not."""
    at_one, at_other = falls(one), falls(other)
    if (at_one > 0) == (at_other > 0):
        return one if abs(at_one) < abs(at_other) else other
    for _ in range(60):
        middle = (one + other) / 2
        if (falls(middle) > 0) == (at_one > 0):
            one = middle
        else:
            other = middle
    return (one + other) / 2
