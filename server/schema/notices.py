"""What operators have to be told."""

from datetime import datetime
from typing import Annotated

import strawberry

from server.clock import to_datetime, to_datetime_if_any
from server.errors import BadInput
from server.resolvers import connections, journeys, records, vouchers
from server.resolvers import notices as resolve
from server.resolvers.refusals import Missing, Refusal
from server.store.notices import Wanted
from server.store.paging import Slice
from server.store.projects import WRITE

from .connections import Connection
from .fields import ONCE, Input, field, mutation
from .ids import key_in, to_id
from .info import Info
from .journeys import Journey
from .nodes import Node
from .notice_kinds import NoticeKind
from .pages import After, Before, First, Last, PageInfo, cursor_of, page_info, page_of
from .problems import IdempotencyConflictProblem, InputProblem, NotFoundProblem, to_problem
from .vouchers import VoucherPool
from .words import word

ORDER = "notices"


@strawberry.type(description="Something that an operator should know: told once for each cause.")
class Notice(Node):
    record: strawberry.Private[records.Notice]
    kind: NoticeKind = strawberry.field(description="What kind of thing has happened.")
    text: str = strawberry.field(description="What has happened, and what can be done; for people.")
    at: datetime = strawberry.field(description="When it was found.")
    seen_at: datetime | None = strawberry.field(description="When somebody dismissed it; null until then.")

    @classmethod
    def from_record(cls, record: records.Notice) -> "Notice":
        assert record.id is not None
        return cls(
            id=to_id("Notice", record.id),
            record=record,
            kind=word(NoticeKind, record.kind, NoticeKind.OTHER),
            text=record.text,
            at=to_datetime(record.at),
            seen_at=to_datetime_if_any(record.seen_at),
        )

    @field("The journey that it is about, if it is about one.")
    async def journey(self, info: Info) -> Journey | None:
        if self.record.journey_id is None:
            return None
        found = await journeys.by_id(info.context, self.record.journey_id)
        return Journey.from_record(found) if found else None

    @field("The connection that it is about; null for none, or if that is gone.")
    async def connection(self, info: Info) -> Connection | None:
        if self.record.connection_id is None:
            return None
        found = await connections.by_id(info.context, self.record.connection_id)
        return Connection.from_record(found) if found else None

    @field("The pool of vouchers that it is about, if it is about one.")
    async def voucher_pool(self, info: Info) -> VoucherPool | None:
        if self.record.pool_id is None:
            return None
        found = await vouchers.load(info.context, self.record.pool_id)
        return VoucherPool.from_record(found) if found else None


@strawberry.type(description="A notice and its place in the list.")
class NoticeEdge:
    node: Notice = strawberry.field(description="The notice.")
    cursor: str = strawberry.field(description="Its place, for `after` and `before`.")


@strawberry.type(description="A page of notices.")
class NoticeConnection:
    edges: list[NoticeEdge] = strawberry.field(description="The page, the latest first.")
    page_info: PageInfo = strawberry.field(description="Where the page lies.")

    @classmethod
    def from_slice(cls, found: Slice) -> "NoticeConnection":
        edges = [
            NoticeEdge(node=Notice.from_record(row), cursor=cursor_of(ORDER, row.at, row.id))
            for row in found.rows
        ]
        return cls(edges=edges, page_info=page_info(found, [edge.cursor for edge in edges]))


@strawberry.input(description="Which notices. What is left out does not matter.")
class NoticeFilter:
    kinds: list[NoticeKind] | None = strawberry.field(default=None, description="Of one of these kinds.")
    seen: bool | None = strawberry.field(default=None, description="Dismissed, or not dismissed yet.")
    journey_id: strawberry.ID | None = strawberry.field(default=None, description="About this journey.")


@strawberry.input(description="A notice to put away.")
class DismissNoticeInput:
    id: strawberry.ID = strawberry.field(description="The notice.")
    idempotency_key: str | None = strawberry.field(default=None, description=ONCE)


@strawberry.type(description="The notice was put away; it stays in the list of those that were seen.")
class DismissNoticePayload:
    notice: Notice = strawberry.field(description="The notice.")


DismissNoticeResult = Annotated[
    DismissNoticePayload | NotFoundProblem | InputProblem | IdempotencyConflictProblem,
    strawberry.union("DismissNoticeResult", description="The notice, or why it was not put away."),
]


@strawberry.type(description="What operators have to be told.")
class NoticeQuery:
    @field("What operators have to be told, the latest first.")
    async def notices(
        self,
        info: Info,
        filter: Annotated[
            NoticeFilter | None, strawberry.argument(description="Which; all by default.")
        ] = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> NoticeConnection:
        page = page_of(ORDER, first, after, last, before)
        found = await resolve.page(info.context, _wanted(filter or NoticeFilter()), page)
        return NoticeConnection.from_slice(found)


@strawberry.type(description="What can be done with notices.")
class NoticeMutation:
    @mutation("Puts a notice away that somebody has seen.")
    async def dismiss_notice(
        self, info: Info, input: Annotated[DismissNoticeInput, Input]
    ) -> DismissNoticeResult:
        info.context.require(WRITE)
        try:
            notice_id = _notice_id(input.id)
            await resolve.dismiss(info.context, notice_id, input.idempotency_key)
            found = await resolve.by_id(info.context, notice_id)
            assert found is not None
            return DismissNoticePayload(notice=Notice.from_record(found))
        except Refusal as error:
            return to_problem(error)


def _wanted(filter: NoticeFilter) -> Wanted:
    return Wanted(
        kinds=tuple(kind.value for kind in filter.kinds or ()),
        is_seen=filter.seen,
        journey_id=None if filter.journey_id is None else key_in(filter.journey_id, "Journey")[0],
    )


def _notice_id(id: strawberry.ID) -> int:
    try:
        return key_in(id, "Notice")[0]
    except BadInput as error:
        raise Missing(error.message, ("input", "id")) from error
