"""Saved cohort reports: what is asked for, under a name (MY 코호트)."""

from datetime import datetime
from enum import Enum
from typing import Annotated

import strawberry
from strawberry.scalars import JSON

from server.clock import to_datetime
from server.cohorts.definition import Definition
from server.errors import BadInput
from server.resolvers import cohort_reports as resolve
from server.resolvers import records
from server.resolvers.refusals import Missing, Refusal
from server.store.paging import Slice
from server.store.projects import WRITE

from .cohort_given import to_given
from .cohort_inputs import CohortInput, to_definition
from .fields import ONCE, Input, field, mutation
from .ids import key_in, to_id
from .info import Info
from .nodes import Node
from .pages import After, Before, First, Last, PageInfo, cursor_of, page_info, page_of
from .problems import (
    IdempotencyConflictProblem,
    InputProblem,
    NameTakenProblem,
    NotFoundProblem,
    to_problem,
)
from .words import value

ORDER = "cohort_reports"
KIND = "SavedCohortReport"


@strawberry.enum(description="What the cells of a cohort report show.")
class CohortView(Enum):
    VALUE = value("value", description="How many, or how much.")
    RATIO = value("ratio", description="The same as a part of the denominator.")


@strawberry.type(description="What a cohort report is asked for, under a name; answered anew each time.")
class SavedCohortReport(Node):
    record: strawberry.Private[records.CohortReport]
    name: str = strawberry.field(description="What people call it.")
    view: CohortView = strawberry.field(description="What its cells show.")
    created_at: datetime = strawberry.field(description="When it was saved.")
    changed_at: datetime = strawberry.field(description="When it was last changed.")

    @classmethod
    def from_record(cls, record: records.CohortReport) -> "SavedCohortReport":
        assert record.id is not None
        return cls(
            id=to_id(KIND, record.id),
            record=record,
            name=record.name,
            view=CohortView(record.view),
            created_at=to_datetime(record.created_at),
            changed_at=to_datetime(record.changed_at),
        )

    @field("What it is asked for, as `CohortInput` takes it; hand it to `cohort` to have it answered.")
    def definition(self) -> JSON:
        return JSON(to_given(self._definition()))

    @field(
        "What the report names and the project has no longer, for people; empty if all of it is there. "
        "Nothing has been taken out of the report.",
        cost=10,
        list_size=10,
    )
    async def missing(self, info: Info) -> list[str]:
        return await resolve.gone(info.context, self._definition())

    def _definition(self) -> Definition:
        return resolve.definition_of(self.record)


@strawberry.type(description="A saved cohort report and its place in the list.")
class SavedCohortReportEdge:
    node: SavedCohortReport = strawberry.field(description="The report.")
    cursor: str = strawberry.field(description="Its place, for `after` and `before`.")


@strawberry.type(description="A page of saved cohort reports.")
class SavedCohortReportConnection:
    edges: list[SavedCohortReportEdge] = strawberry.field(description="The page, by name.")
    page_info: PageInfo = strawberry.field(description="Where the page lies.")

    @classmethod
    def from_slice(cls, found: Slice) -> "SavedCohortReportConnection":
        edges = [
            SavedCohortReportEdge(
                node=SavedCohortReport.from_record(row), cursor=cursor_of(ORDER, row.name, row.id)
            )
            for row in found.rows
        ]
        return cls(edges=edges, page_info=page_info(found, [edge.cursor for edge in edges]))


@strawberry.input(description="A cohort report to save.")
class CreateCohortReportInput:
    name: str = strawberry.field(description="What people call it: 1 to 100 characters.")
    cohort: CohortInput = strawberry.field(
        description="What it is asked for. What is left out is saved as it is understood now."
    )
    view: CohortView = strawberry.field(default=CohortView.RATIO, description="What its cells show.")
    idempotency_key: str | None = strawberry.field(default=None, description=ONCE)


@strawberry.input(description="What becomes of a saved cohort report; what is left out stays.")
class UpdateCohortReportInput:
    id: strawberry.ID = strawberry.field(description="The report.")
    name: str | None = strawberry.field(default=None, description="The new name.")
    cohort: CohortInput | None = strawberry.field(
        default=None, description="What it is asked for from now on: all of it."
    )
    view: CohortView | None = strawberry.field(default=None, description="What its cells show from now on.")
    idempotency_key: str | None = strawberry.field(default=None, description=ONCE)


