"""How much each cohort did in each period: one shard's sets with amounts, and nothing else.

Small amounts (visits, orders) are taken apart into bitmaps with weights, so that a sum is a handful of
intersections that nobody writes down. Large ones (money) belong to few: those are looked up one by one.
"""

from array import array
from collections.abc import Callable, Sequence, Set
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

Numbers = NDArray[np.uint32]
SMALL = 64
"""Amounts up to this are taken apart: into seven bitmaps at most."""
MOST_BOXES = 512
"""Whose seats take 128 MB: of 64 shards, enough for half a million people in each."""


class Weighted(NamedTuple):
    """Sets whose weights make up everybody's amount."""

    sets: Sequence[tuple[int, BitMap]]

    def within(self, cohort: BitMap) -> int:
        return sum(weight * cohort.intersection_cardinality(one) for weight, one in self.sets)


class Listed(NamedTuple):
    """Numbers of users, rising, and their amounts."""

    users: BitMap
    numbers: Numbers
    amounts: HeldAmounts


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
    ranges = [_periods(column, mode, counts_from, len(returns)) for column in columns]
    sums = _sums(entries, returns, {period for each in ranges for period in each})
    found: Matrix = np.zeros((len(entries), len(columns)), dtype=np.int64)
    for place, each in enumerate(ranges):
        found[:, place] = sums[:, each.start : each.stop].sum(axis=1)
    return found


def _periods(column: tuple[int, int], mode: Mode, counts_from: int, reached: int) -> range:
    """Those that a column is a sum of, as far as any cohort has reached them."""
    first, last = column
    if mode is Mode.ON_OR_AFTER:
        return range(min(first, reached), reached)
    if mode is Mode.ON_OR_BEFORE:
        first = counts_from
    return range(min(first, reached), min(last + 1, reached))


def _sums(entries: Sets, returns: Sequence[Amounts], wanted: Set[int]) -> Matrix:
    """By base date and period, if it is wanted: how much each cohort did."""
    found: Matrix = np.zeros((len(entries), len(returns)), dtype=np.int64)
    seats = _Seats([one for one in returns if isinstance(one, Listed)])
    for place, amounts in enumerate(returns):
        within = amounts.within if isinstance(amounts, Weighted) else seats.taken_by(amounts)
        for base, entry in enumerate(entries[: place + 1]):
            if entry and place - base in wanted:
                found[base, place - base] = within(entry)
    seats.leave()
    return found


class _Seats:
    """A seat for every number that may have an amount, so that nobody has to be searched for.

    Numbers lie 65,536 in a box, and only boxes that somebody is in have seats.
    """

    def __init__(self, listed: Sequence[Listed]) -> None:
        has_somebody = np.zeros(1 << 16, dtype=bool)
        for one in listed:
            has_somebody[one.numbers >> 16] = True
        boxes = np.cumsum(has_somebody)
        self._firsts: Numbers = ((boxes - 1) << 16).astype(np.uint32)
        self._seats = _room_for(int(boxes[-1])) if boxes[-1] <= MOST_BOXES else None

    def taken_by(self, listed: Listed) -> Callable[[BitMap], int]:
        """How much a cohort has of these amounts. Good until other amounts take the seats."""
        seats, amounts = self._seats, listed.amounts
        if seats is not None:
            seats[self._of(listed.numbers)] = np.arange(len(listed.numbers), dtype=np.int32)

        def within(cohort: BitMap) -> int:
            both = numbers_of(listed.users & cohort)
            places = np.searchsorted(listed.numbers, both) if seats is None else seats[self._of(both)]
            return int(amounts[places].sum())

        return within

    def leave(self) -> None:
        """For the next: a room that is built anew each time takes as long to enter as searching does."""
        if self._seats is not None and not _free:
            _free.append(self._seats)

    def _of(self, numbers: Numbers) -> Numbers:
        found: Numbers = self._firsts[numbers >> 16] + (numbers & np.uint32(0xFFFF))
        return found


_free: list[NDArray[np.int32]] = []


def _room_for(boxes: int) -> NDArray[np.int32]:
    """What was in it does not matter: nobody looks at a seat that was not taken."""
    try:
        free = _free.pop()
    except IndexError:
        free = np.empty(0, dtype=np.int32)
    return free if len(free) >= boxes << 16 else np.empty(boxes << 16, dtype=np.int32)
