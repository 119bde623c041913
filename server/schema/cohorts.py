"""Cohort reports: who came in, and what became of them in the periods after."""

from collections import defaultdict
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated

import strawberry
from strawberry.scalars import JSON

from server.clock import to_datetime, to_datetime_if_any
from server.cohorts import report as records
from server.cohorts import sentences
from server.cohorts.stored import to_data
from server.cohorts.words import Metric, Mode
from server.resolvers import cohorts as resolve
from server.resolvers.refusals import Refusal

from .cohort_inputs import CohortInput, to_definition
from .cohort_words import (
    CohortAlignment,
    CohortDenominator,
    CohortGranularity,
    CohortLanguage,
    CohortMetric,
    CohortMode,
    CohortOccurrence,
    CohortUnit,
)
from .fields import Input, field
from .info import Info, fields_below
from .problems import ConditionProblems, InputProblem, NotFoundProblem, to_problem
from .scalars import Count

_BASE = ("base", "totals")
"""The fields that ask what cohorts did in their base periods: nobody else has it counted."""


@strawberry.type(description="What a cohort did in its base period, on the devices that the report is about.")
class CohortBase:
    visits: Count = strawberry.field(description="Visits begun. 방문수.")
    purchases: Count = strawberry.field(description="Orders. 구매수.")
    revenue: Decimal = strawberry.field(
        description="What was paid, less what was given back, in the report's currency. 구매액."
    )

    @classmethod
    def from_record(cls, found: records.Base) -> "CohortBase":
        revenue = Decimal(found.revenue) / records.AMOUNT_SCALE
        return cls(visits=found.visits, purchases=found.purchases, revenue=revenue)


@strawberry.type(description="One cohort in one period, or in one bracket of them.")
class CohortCell:
    base_date: date | None = strawberry.field(
        description="The first day of the cohort's base period; null for an average."
    )
    period: int = strawberry.field(
        description="The period, counted from the base date; of a bracket the first."
    )
    last_period: int = strawberry.field(description="The last period of a bracket; else the same.")
    day: date | None = strawberry.field(
        name="date",
        description="The day on which the period begins: cells of one day are a diagonal. Null for an "
        "average, and where each unit has its own periods.",
    )
    starts_at: datetime | None = strawberry.field(description="When the period begins; null as `date` is.")
    ends_at: datetime | None = strawberry.field(description="When it is over; null as `date` is.")
    numerator: float | None = strawberry.field(
        description="The value: how many came back, or a sum; money in the currency's unit. Null while the "
        "period has not begun, which is not 0."
    )
    denominator: float | None = strawberry.field(
        description="What it is divided by. Null where there is nothing that it could be."
    )
    ratio: float | None = strawberry.field(
        description="Numerator by denominator. Null when the denominator is 0 or null, or nothing is known "
        "yet. Above 1, or negative, where sums are."
    )
    churn: float | None = strawberry.field(
        description="1 less the ratio, for PEOPLE and ON_OR_AFTER: the share that was not seen in the period "
        "nor later, up to the watermark. Null for everything else: who is missing in one period may come yet."
    )
    complete: bool = strawberry.field(
        description="Whether all of its period is over and counted. What comes late can still change it; and "
        "of ON_OR_AFTER, which looks at all later periods too, it can rise while somebody may come back."
    )


@strawberry.type(description="One cohort: those who came in at one base date.")
class CohortRow:
    record: strawberry.Private[records.Row]
    cells: list[CohortCell] = strawberry.field(
        description="Its periods, in order.", metadata={"list_size": 8}
    )
    base_date: date = strawberry.field(description="The first day of its base period. 기준일.")
    starts_at: datetime = strawberry.field(description="When the base period begins.")
    ends_at: datetime = strawberry.field(description="When it is over.")
    size: Count = strawberry.field(description="How many came in, of the report's unit.")
    complete: bool = strawberry.field(description="Whether its base period is over and counted.")

    @field("What they did in the base period itself.")
    def base(self) -> CohortBase:
        return CohortBase.from_record(self.record.base)


