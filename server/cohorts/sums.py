"""How much each cohort did in each period: one shard's sets with amounts, and nothing else.

Small amounts (visits, orders) are taken apart into bitmaps with weights, so that a sum is a handful of
intersections that nobody writes down. Large ones (money) belong to few: those are looked up one by one.
"""

from array import array
from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple
from weakref import ref

import numpy as np
from numpy.typing import NDArray
from pyroaring import BitMap

from server.aggregates.deed_sets import Amounts as HeldAmounts
from server.aggregates.deed_sets import Held, numbers_of

from .grid import Columns, Matrix, Sets
from .words import Mode

SMALL = 64
"""Amounts up to this are taken apart: into seven bitmaps at most."""


class Weighted(NamedTuple):
    """Sets whose weights make up everybody's amount."""

    sets: Sequence[tuple[int, BitMap]]

    def within(self, cohort: BitMap) -> int:
        return sum(weight * cohort.intersection_cardinality(one) for weight, one in self.sets)


class Listed(NamedTuple):
    """Numbers of users, rising, and their amounts."""

    users: BitMap
    numbers: NDArray[np.uint32]
    amounts: HeldAmounts

    def within(self, cohort: BitMap) -> int:
        both = self.users & cohort
        if len(both) == len(self.numbers):
            return int(self.amounts.sum())
        places = np.searchsorted(self.numbers, numbers_of(both))
        return int(self.amounts[places].sum())


Amounts = Weighted | Listed


_known: dict[int, tuple[ref[Any], Weighted]] = {}
"""By where amounts lie: as long as they are remembered, what they were taken apart into is as well."""


def amounts_of(held: Held) -> Amounts:
    """The form in which a sum over a cohort costs least."""
    if held.amounts is None or not len(held.amounts):
        return Weighted(())
    place = id(held.amounts)
    known = _known.get(place)
    if known is not None and known[0]() is held.amounts:
        return known[1]
    if held.amounts.min() < 0 or held.amounts.max() > SMALL:
        # Holds the amounts themselves: remembered here, they would never be forgotten anywhere.
        return Listed(held.users, numbers_of(held.users), held.amounts)
    made = Weighted(_taken_apart(held.users, held.amounts))
    _known[place] = (ref(held.amounts, partial(_forget, _known, place)), made)
    return made


def _forget(known: dict[int, tuple[ref[Any], Weighted]], place: int, gone: ref[Any]) -> None:
    """Other amounts may lie there by now. (When the interpreter ends, a module's names go before this.)"""
    if place in known and known[place][0] is gone:
        del known[place]


def _taken_apart(users: BitMap, amounts: HeldAmounts) -> list[tuple[int, BitMap]]:
    """Most amounts are 1: everybody once, without those of 0, and the bits of whatever is above 1."""
    numbers = numbers_of(users)
    found = [(1, users)]
    if (none := amounts == 0).any():
        found.append((-1, _set(numbers[none])))
    several = amounts > 1
    numbers, more = numbers[several], amounts[several] - 1
    for bit in range(int(more.max(initial=0)).bit_length()):
        found.append((1 << bit, _set(numbers[more >> bit & 1 == 1])))
    return found


def _set(numbers: NDArray[np.uint32]) -> BitMap:
    # From an array of Python's own: sixteen times faster than from one of NumPy's.
    return BitMap(array("I", numbers.tobytes()))


def totals(
    entries: Sets, returns: Sequence[Amounts], columns: Columns, mode: Mode, counts_from: int
) -> Matrix:
    """The numerators of every cell. A streak has none: it is of people."""
    found: Matrix = np.zeros((len(entries), len(columns)), dtype=np.int64)
    for base, entry in enumerate(entries):
        if entry:
            found[base] = _row(entry, returns[base:], columns, mode, counts_from)
    return found


def _row(
    entry: BitMap, later: Sequence[Amounts], columns: Columns, mode: Mode, counts_from: int
) -> list[int]:
    known: dict[int, int] = {}

    def between(first: int, last: int) -> int:
        for period in range(first, min(last + 1, len(later))):
            if period not in known:
                known[period] = later[period].within(entry)
        return sum(known[period] for period in range(first, min(last + 1, len(later))))

    if mode is Mode.ON_OR_AFTER:
        return [between(first, len(later)) for first, _ in columns]
    if mode is Mode.ON_OR_BEFORE:
        return [between(counts_from, last) for _, last in columns]
    return [between(first, last) for first, last in columns]
