"""From figures to a report: cells with what they are a part of, and averages."""

from collections.abc import Sequence

from server.aggregates.calendar import start_of
from server.clock import Instant

from .counting import Counted, Work
from .report import Base, Cell, Group, Row, scales
from .words import Denominator, Mode


def group(work: Work, counted: Counted, value: str | None, watermark: Instant) -> Group:
    """The cohorts of one value, one row for each base date."""
    rows = [_row(work, counted, base, watermark) for base in range(len(work.periods.bases))]
    return Group(value, rows, averages(rows), _totals(rows))


def averages(rows: Sequence[Row]) -> list[Cell]:
    """By column: numerators and denominators of its complete cells, pooled. Whoever lost everybody counts
    with 0; a cohort of nobody says nothing."""
    return [
        _average([row.cells[place] for row in rows]) for place in range(len(rows[0].cells) if rows else 0)
    ]


def _average(cells: Sequence[Cell]) -> Cell:
    counting = [cell for cell in cells if cell.complete and cell.numerator is not None and cell.denominator]
    first = cells[0]
    about = (first.first, first.last, None, None, None)
    if not counting:
        return Cell(*about, None, None, complete=False, scale=first.scale, base_scale=first.base_scale)
    return Cell(
        *about,
        sum(cell.numerator or 0 for cell in counting),
        sum(cell.denominator or 0 for cell in counting),
        complete=True,
        scale=first.scale,
        base_scale=first.base_scale,
    )


def _row(work: Work, counted: Counted, base: int, watermark: Instant) -> Row:
    bucket, zone = work.periods.bases[base], work.periods.zone
    starts_at, ends_at = start_of(bucket.first, zone), start_of(bucket.until, zone)
    return Row(
        starts_at,
        ends_at,
        bucket.first,
        int(counted.sizes[base]),
        _base(counted, base),
        ends_at <= watermark,
        _cells(work, counted, base, watermark),
    )


def _base(counted: Counted, base: int) -> Base:
    return Base(
        int(counted.sizes[base]),
        int(counted.visits[base]),
        int(counted.purchases[base]),
        int(counted.revenue[base]),
    )


def _cells(work: Work, counted: Counted, base: int, watermark: Instant) -> list[Cell]:
    asked = work.asked
    scale, base_scale = scales(asked.metric, asked.denominator)
    found: list[Cell] = []
    for place, (first, last) in enumerate(asked.columns):
        starts_at, ends_at = work.periods.ends(base, first, last)
        complete = ends_at <= watermark
        known = base + first < len(work.periods.reached)
        cell = Cell(
            first,
            last,
            starts_at,
            ends_at,
            work.periods.later(base, first).first,
            int(counted.cells[base, place]) if known else None,
            _denominator(work, counted, base, place, found, complete=complete),
            complete,
            scale,
            base_scale,
        )
        found.append(cell)
    return found


def _denominator(
    work: Work, counted: Counted, base: int, place: int, earlier: Sequence[Cell], *, complete: bool
) -> int | None:
    """None where there is nothing that it could be."""
    asked, size = work.asked, int(counted.sizes[base])
    if asked.denominator is Denominator.ELIGIBLE:
        # By the calendar a whole cohort comes through a period together.
        return size if complete else 0
    if asked.denominator is Denominator.BASE_METRIC:
        return int(counted.metric[base])
    if asked.denominator is Denominator.COHORT_SIZE:
        return size
    if place > 0:
        return earlier[-1].numerator
    if asked.first_period > 0 and asked.mode is not Mode.BRACKETS:
        return (
            int(counted.before[base]) if base + asked.first_period - 1 < len(work.periods.reached) else None
        )
    return None


def _totals(rows: Sequence[Row]) -> Base:
    return Base(*(sum(row.base[place] for row in rows) for place in range(len(Base._fields))))