@strawberry.input(description="A saved cohort report to take away.")
class DeleteCohortReportInput:
    id: strawberry.ID = strawberry.field(description="The report.")
    idempotency_key: str | None = strawberry.field(default=None, description=ONCE)


@strawberry.type(description="The report was saved.")
class CreateCohortReportPayload:
    report: SavedCohortReport = strawberry.field(description="The new report.")


@strawberry.type(description="The report was changed.")
class UpdateCohortReportPayload:
    report: SavedCohortReport = strawberry.field(description="The report.")


@strawberry.type(description="The report was taken away.")
class DeleteCohortReportPayload:
    id: strawberry.ID = strawberry.field(description="What its id was.")


CreateCohortReportResult = Annotated[
    CreateCohortReportPayload
    | NotFoundProblem
    | NameTakenProblem
    | InputProblem
    | IdempotencyConflictProblem,
    strawberry.union("CreateCohortReportResult", description="The new report, or why there is none."),
]
UpdateCohortReportResult = Annotated[
    UpdateCohortReportPayload
    | NotFoundProblem
    | NameTakenProblem
    | InputProblem
    | IdempotencyConflictProblem,
    strawberry.union("UpdateCohortReportResult", description="The report, or why it stays as it was."),
]
DeleteCohortReportResult = Annotated[
    DeleteCohortReportPayload | NotFoundProblem | InputProblem | IdempotencyConflictProblem,
    strawberry.union("DeleteCohortReportResult", description="That it is gone, or why it stays."),
]


@strawberry.type(description="Saved cohort reports.")
class CohortReportQuery:
    @field("The project's saved cohort reports, by name.")
    async def cohort_reports(
        self,
        info: Info,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> SavedCohortReportConnection:
        page = page_of(ORDER, first, after, last, before)
        return SavedCohortReportConnection.from_slice(await resolve.page(info.context, page))


@strawberry.type(description="What can be changed in saved cohort reports.")
class CohortReportMutation:
    @mutation("Saves a cohort report under a name.")
    async def create_cohort_report(
        self, info: Info, input: Annotated[CreateCohortReportInput, Input]
    ) -> CreateCohortReportResult:
        info.context.require(WRITE)
        try:
            asked = to_definition(input.cohort, ("input", "cohort"))
            about = (input.name, asked, input.view.value, input.idempotency_key)
            answer = await resolve.create(info.context, *about)
            return CreateCohortReportPayload(report=await _report(info, answer["report_id"]))
        except Refusal as error:
            return to_problem(error)

    @mutation("Renames a saved cohort report, asks for something else, or shows it otherwise.")
    async def update_cohort_report(
        self, info: Info, input: Annotated[UpdateCohortReportInput, Input]
    ) -> UpdateCohortReportResult:
        info.context.require(WRITE)
        try:
            asked = to_definition(input.cohort, ("input", "cohort")) if input.cohort else None
            view = input.view.value if input.view else None
            about = (_id(input.id), input.name, asked, view, input.idempotency_key)
            answer = await resolve.update(info.context, *about)
            return UpdateCohortReportPayload(report=await _report(info, answer["report_id"]))
        except Refusal as error:
            return to_problem(error)

    @mutation("Takes a saved cohort report away.")
    async def delete_cohort_report(
        self, info: Info, input: Annotated[DeleteCohortReportInput, Input]
    ) -> DeleteCohortReportResult:
        info.context.require(WRITE)
        try:
            await resolve.remove(info.context, _id(input.id), input.idempotency_key)
            return DeleteCohortReportPayload(id=input.id)
        except Refusal as error:
            return to_problem(error)


async def _report(info: Info, report_id: int) -> SavedCohortReport:
    found = await resolve.by_id(info.context, report_id)
    if found is None:
        raise Missing("The report was taken away since a key was first used.", ("input", "idempotencyKey"))
    return SavedCohortReport.from_record(found)


def _id(id: strawberry.ID) -> int:
    try:
        return key_in(id, KIND)[0]
    except BadInput as error:
        raise Missing(error.message, ("input", "id")) from error
