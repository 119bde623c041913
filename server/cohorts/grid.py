"""How many of each cohort came back in each period: one shard's bitmaps, and nothing else.

`entries` are the cohorts, one for each base date; `returns` are those who did what coming back is, one for
each period from the first base date on that has begun. So the n-th period of the i-th cohort is
`returns[i + n]`. What has not begun counts nobody; whoever shows it says that it is not known.

Nothing that is handed in is changed: it may be remembered, and asked again.
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from pyroaring import BitMap

from .words import Mode

Matrix = NDArray[np.int64]
"""By base date and column."""
Sets = Sequence[BitMap]
Columns = Sequence[tuple[int, int]]
"""First and last period of each."""


def people(entries: Sets, returns: Sets, columns: Columns, mode: Mode, counts_from: int) -> Matrix:
    """The numerators of every cell."""
    found: Matrix = np.zeros((len(entries), len(columns)), dtype=np.int64)
    later = after(returns) if mode is Mode.ON_OR_AFTER else returns
    for base, entry in enumerate(entries):
        if entry:
            found[base] = _ROWS[mode](entry, later[base:], columns, counts_from)
    return found


def after(returns: Sets) -> list[BitMap]:
    """For each period, who came back in it or in any later one."""
    found: list[BitMap] = []
    union = BitMap()
    for one in reversed(returns):
        union = union | one
        found.append(union)
    return found[::-1]


def _on(entry: BitMap, returns: Sets, columns: Columns, _: int) -> list[int]:
    reached = len(returns)
    return [
        entry.intersection_cardinality(returns[period]) if period < reached else 0 for period, _ in columns
    ]


def _on_or_before(entry: BitMap, returns: Sets, columns: Columns, counts_from: int) -> list[int]:
    """Who is left of the cohort gets fewer from period to period."""
    counts, left = [0] * counts_from, entry.copy()
    for returned in returns[counts_from : _last(columns) + 1]:
        left -= returned
        counts.append(len(entry) - len(left))
    return _picked(counts, columns)


def _streak(entry: BitMap, returns: Sets, columns: Columns, counts_from: int) -> list[int]:
    """Before counting begins everybody is on a streak."""
    counts, kept = [len(entry)] * counts_from, entry.copy()
    for returned in returns[counts_from : _last(columns) + 1]:
        kept &= returned
        counts.append(len(kept))
    return _picked(counts, columns)


def _brackets(entry: BitMap, returns: Sets, columns: Columns, _: int) -> list[int]:
    counts = []
    for first, last in columns:
        left = entry.copy()
        for returned in returns[first : last + 1]:
            left -= returned
        counts.append(len(entry) - len(left))
    return counts


def _last(columns: Columns) -> int:
    return max(last for _, last in columns)


def _picked(counts: list[int], columns: Columns) -> list[int]:
    return [counts[period] if period < len(counts) else 0 for period, _ in columns]


_ROWS: dict[Mode, Callable[[BitMap, Sets, Columns, int], list[int]]] = {
    Mode.ON: _on,
    Mode.ON_OR_AFTER: _on,
    Mode.ON_OR_BEFORE: _on_or_before,
    Mode.STREAK: _streak,
    Mode.BRACKETS: _brackets,
}
