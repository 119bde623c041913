"""Exports: files that are written in the background, and downloaded by links that expire."""

from collections.abc import AsyncGenerator
from datetime import datetime
from enum import Enum
from typing import Annotated

import strawberry
from strawberry.utils.str_converters import to_camel_case

from server.clock import to_datetime, to_datetime_if_any
from server.errors import BadInput, NotFound
from server.exports.formats import Format
from server.exports.sheets import Language
from server.resolvers import exports as resolve
from server.resolvers import records
from server.resolvers.exports import Wish
from server.resolvers.refusals import Missing, Refusal
from server.store.paging import Slice
from server.store.projects import READ, WRITE

from .export_inputs import ExportWhat
from .fields import ONCE, Input, field, mutation, subscription
from .ids import key_in, to_id
from .info import Info
from .nodes import Node
from .pages import After, Before, First, Last, PageInfo, cursor_of, page_info, page_of
from .problems import IdempotencyConflictProblem, InputProblem, NotFoundProblem, to_problem
from .scalars import Count
from .words import value

ORDER = "exports"


@strawberry.enum(description="What kind of file.")
class ExportFormat(Enum):
    CSV = value("csv", description="For spreadsheets; cells cannot become formulas.")
    XLSX = value("xlsx", description="An Excel workbook: numbers are numbers, and times are dates.")
    JSONL = value("jsonl", description="JSON Lines, for programs: an object a row, with keys in English.")


@strawberry.enum(description="In which language people read a file.")
class ExportLanguage(Enum):
    KO = value("ko", description="Korean.")
    EN = value("en", description="English.")


@strawberry.enum(description="How an export stands.")
class ExportState(Enum):
    QUEUED = value("queued", description="Waits for its turn, or for somebody to go on with it.")
    RUNNING = value("running", description="Is being written.")
    READY = value("ready", description="Can be downloaded.")
    FAILED = value("failed", description="Could not be written; `problem` says why.")
    CANCELED = value("canceled", description="Was taken back before it was ready.")
    EXPIRED = value("expired", description="Was ready; its file is deleted.")


@strawberry.type(description="A file that somebody has asked for.")
class Export(Node):
    record: strawberry.Private[records.Export]
    kind: str = strawberry.field(description="What it is about: a field of `ExportWhat`.")
    state: ExportState = strawberry.field(description="How it stands.")
    format: ExportFormat = strawberry.field(description="What kind of file.")
    language: ExportLanguage = strawberry.field(description="The language of its headings.")
    problem: str | None = strawberry.field(description="Why it failed; null if it did not.")
    file_name: str | None = strawberry.field(description="What it is called; null until it is begun.")
    rows: Count = strawberry.field(description="Rows written so far, without the heading.")
    expected_rows: Count | None = strawberry.field(
        description="How many there will be; null where counting them is as much work as writing them."
    )
    size: Count = strawberry.field(description="Bytes of the file so far.")
    asked_by: str | None = strawberry.field(description="The beginning of the key that asked for it.")
    created_at: datetime = strawberry.field(description="When it was asked for.")
    as_of: datetime | None = strawberry.field(
        description="When it was begun: what began later is not in the file. Null until then."
    )
    finished_at: datetime | None = strawberry.field(description="When it was ready, or given up.")
    expires_at: datetime | None = strawberry.field(description="When the file is deleted.")

    @classmethod
    def from_record(cls, record: records.Export) -> "Export":
        assert record.id is not None
        return cls(
            id=to_id("Export", record.id),
            record=record,
            kind=to_camel_case(record.kind),
            state=ExportState(record.state),
            format=ExportFormat(record.format),
            language=ExportLanguage(record.language),
            problem=record.problem or None,
            file_name=record.file_name or None,
            rows=record.rows,
            expected_rows=record.expected,
            size=record.size,
            asked_by=record.asked_by or None,
            created_at=to_datetime(record.created_at),
            as_of=to_datetime_if_any(record.started_at),
            finished_at=to_datetime_if_any(record.finished_at),
            expires_at=to_datetime_if_any(record.expires_at),
        )

    @field(
        "A fresh link to the file, which needs no key and opens it for an hour; null while there is none. "
        "Whoever has the link has the file."
    )
    def download_url(self, info: Info) -> str | None:
        return resolve.download_url(info.context, self.record)


@strawberry.type(description="An export and its place among the exports.")
class ExportEdge:
    node: Export = strawberry.field(description="The export.")
    cursor: str = strawberry.field(description="Its place, for `after` and `before`.")


@strawberry.type(description="A page of exports, the latest first.")
class ExportConnection:
    edges: list[ExportEdge] = strawberry.field(description="The exports of this page.")
    page_info: PageInfo = strawberry.field(description="Where the page lies.")

    @classmethod
    def from_slice(cls, found: Slice) -> "ExportConnection":
        edges = [
            ExportEdge(node=Export.from_record(row), cursor=cursor_of(ORDER, row.id)) for row in found.rows
        ]
        return cls(edges=edges, page_info=page_info(found, [edge.cursor for edge in edges]))