@strawberry.type(description="Cells of one period, one for each base date: how cohorts differ over time.")
class CohortColumn:
    period: int = strawberry.field(description="The period; of a bracket the first.")
    last_period: int = strawberry.field(description="The last period of a bracket; else the same.")
    average: CohortCell = strawberry.field(
        description="Numerators and denominators of complete cells, pooled; cohorts of nobody are left out. "
        "Of ON_OR_AFTER it can still rise, as its cells can."
    )
    cells: list[CohortCell] = strawberry.field(
        description="The cells, the earliest base date first.", metadata={"list_size": 30}
    )


@strawberry.type(
    description="Cells of one calendar day, week or month: how many of each cohort are still there."
)
class CohortDiagonal:
    day: date = strawberry.field(name="date", description="The day on which it begins.")
    cells: list[CohortCell] = strawberry.field(
        description="The cells, the earliest base date first.", metadata={"list_size": 8}
    )


@strawberry.type(description="The cohorts of everybody, or of one value of the breakdown.")
class CohortTable:
    record: strawberry.Private[records.Group]
    rows: list[CohortRow] = strawberry.field(
        description="The cohorts, the earliest base date first.", metadata={"list_size": 30}
    )
    value: str | None = strawberry.field(description="The value of the breakdown; null for everybody.")
    averages: list[CohortCell] = strawberry.field(
        description="By period: numerators and denominators of complete cells, pooled. Cohorts of nobody are "
        "left out, and those who lost everybody are not. Of ON_OR_AFTER they can still rise, as cells can.",
        metadata={"list_size": 8},
    )

    @field("The rows' base values added up: who came in at several dates counts at each.")
    def totals(self) -> CohortBase:
        return CohortBase.from_record(self.record.totals)

    @field("The same cells by period.", list_size=8)
    def columns(self) -> list[CohortColumn]:
        return [
            CohortColumn(
                period=average.period,
                last_period=average.last_period,
                average=average,
                cells=[row.cells[place] for row in self.rows],
            )
            for place, average in enumerate(self.averages)
        ]

    @field(
        "The same cells by the day on which their periods begin; none where periods have no day.",
        list_size=37,
    )
    def diagonals(self) -> list[CohortDiagonal]:
        found: defaultdict[date, list[CohortCell]] = defaultdict(list)
        for row in self.rows:
            for cell in row.cells:
                if cell.day is not None and cell.numerator is not None:
                    found[cell.day].append(cell)
        return [CohortDiagonal(day=day, cells=cells) for day, cells in sorted(found.items())]

    @classmethod
    def from_record(cls, found: records.Group, *, has_churn: bool) -> "CohortTable":
        return cls(
            record=found,
            rows=[_row(row, has_churn=has_churn) for row in found.rows],
            value=found.value,
            averages=[_cell(cell, None, has_churn=has_churn) for cell in found.averages],
        )


@strawberry.type(description="What a report is: two can be compared only if all of this agrees.")
class CohortDefinition:
    told: strawberry.Private[resolve.Told]
    unit: CohortUnit = strawberry.field(description="Who is counted.")
    metric: CohortMetric = strawberry.field(description="What is counted.")
    mode: CohortMode = strawberry.field(description="Which periods a cell is about.")
    occurrence: CohortOccurrence = strawberry.field(description="Which entries count.")
    denominator: CohortDenominator = strawberry.field(description="What numerators are divided by.")
    granularity: CohortGranularity = strawberry.field(description="How long a period is.")
    alignment: CohortAlignment = strawberry.field(description="Where periods begin.")
    zone: str = strawberry.field(description="The project's time zone.")
    currency: str | None = strawberry.field(
        description="Of revenue; null if nobody has ever paid. Amounts of other currencies are not in."
    )
    data: JSON = strawberry.field(description="All of it, as it is saved: with a version.")

    @field("All of it in a few sentences.")
    def sentence(
        self,
        language: Annotated[
            CohortLanguage, strawberry.argument(description="In which language.")
        ] = CohortLanguage.EN,
    ) -> str:
        tell = sentences.korean if language is CohortLanguage.KO else sentences.english
        return tell(self.told.report, self.told.titles)

    @classmethod
    def from_told(cls, told: resolve.Told) -> "CohortDefinition":
        asked = told.report.definition
        return cls(
            told=told,
            unit=CohortUnit(asked.unit.value),
            metric=CohortMetric(asked.metric.value),
            mode=CohortMode(asked.mode.value),
            occurrence=CohortOccurrence(asked.occurrence.value),
            denominator=CohortDenominator(asked.denominator.value),
            granularity=CohortGranularity(asked.granularity.value),
            alignment=CohortAlignment(asked.alignment.value),
            zone=told.report.zone,
            currency=told.report.currency or None,
            data=JSON(to_data(asked)),
        )


