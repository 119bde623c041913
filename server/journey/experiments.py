"""What a split by chance has to know of what was decided about it, and of what the person drew before."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple


@dataclass(frozen=True, slots=True)
class Verdict:
    """A branch was chosen: newcomers go there, but for a share that goes on to the others."""

    winner: str = ""
    """The output; empty while nothing is decided."""
    explore_percent: int = 0
    """How many of a hundred newcomers the other branches get together."""


NOTHING_DECIDED = Verdict()


class Draw(NamedTuple):
    """What a person drew, and under what: the percentages of a version, changed by a number of verdicts."""

    output: str
    version: int
    round: int


@dataclass(frozen=True, slots=True)
class Standing:
    """How a split stands for somebody who comes to it."""

    version: int = 0
    round: int = 0
    """How often something was decided about it."""
    verdict: Verdict = NOTHING_DECIDED
    own: Draw | None = None
    """What this very run drew here before: a loop leads back to the split."""
    earlier: Draw | None = None
    """What the person drew here on an earlier passage."""


NEWCOMER = Standing()


def weights(percents: Mapping[str, int], verdict: Verdict) -> dict[str, float]:
    """How often each branch is drawn: as it was given, or as the verdict leaves it."""
    if verdict.winner not in percents:
        return {output: float(percent) for output, percent in percents.items()}
    others = sum(percent for output, percent in percents.items() if output != verdict.winner)
    explored = verdict.explore_percent if others else 0
    return {
        output: 100.0 - explored
        if output == verdict.winner
        else explored * percent / others
        if others
        else 0.0
        for output, percent in percents.items()
    }
