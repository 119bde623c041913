"""How likely each branch is to be the best, given how many of its people reached the goal.

Each rate has the Beta distribution that a uniform one becomes by what was seen. That one branch's rate lies
above all others' is an integral, and is computed as one: the same figures give the same answer.
"""

from collections.abc import Sequence
from itertools import pairwise
from math import exp, lgamma, log, log1p, prod, sqrt

_POINTS = 160
"""To each side of each branch's mean."""
_REACH = 9.0


def best_probabilities(seen: Sequence[tuple[int, int]]) -> list[float]:
    """For branches with so many hits of so many people: how likely each has the highest rate."""
    curves = [_Curve(hits, max(people - hits, 0)) for hits, people in seen]
    grid = sorted({point for curve in curves for point in curve.points()})
    densities = [[curve.density(point) for point in grid] for curve in curves]
    below = [_summed(grid, density) for density in densities]
    won = [_won(grid, densities[index], below, index) for index in range(len(curves))]
    whole = sum(won)
    return [one / whole for one in won]


class _Curve:
    """Beta(hits + 1, misses + 1)."""

    def __init__(self, hits: int, misses: int) -> None:
        self._hits, self._misses = hits, misses
        self._scale = lgamma(hits + misses + 2) - lgamma(hits + 1) - lgamma(misses + 1)

    def points(self) -> list[float]:
        """Where it has to be looked at: closely wherever it is not next to nothing."""
        a, b = self._hits + 1, self._misses + 1
        mean, spread = a / (a + b), sqrt(a * b / (a + b + 1)) / (a + b)
        step = _REACH * spread / _POINTS
        points = (mean + step * index for index in range(-_POINTS, _POINTS + 1))
        return [0.0, *(point for point in points if 0 < point < 1), 1.0]

    def density(self, at: float) -> float:
        if at in (0.0, 1.0):
            exponent = self._hits if at == 0.0 else self._misses
            return 0.0 if exponent else exp(self._scale)
        return exp(self._scale + self._hits * log(at) + self._misses * log1p(-at))


def _summed(grid: Sequence[float], density: Sequence[float]) -> list[float]:
    """How much lies below each point; all of it is 1."""
    found = [0.0]
    for (left, right), (low, high) in zip(pairwise(grid), pairwise(density), strict=True):
        found.append(found[-1] + (right - left) * (low + high) / 2)
    return [part / found[-1] for part in found]


def _won(
    grid: Sequence[float], density: Sequence[float], below: Sequence[Sequence[float]], index: int
) -> float:
    others = [one for number, one in enumerate(below) if number != index]
    heights = [
        height * prod(one[place] for one in others) if height else 0.0 for place, height in enumerate(density)
    ]
    return _summed_whole(grid, heights)


def _summed_whole(grid: Sequence[float], heights: Sequence[float]) -> float:
    return sum(
        (right - left) * (low + high) / 2
        for (left, right), (low, high) in zip(pairwise(grid), pairwise(heights), strict=True)
    )
