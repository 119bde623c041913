"""Heat: from a pale sky-blue for what is low to a deep blue for what is high.

Colours are those of the cells themselves, not rules of a spreadsheet's: every program shows them alike, and
numbers on the deep ones are white.
"""

from collections.abc import Sequence
from enum import StrEnum

STEPS = 11
_PALE, _DEEP = (0xE6, 0xF4, 0xFD), (0x0B, 0x3D, 0x91)
WHITE_FROM = 7


class Scale(StrEnum):
    """Among which cells high and low are told apart."""

    ROW = "row"
    COLUMN = "column"
    TABLE = "table"


def colour(step: int) -> str:
    share = step / (STEPS - 1)
    parts = (round(pale + (deep - pale) * share) for pale, deep in zip(_PALE, _DEEP, strict=True))
    return "#" + "".join(f"{part:02X}" for part in parts)


def steps(
    table: Sequence[Sequence[float | None]], settled: Sequence[Sequence[bool]], scale: Scale
) -> list[list[int | None]]:
    """How hot each cell is: 0 to STEPS - 1, and None for an empty one.

    What is not `settled` is coloured, but does not say what high and low are.
    """
    ends = _ends(table, settled, scale)
    return [
        [
            None if cell is None else _step(cell, *ends.get(_key(scale, y, x), (0, 0)))
            for x, cell in enumerate(row)
        ]
        for y, row in enumerate(table)
    ]


def _ends(
    table: Sequence[Sequence[float | None]], settled: Sequence[Sequence[bool]], scale: Scale
) -> dict[tuple[int, int], tuple[float, float]]:
    """The lowest and the highest of each row, of each column, or of all."""
    ends: dict[tuple[int, int], tuple[float, float]] = {}
    for y, row in enumerate(table):
        for x, cell in enumerate(row):
            if cell is not None and settled[y][x]:
                low, high = ends.get(_key(scale, y, x), (cell, cell))
                ends[_key(scale, y, x)] = min(low, cell), max(high, cell)
    return ends


def _key(scale: Scale, y: int, x: int) -> tuple[int, int]:
    """Cells with the same key are told apart from one another."""
    return {Scale.ROW: (y, 0), Scale.COLUMN: (0, x), Scale.TABLE: (0, 0)}[scale]


def _step(cell: float, low: float, high: float) -> int:
    if high <= low:
        return 0
    return round(min(1.0, max(0.0, (cell - low) / (high - low))) * (STEPS - 1))
