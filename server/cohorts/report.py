"""What a cohort report says. Whoever computes one, from sets or from facts, hands this back."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import NamedTuple

from server.clock import Instant

from .definition import Definition
from .words import Denominator, Metric

AMOUNT_SCALE = 10_000
"""Amounts of money are kept in so many parts of the currency's unit."""


class Cell(NamedTuple):
    """One cohort in one period, or in one bracket of them."""

    first: int
    last: int
    """The periods that it is about: the same one, but for brackets."""
    starts_at: Instant | None
    ends_at: Instant | None
    """When they begin and end; None where each unit has its own (rolling periods, and averages)."""
    day: date | None
    """The day on which it begins: cells of one day are one diagonal."""
    numerator: int | None
    """None while its period has not begun. Money is in ten-thousandths of the unit."""
    denominator: int | None
    complete: bool
    """Whether all of its period is over and counted: it will not rise any more, but for what comes late, and
    of ON_OR_AFTER for who comes back later still."""
    scale: int = 1
    """What the numerator has to be divided by, for the number that people read."""
    base_scale: int = 1
    """The same of the denominator."""

    @property
    def ratio(self) -> float | None:
        """None where there is nothing to divide by, or nothing to divide yet."""
        if self.numerator is None or not self.denominator:
            return None
        return float(Fraction(self.numerator * self.base_scale, self.denominator * self.scale))


class Base(NamedTuple):
    """What the cohort did in its base period, whichever metric is asked for.

    Nothing but the units for those who said that they do not want to know.
    """

    units: int
    visits: int
    purchases: int
    revenue: int
    """In ten-thousandths of the unit of the report's currency."""


class Row(NamedTuple):
    """One cohort: those who came in at one base date."""

    starts_at: Instant
    ends_at: Instant
    day: date
    size: int
    base: Base
    complete: bool
    """Whether the base period is over: nobody comes in any more."""
    cells: Sequence[Cell]


class Group(NamedTuple):
    """The cohorts of one value of a breakdown, or all of them."""

    value: str | None
    """None is all of them."""
    rows: Sequence[Row]
    averages: Sequence[Cell]
    """By period: pooled over complete cells that have a denominator."""
    totals: Base
    """Sums of the rows' bases. Who came in at several dates is counted at each."""


@dataclass(frozen=True, slots=True)
class Report:
    """The answer, with everything that says what it is."""

    definition: Definition
    zone: str
    currency: str
    """Of revenue; empty if nothing was ever paid."""
    watermark: Instant
    """Everything before it is counted."""
    groups: Sequence[Group]
    """One without a breakdown."""
    left_out: int = 0
    """Values of the breakdown that are not shown."""


def scales(metric: Metric, denominator: Denominator) -> tuple[int, int]:
    """What numerators and denominators have to be divided by."""
    scale = AMOUNT_SCALE if metric is Metric.REVENUE else 1
    heads = denominator in (Denominator.COHORT_SIZE, Denominator.ELIGIBLE)
    return scale, 1 if heads else scale
