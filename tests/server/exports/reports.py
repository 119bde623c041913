"""A cohort report that is made up: with what is not over, not reached, and cannot be divided."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from server.cohorts.definition import Definition
from server.cohorts.report import AMOUNT_SCALE, Base, Cell, Group, Report, Row
from server.cohorts.words import Metric

SEOUL = ZoneInfo("Asia/Seoul")
FIRST = date(2024, 3, 11)
TODAY = date(2024, 3, 15)
WON = AMOUNT_SCALE
SIZES = (120, 80, 0, 95, 40)
KEPT = ((30, 24, 12, 6), (8, 20, 16, 4), (0, 0, 0, 0), (19, 25, 0, 0), (5, 0, 0, 0))


def instant(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=SEOUL).astimezone(UTC).timestamp()) * 1000


def report(asked: Definition, *values: str, currency: str = "KRW") -> Report:
    """Base dates from FIRST to TODAY, with as many columns as are asked for, up to four."""
    groups = [_group(asked, value or None, number) for number, value in enumerate(values or ("",))]
    watermark = instant(TODAY) + 12 * 3_600_000
    return Report(asked, "Asia/Seoul", currency, watermark, groups)


def _group(asked: Definition, value: str | None, more: int) -> Group:
    rows = [_row(asked, number, size + more) for number, size in enumerate(SIZES)]
    sums = [sum(parts) for parts in zip(*(row.base for row in rows), strict=True)]
    return Group(value, rows, _averages(rows), Base(*sums))


def _row(asked: Definition, number: int, size: int) -> Row:
    day = FIRST + timedelta(days=number)
    scale = WON if asked.metric is Metric.REVENUE else 1
    cells = []
    for (first, last), kept in zip(asked.columns, KEPT[number], strict=False):
        on = day + timedelta(days=first)
        is_reached = on <= TODAY
        numerator = kept * scale if is_reached else None
        about = (first, last, instant(on), instant(on + timedelta(days=last - first + 1)), on)
        cells.append(Cell(*about, numerator, size, on < TODAY, scale))
    base = Base(size, size * 2, size // 10, size * 1500 * WON)
    ends = instant(day + timedelta(days=1))
    return Row(instant(day), ends, day, size, base, day < TODAY, cells)


def _averages(rows: Sequence[Row]) -> list[Cell]:
    averages = []
    for cells in zip(*(row.cells for row in rows), strict=True):
        over = [cell for cell in cells if cell.complete and cell.denominator]
        sums = (sum(cell.numerator or 0 for cell in over), sum(cell.denominator or 0 for cell in over))
        averages.append(cells[0]._replace(numerator=sums[0], denominator=sums[1], starts_at=None, day=None))
    return averages