@strawberry.input(description="A file that somebody wants to have.")
class StartExportInput:
    what: ExportWhat = strawberry.field(description="What it is about.")
    format: ExportFormat = strawberry.field(default=ExportFormat.CSV, description="What kind of file.")
    language: ExportLanguage = strawberry.field(
        default=ExportLanguage.EN, description="The language of its headings, and of our words in its cells."
    )
    byte_order_mark: bool = strawberry.field(
        default=False,
        description="Whether a CSV file begins with the mark of UTF-8, by which Excel knows Korean.",
    )
    idempotency_key: str | None = strawberry.field(default=None, description=ONCE)


@strawberry.input(description="An export to take back.")
class CancelExportInput:
    id: strawberry.ID = strawberry.field(description="The export.")
    idempotency_key: str | None = strawberry.field(default=None, description=ONCE)


@strawberry.input(description="An export to delete.")
class DeleteExportInput:
    id: strawberry.ID = strawberry.field(description="The export.")
    idempotency_key: str | None = strawberry.field(default=None, description=ONCE)


@strawberry.type(description="The export stands in line.")
class StartExportPayload:
    export: Export = strawberry.field(description="The export.")


@strawberry.type(description="The export was taken back.")
class CancelExportPayload:
    export: Export = strawberry.field(description="The export; of its file nothing is left.")


@strawberry.type(description="The export was deleted, with its file.")
class DeleteExportPayload:
    id: strawberry.ID = strawberry.field(description="What its id was.")


StartExportResult = Annotated[
    StartExportPayload | NotFoundProblem | InputProblem | IdempotencyConflictProblem,
    strawberry.union("StartExportResult", description="The export, or why there will be none."),
]
CancelExportResult = Annotated[
    CancelExportPayload | NotFoundProblem | InputProblem | IdempotencyConflictProblem,
    strawberry.union("CancelExportResult", description="The export, or why it stays as it is."),
]
DeleteExportResult = Annotated[
    DeleteExportPayload | NotFoundProblem | IdempotencyConflictProblem | InputProblem,
    strawberry.union("DeleteExportResult", description="That it is gone, or why it is not."),
]

Id = Annotated[strawberry.ID, strawberry.argument(description="As it was handed out.")]


@strawberry.type
class ExportQuery:
    @field("One export; null if it is not in this project.")
    async def export(self, info: Info, id: Id) -> Export | None:
        found = await resolve.by_id(info.context, *key_in(id, "Export"))
        return Export.from_record(found) if found else None

    @field("The project's exports, the latest first.")
    async def exports(
        self,
        info: Info,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> ExportConnection:
        page = page_of(ORDER, first, after, last, before)
        return ExportConnection.from_slice(await resolve.page(info.context, page))


@strawberry.type
class ExportMutation:
    @mutation("Has a file written in the background. Files hold what is known of people: docs/exports.md.")
    async def start_export(self, info: Info, input: Annotated[StartExportInput, Input]) -> StartExportResult:
        info.context.require(WRITE)
        try:
            answer = await resolve.start(info.context, await _wish(info, input), input.idempotency_key)
            return StartExportPayload(export=await _named(info, answer["export_id"]))
        except Refusal as error:
            return to_problem(error)

    @mutation("Takes an export back that is not ready yet.")
    async def cancel_export(
        self, info: Info, input: Annotated[CancelExportInput, Input]
    ) -> CancelExportResult:
        info.context.require(WRITE)
        try:
            answer = await resolve.cancel(info.context, _id(input.id), input.idempotency_key)
            return CancelExportPayload(export=await _named(info, answer["export_id"]))
        except Refusal as error:
            return to_problem(error)

    @mutation("Deletes an export with its file, also before its time; one that is being written stops.")
    async def delete_export(
        self, info: Info, input: Annotated[DeleteExportInput, Input]
    ) -> DeleteExportResult:
        info.context.require(WRITE)
        try:
            await resolve.remove(info.context, _id(input.id), input.idempotency_key)
            return DeleteExportPayload(id=input.id)
        except Refusal as error:
            return to_problem(error)


@strawberry.type
class ExportSubscription:
    @subscription("An export as it stands, and again whenever it has come further, until it is over.")
    async def export_progress(self, info: Info, id: Id) -> AsyncGenerator[Export, None]:
        info.context.require(READ)
        (export_id,) = key_in(id, "Export")
        if await resolve.by_id(info.context, export_id) is None:
            raise NotFound("There is no such export in this project.")
        async for found in resolve.watch(info.context, export_id):
            yield Export.from_record(found)


async def _wish(info: Info, input: StartExportInput) -> Wish:
    kind, said = input.what.chosen()
    arguments = await said.arguments(info.context, ("input", "what", to_camel_case(kind)))
    format, language = Format(input.format.value), Language(input.language.value)
    return Wish(kind, arguments, format, language, input.byte_order_mark)


async def _named(info: Info, export_id: int) -> Export:
    """Raises Missing if it was deleted meanwhile."""
    found = await resolve.by_id(info.context, export_id)
    if found is None:
        raise Missing("This export was deleted.", ("input",))
    return Export.from_record(found)


def _id(id: strawberry.ID) -> int:
    try:
        return key_in(id, "Export")[0]
    except BadInput as error:
        raise Missing(error.message, ("input", "id")) from error
