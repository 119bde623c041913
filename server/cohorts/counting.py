"""Counts a report from what the shards have: the sums over all of them. Without I/O, and some work."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from pyroaring import BitMap

from server.aggregates.deed_sets import Held, put_together

from . import acts, grid, sums
from .acts import Parts
from .buckets import Periods
from .definition import Definition
from .grid import Matrix
from .shelf import NOBODY, Shelf, less
from .words import Denominator, Metric, Mode, Occurrence

Vector = NDArray[np.int64]
"""By base date."""
BASE = ((0, 0),)
"""The base date itself, as a column."""


class Work(NamedTuple):
    """What is to be counted, wherever."""

    asked: Definition
    periods: Periods
    currency: str
    places: Sequence[Sequence[int]]
    """Of each period that has begun: its places among the shelves' spans."""
    has_base: bool
    """Whether it is asked what the cohorts did in their base periods."""


class Counted(NamedTuple):
    """The figures of one value of a breakdown, or of all; over all shards so far."""

    sizes: Vector
    cells: Matrix
    before: Vector
    """What comes before the first column, for those who ask for PREVIOUS."""
    metric: Vector
    """The same metric in the base period, for those who ask for BASE_METRIC."""
    visits: Vector
    purchases: Vector
    revenue: Vector

    def and_also(self, other: "Counted") -> "Counted":
        return Counted(*(mine + its for mine, its in zip(self, other, strict=True)))


Segments = Sequence[Mapping[int, BitMap]]
"""Of each base date: by shard, who met the segment's conditions."""


def count(
    work: Work, shelves: Mapping[int, Shelf], segments: Segments | None, values: Sequence[str | None]
) -> list[Counted]:
    """By value of the breakdown; None is everybody."""
    found = [_nothing(work) for _ in values]
    for shard, shelf in shelves.items():
        met = None if segments is None else [one.get(shard, NOBODY) for one in segments]
        for number, value in enumerate(values):
            found[number] = found[number].and_also(_of_shard(work, shelf, met, value))
    return found


def cohorts(work: Work, shelf: Shelf, met: Sequence[BitMap] | None, value: str | None) -> list[BitMap]:
    """Who came in at each base date."""
    parts = acts.entry_of(work.asked, value)
    found = [_who(shelf, parts, places) for places in work.places[: len(work.periods.bases)]]
    if met is not None:
        found = [entry & one for entry, one in zip(found, met, strict=False)]
    if work.asked.occurrence is Occurrence.FIRST_MATCHING:
        found = _only_first(found)
    return found


def returns(work: Work, shelf: Shelf, value: str | None) -> list[BitMap]:
    """Who came back in each period."""
    parts = acts.back_of(work.asked, value)
    return [_who(shelf, parts, places) for places in work.places]


def _of_shard(work: Work, shelf: Shelf, met: Sequence[BitMap] | None, value: str | None) -> Counted:
    asked = work.asked
    entries = cohorts(work, shelf, met, value)
    cells, before, metric = _cells(work, shelf, entries, value)
    none = np.zeros(len(entries), dtype=np.int64)
    base = [none] * 3
    if work.has_base:
        base = [
            _in_base(work, shelf, entries, one, value)
            for one in (Metric.VISITS, Metric.PURCHASES, Metric.REVENUE)
        ]
    sizes = np.array([len(one) for one in entries], dtype=np.int64)
    return _padded(work, Counted(sizes, cells, before, metric, *base), len(asked.columns))


def _cells(
    work: Work, shelf: Shelf, entries: Sequence[BitMap], value: str | None
) -> tuple[Matrix, Vector, Vector]:
    """The cells, and what the two denominators that are figures themselves take beside them."""
    asked = work.asked
    columns, mode, first = asked.columns, asked.mode, asked.first_period
    before = ((first - 1, first - 1),)
    is_previous = asked.denominator is Denominator.PREVIOUS and first > 0 and mode is not Mode.BRACKETS
    is_metric = asked.denominator is Denominator.BASE_METRIC
    none = np.zeros(len(entries), dtype=np.int64)
    if asked.metric is Metric.PEOPLE:
        back = returns(work, shelf, value)
        about = (entries, back)
        return (
            grid.people(*about, columns, mode, asked.counts_from),
            grid.people(*about, before, mode, asked.counts_from)[:, 0] if is_previous else none,
            grid.people(*about, BASE, Mode.ON, 0)[:, 0] if is_metric else none,
        )
    held = _amounts(work, shelf, asked.metric, value, len(work.places))
    amounts = [sums.amounts_of(one) for one in held]
    return (
        sums.totals(entries, amounts, columns, mode, asked.counts_from),
        sums.totals(entries, amounts, before, mode, asked.counts_from)[:, 0] if is_previous else none,
        sums.totals(entries, amounts, BASE, Mode.ON, 0)[:, 0] if is_metric else none,
    )


def _in_base(
    work: Work, shelf: Shelf, entries: Sequence[BitMap], metric: Metric, value: str | None
) -> Vector:
    """What each cohort did in its base period."""
    held = _amounts(work, shelf, metric, value, len(entries))
    amounts = [sums.amounts_of(one) for one in held]
    return sums.totals(entries, amounts, BASE, Mode.ON, 0)[:, 0]


def _amounts(work: Work, shelf: Shelf, metric: Metric, value: str | None, most: int) -> list[Held]:
    """What everybody did in each period, as far as it is wanted."""
    parts, taken = acts.measured(work.asked, metric, work.currency, value)
    found = []
    for places in work.places[:most]:
        held = put_together([shelf.how_much(parts, place) for place in places])
        if taken is not None:
            held = less(held, put_together([shelf.how_much(taken, place) for place in places]))
        found.append(held)
    return found


def _who(shelf: Shelf, parts: Parts, places: Sequence[int]) -> BitMap:
    """Who did all of it in one of these spans."""
    found = [shelf.who(parts, place) for place in places]
    return found[0] if len(found) == 1 else BitMap.union(*found)


def _only_first(entries: Sequence[BitMap]) -> list[BitMap]:
    seen, found = NOBODY, []
    for entry in entries:
        found.append(entry - seen)
        seen = seen | entry
    return found


def _nothing(work: Work) -> Counted:
    bases = len(work.periods.bases)
    none = np.zeros(bases, dtype=np.int64)
    cells = np.zeros((bases, len(work.asked.columns)), dtype=np.int64)
    return Counted(none, cells, none, none, none, none, none)


def _padded(work: Work, counted: Counted, columns: int) -> Counted:
    """Base dates that have not begun by the watermark have nobody."""
    more = len(work.periods.bases) - len(counted.sizes)
    if not more:
        return counted
    none, rows = np.zeros(more, dtype=np.int64), np.zeros((more, columns), dtype=np.int64)
    return Counted(
        *(np.concatenate([one, rows if one.ndim == 2 else none]) for one in counted),
    )