@strawberry.type(description="A cohort report, all from one snapshot.")
class CohortReport:
    definition: CohortDefinition = strawberry.field(description="What it is.")
    watermark: datetime = strawberry.field(
        description="Everything that we were told before it is counted. What comes late counts where it "
        "happened."
    )
    everybody: CohortTable = strawberry.field(description="All cohorts.")
    groups: list[CohortTable] = strawberry.field(
        description="The same for each value of the breakdown; empty without one.", metadata={"list_size": 3}
    )
    left_out: int = strawberry.field(
        description="Values of the breakdown that had somebody in those months, and are not shown."
    )

    @classmethod
    def from_told(cls, told: resolve.Told) -> "CohortReport":
        found = told.report
        has_churn = found.definition.metric is Metric.PEOPLE and found.definition.mode is Mode.ON_OR_AFTER
        everybody, *groups = [CohortTable.from_record(one, has_churn=has_churn) for one in found.groups]
        return cls(
            definition=CohortDefinition.from_told(told),
            watermark=to_datetime(found.watermark),
            everybody=everybody,
            groups=groups,
            left_out=found.left_out,
        )


CohortResult = Annotated[
    CohortReport | ConditionProblems | NotFoundProblem | InputProblem,
    strawberry.union("CohortResult", description="The report, or why there is none."),
]


@strawberry.type
class CohortQuery:
    @field(
        "A cohort report: at most 3,000 cells. What nobody selects is not counted: `base` and `totals` cost "
        "as much again.",
        cost=100,
    )
    async def cohort(self, info: Info, input: Annotated[CohortInput, Input]) -> CohortResult:
        try:
            asked = to_definition(input)
            has_base = any(below.name in _BASE for _, below in fields_below(info))
            return CohortReport.from_told(
                await resolve.report(info.context, asked, ("input",), has_base=has_base)
            )
        except Refusal as error:
            return to_problem(error)


def _row(row: records.Row, *, has_churn: bool) -> CohortRow:
    return CohortRow(
        record=row,
        cells=[_cell(cell, row.day, has_churn=has_churn) for cell in row.cells],
        base_date=row.day,
        starts_at=to_datetime(row.starts_at),
        ends_at=to_datetime(row.ends_at),
        size=row.size,
        complete=row.complete,
    )


def _cell(cell: records.Cell, base: date | None, *, has_churn: bool) -> CohortCell:
    ratio = cell.ratio
    return CohortCell(
        base_date=base,
        period=cell.first,
        last_period=cell.last,
        day=cell.day,
        starts_at=to_datetime_if_any(cell.starts_at),
        ends_at=to_datetime_if_any(cell.ends_at),
        numerator=_scaled(cell.numerator, cell.scale),
        denominator=_scaled(cell.denominator, cell.base_scale),
        ratio=ratio,
        churn=1 - ratio if has_churn and ratio is not None else None,
        complete=cell.complete,
    )


def _scaled(number: int | None, scale: int) -> float | None:
    return None if number is None else number / scale
