"""A cohort report as rows: one for each base date, with what a page shows of it, or with all of it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Any

from server.cohorts.definition import Definition
from server.cohorts.report import AMOUNT_SCALE, Cell, Group, Report
from server.cohorts.report import Row as Cohort
from server.cohorts.words import Denominator, Metric, Unit

from . import cohort_words as words
from .sheets import Cell as Kind
from .sheets import Column, Language, Row
from .words import Word


class View(StrEnum):
    """What a cell shows."""

    VALUE = "value"
    RATIO = "ratio"


VIEWS: dict[str, Word] = {View.VALUE: Word("값", "Value"), View.RATIO: Word("비율", "Ratio")}


@dataclass(frozen=True, slots=True)
class Looks:
    """How a report is shown."""

    language: Language
    views: tuple[View, ...]
    """One on a page; of everything both."""
    of_several: bool = False
    """Whether there are reports on several metrics and devices."""
    journeys: dict[int, str] = field(default_factory=dict)
    """What journeys are called that a report names."""


def is_percent(asked: Definition) -> bool:
    """Whether a ratio is a part of a whole, and not so much for each head."""
    heads = asked.denominator in (Denominator.COHORT_SIZE, Denominator.ELIGIBLE)
    return asked.metric is Metric.PEOPLE or not heads


def shown(cell: Cell, view: View) -> int | Decimal | float | None:
    """The number in a cell; None where there is none yet, and where there is nothing to divide by."""
    if view is View.RATIO:
        return cell.ratio
    if cell.numerator is None or cell.scale == 1:
        return cell.numerator
    return Decimal(cell.numerator) / cell.scale


def money(amount: int) -> Decimal:
    return Decimal(amount) / AMOUNT_SCALE


def columns(asked: Definition, looks: Looks) -> list[Column]:
    several = [
        Column("metric", "지표", "Metric", words=words.METRICS),
        Column("device", "기기", "Device", words=words.DEVICES),
    ]
    last = [
        Column("complete_cells", "끝난 칸 수", "Complete cells", Kind.COUNT),
        Column("watermark", "집계 완료 시각", "Counted up to", Kind.TIME),
        Column("definition", words.DEFINITION.ko, words.DEFINITION.en),
    ]
    group = [Column("group", words.GROUP.ko, words.GROUP.en)] if asked.breakdown else []
    base = [Column("base_date", words.BASE.ko, words.BASE.en), *group, *_base_columns(asked.unit)]
    return [*(several if looks.of_several else []), *base, *_cell_columns(asked, looks), *last]


def _base_columns(unit: Unit) -> list[Column]:
    size = words.SIZES[unit]
    return [
        Column("size", size.ko, size.en, Kind.COUNT),
        Column("visits", words.VISITS.ko, words.VISITS.en, Kind.COUNT),
        Column("purchases", words.PURCHASES.ko, words.PURCHASES.en, Kind.COUNT),
        Column("amount", words.REVENUE.ko, words.REVENUE.en, Kind.NUMBER),
    ]


def _cell_columns(asked: Definition, looks: Looks) -> Iterator[Column]:
    for view in looks.views:
        for first, last in asked.columns:
            name = f"{asked.granularity.value}_{first}" + (f"_to_{last}" if last != first else "")
            said = words.period(asked, (first, last))
            if looks.of_several:
                ko, en = (f"{said} {VIEWS[view].in_(language)}" for language in (Language.KO, Language.EN))
                yield Column(f"{name}_{view.value}", ko, en, Kind.NUMBER)
            else:
                yield Column(name, said, said, Kind.RATE if view is View.RATIO else Kind.NUMBER)


def rows(report: Report, looks: Looks) -> list[Row]:
    definition = words.in_a_line(report, looks.language, looks.journeys)
    return [
        (
            *_head(report, group, cohort, looks),
            *_cells(cohort.cells, looks),
            *_tail(report, cohort, definition),
        )
        for group in report.groups
        for cohort in group.rows
    ]


def _head(report: Report, group: Group, cohort: Cohort, looks: Looks) -> tuple[Any, ...]:
    asked, base = report.definition, cohort.base
    several = (asked.metric.value, asked.device.value) if looks.of_several else ()
    named = (words.group(group, looks.language),) if asked.breakdown else ()
    at = words.base_of(asked, cohort.starts_at, report.zone)
    return (*several, at, *named, cohort.size, base.visits, base.purchases, money(base.revenue))


def _cells(cells: Sequence[Cell], looks: Looks) -> Iterator[Any]:
    return (shown(cell, view) for view in looks.views for cell in cells)


def _tail(report: Report, cohort: Cohort, definition: str) -> tuple[Any, ...]:
    return sum(cell.complete for cell in cohort.cells), report.watermark, definition
