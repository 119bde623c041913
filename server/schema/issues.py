"""Delivery issues of a whole project: why messages did not arrive, down to the provider's own code."""

from datetime import datetime
from typing import Annotated

import strawberry

from server.clock import to_datetime
from server.context import Context
from server.errors import BadInput
from server.resolvers import connections, issues, periods
from server.resolvers.issues import Found, Issue, UnmappedCode

from .connections import Connection
from .fields import field
from .figure_words import Base, PeriodPreset
from .figures import PeriodInput, Share, share
from .ids import key_in
from .info import Info
from .pages import After, First, PageInfo, cursor_of, page_info, page_of
from .scalars import Count
from .words import ChannelName, FailureReason, IssueFamily, ReceiptKind, word

ORDER = "delivery_issues"


@strawberry.input(description="Which delivery issues; whatever is left out may be anything.")
class DeliveryIssueFilter:
    journey_id: strawberry.ID | None = strawberry.field(default=None, description="Of this journey.")
    channel: ChannelName | None = strawberry.field(default=None, description="On this channel.")
    connection_id: strawberry.ID | None = strawberry.field(default=None, description="Of this connection.")
    family: IssueFamily | None = strawberry.field(default=None, description="That ended like this.")
    reason: FailureReason | None = strawberry.field(default=None, description="For this reason.")
    code: str | None = strawberry.field(default=None, description="With this code of the provider.")
    period: PeriodInput | None = strawberry.field(
        default=None, description="The days, 31 at most; today and the six days before by default."
    )


@strawberry.type(description="Messages that did not arrive, or may not have, with one code of one provider.")
class CodedIssue:
    record: strawberry.Private[Issue]
    channel: ChannelName = strawberry.field(description="The channel.")
    family: IssueFamily = strawberry.field(description="How they did not arrive.")
    reason: FailureReason = strawberry.field(description="Why, the same for every channel.")
    code: str | None = strawberry.field(description="The provider's own code; null if it gave none.")
    sample: str | None = strawberry.field(description="The provider's words about one of them, cut short.")
    first_at: datetime = strawberry.field(description="When it first happened in the period.")
    last_at: datetime = strawberry.field(description="When it last happened in the period.")
    share: Share = strawberry.field(
        description="How many messages, of all that were queued on the channel in the period."
    )

    @field("Through which it was sent; null if it came to none, or that is gone.")
    async def connection(self, info: Info) -> Connection | None:
        found = await connections.by_id(info.context, self.record.connection_id)
        return Connection.from_record(found) if found else None


@strawberry.type(description="A delivery issue and its place in the list.")
class CodedIssueEdge:
    cursor: str = strawberry.field(description="Its place.")
    node: CodedIssue = strawberry.field(description="The issue.")


@strawberry.type(description="A page of delivery issues, the most frequent first.")
class CodedIssueConnection:
    edges: list[CodedIssueEdge] = strawberry.field(description="The issues.")
    page_info: PageInfo = strawberry.field(description="Where the page lies.")


@strawberry.type(description="Something that a provider says and that no map explains yet.")
class UnmappedProviderCode:
    record: strawberry.Private[UnmappedCode]
    kind: ReceiptKind = strawberry.field(description="What was heard, or `UNMAPPED` for an unknown kind.")
    code: str | None = strawberry.field(description="The provider's own code; null if it gave none.")
    sample: str | None = strawberry.field(description="The provider's own words, cut short.")
    count: Count = strawberry.field(description="How often.")
    last_at: datetime = strawberry.field(description="The last time.")

    @field("Through which it was heard; null if that is gone.")
    async def connection(self, info: Info) -> Connection | None:
        found = await connections.by_id(info.context, self.record.connection_id)
        return Connection.from_record(found) if found else None


@strawberry.type(description="What can be asked about what did not arrive.")
class IssueQuery:
    @field("Why messages did not arrive: by channel, connection, reason and the provider's own code.")
    async def delivery_issues(
        self,
        info: Info,
        filter: Annotated[
            DeliveryIssueFilter | None, strawberry.argument(description="Which; all of 7 days by default.")
        ] = None,
        first: First = None,
        after: After = None,
    ) -> CodedIssueConnection:
        wanted = await _wanted(info.context, filter or DeliveryIssueFilter())
        found = await issues.page(info.context, wanted, page_of(ORDER, first, after))
        cursors = [cursor_of(ORDER, *one.place) for one in found.slice.rows]
        edges = [
            CodedIssueEdge(cursor=cursor, node=_issue(one, found))
            for cursor, one in zip(cursors, found.slice.rows, strict=True)
        ]
        return CodedIssueConnection(edges=edges, page_info=page_info(found.slice, cursors))

    @field("What providers say and no map explains yet, the most frequent first.", list_size=20)
    async def unmapped_codes(
        self,
        info: Info,
        period: Annotated[
            PeriodInput | None, strawberry.argument(description="31 days at most; 7 by default.")
        ] = None,
    ) -> list[UnmappedProviderCode]:
        since, until = await _bounds(info.context, period)
        return [_unmapped(one) for one in await issues.unmapped(info.context, since, until)]


async def _wanted(context: Context, filter: DeliveryIssueFilter) -> issues.Wanted:
    since, until = await _bounds(context, filter.period)
    if filter.channel is ChannelName.OTHER:
        raise BadInput("`OTHER` stands for several channels; name the connection instead.")
    return issues.Wanted(
        since,
        until,
        journey_id=None if filter.journey_id is None else key_in(filter.journey_id, "Journey")[0],
        channel=filter.channel.value if filter.channel else None,
        connection_id=(
            None if filter.connection_id is None else key_in(filter.connection_id, "Connection")[0]
        ),
        family=filter.family.value if filter.family else None,
        reason=filter.reason.value if filter.reason else None,
        code=filter.code,
    )


async def _bounds(context: Context, period: PeriodInput | None) -> tuple[int, int]:
    wanted = period or PeriodInput(preset=PeriodPreset.LAST_7_DAYS)
    preset = wanted.preset.value if wanted.preset else None
    return issues.bounds(await periods.period(context, preset, wanted.start, wanted.until))


def _issue(one: Issue, found: Found) -> CodedIssue:
    return CodedIssue(
        record=one,
        channel=word(ChannelName, one.channel, ChannelName.OTHER),
        family=IssueFamily(one.family),
        reason=word(FailureReason, one.reason, FailureReason.UNKNOWN),
        code=one.code or None,
        sample=one.sample or None,
        first_at=to_datetime(one.first_at),
        last_at=to_datetime(one.last_at),
        share=share(one.times, found.queued.get(one.channel, 0), Base.QUEUED),
    )


def _unmapped(one: UnmappedCode) -> UnmappedProviderCode:
    return UnmappedProviderCode(
        record=one,
        kind=word(ReceiptKind, one.kind, ReceiptKind.UNMAPPED),
        code=one.code or None,
        sample=one.sample or None,
        count=one.times,
        last_at=to_datetime(one.last_at),
    )
