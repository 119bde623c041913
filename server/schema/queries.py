"""Everything that can be asked."""

import asyncio
from typing import Annotated, TypeAlias

import strawberry

from server.context import Context
from server.errors import BadInput
from server.resolvers import (
    channels,
    cohort_reports,
    connections,
    consents,
    entering,
    exports,
    handles,
    journeys,
    messages,
    notices,
    prices,
    runs,
    segments,
    suppressions,
    user_lists,
    users,
    vouchers,
)
from server.resolvers.refusals import Refusal

from . import alimtalk_nodes
from . import consents as consents_of
from . import suppressions as suppressions_of
from .alimtalk_campaigns import AlimtalkCampaignQuery
from .alimtalk_estimates import AlimtalkEstimateQuery
from .alimtalk_library import AlimtalkLibraryQuery
from .alimtalk_lint import AlimtalkLintQuery
from .alimtalk_previews import AlimtalkPreviewQuery
from .alimtalk_templates import AlimtalkQuery
from .balances import BalanceQuery
from .caps import CapQuery
from .channels import Channel
from .cohort_people import CohortPeopleQuery
from .cohort_reports import KIND as SAVED_REPORT
from .cohort_reports import CohortReportQuery, SavedCohortReport
from .cohorts import CohortQuery
from .commerce_events import CommerceQuery
from .connections import Connection
from .consents import ConsentConnection, ConsentFilter
from .cost_lines import CostQuery
from .declared import DeclaredQuery
from .entry_requests import EntryRequest
from .explaining import ExplainingQuery
from .exports import Export, ExportQuery
from .fields import field
from .guards import GuardQuery
from .ids import GlobalId, key_in, read_id
from .info import Info
from .issues import IssueQuery
from .journey_filter import JourneyFilter
from .journey_filter import to_wanted as those_of
from .journeys import Journey, JourneyConnection, JourneyOrder
from .library import LibraryQuery
from .messages import Message
from .nodes import Node
from .notices import Notice, NoticeQuery
from .pages import After, Before, First, Last, page_of
from .prices import Price, PriceQuery
from .project import Project
from .reasons import FailureReasonPolicy, failure_reasons
from .retention import RetentionQuery
from .runs import Run
from .segments import Segment, SegmentQuery
from .sender_profiles import SenderProfileQuery
from .silence_presets import SilenceQuery
from .simulations import SimulationQuery
from .suppressions import SuppressionConnection, SuppressionFilter, to_instant
from .user_lists import UserList, UserListQuery
from .users import IdentityInput, User, to_wanted
from .versions import Version
from .vouchers import VoucherPool, VoucherQuery
from .words import Direction

MOST_NODES = 100

Id: TypeAlias = Annotated[strawberry.ID, strawberry.argument(description="As it was handed out.")]


@strawberry.type(description="Everything that can be asked. The key decides in which project.")
class Query(
    LibraryQuery,
    IssueQuery,
    NoticeQuery,
    CapQuery,
    CommerceQuery,
    DeclaredQuery,
    RetentionQuery,
    VoucherQuery,
    GuardQuery,
    SimulationQuery,
    SegmentQuery,
    UserListQuery,
    ExplainingQuery,
    SilenceQuery,
    ExportQuery,
    CohortQuery,
    CohortPeopleQuery,
    CohortReportQuery,
    AlimtalkQuery,
    SenderProfileQuery,
    AlimtalkCampaignQuery,
    AlimtalkEstimateQuery,
    AlimtalkLintQuery,
    AlimtalkPreviewQuery,
    AlimtalkLibraryQuery,
    PriceQuery,
    CostQuery,
    BalanceQuery,
):
    @field("Anything that has an id; null if it is not in this project.")
    async def node(self, info: Info, id: Id) -> Node | None:
        return await fetch(info.context, read_id(id))

    @field("Several things by their ids, in the same order; null where it is not in this project.")
    async def nodes(
        self,
        info: Info,
        ids: Annotated[list[strawberry.ID], strawberry.argument(description="At most 100.")],
    ) -> list[Node | None]:
        if len(ids) > MOST_NODES:
            raise BadInput(f"At most {MOST_NODES} ids at once, found {len(ids)}.")
        return list(await asyncio.gather(*(fetch(info.context, read_id(id)) for id in ids)))

    @field("The project that the key belongs to.")
    async def project(self, info: Info) -> Project:
        return Project.from_record(await journeys.project(info.context))

    @field("The project's journeys.")
    async def journeys(
        self,
        info: Info,
        filter: Annotated[
            JourneyFilter | None, strawberry.argument(description="Which; all by default.")
        ] = None,
        order_by: Annotated[
            JourneyOrder | None, strawberry.argument(description="The newest first by default.")
        ] = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> JourneyConnection:
        order = order_by or JourneyOrder()
        page = page_of(order.name, first, after, last, before)
        found = await journeys.page(
            info.context,
            those_of(filter or JourneyFilter()),
            order.by.value,
            page,
            descending=order.direction is Direction.DESCENDING,
        )
        return JourneyConnection.from_slice(found, order)

    @field("One journey; null if it is not in this project.")
    async def journey(self, info: Info, id: Id) -> Journey | None:
        (journey_id,) = key_in(id, "Journey")
        found = await journeys.by_id(info.context, journey_id)
        return Journey.from_record(found) if found else None

    @field("The journey that files call so; null if there is none in this project.")
    async def journey_by_handle(
        self, info: Info, handle: Annotated[str, strawberry.argument(description="Its handle.")]
    ) -> Journey | None:
        found = await handles.by_handle(info.context, handle)
        return Journey.from_record(found) if found else None

    @field("One run; null if it is not in this project.")
    async def run(self, info: Info, id: Id) -> Run | None:
        (run_id,) = key_in(id, "Run")
        found = await runs.by_id(info.context, run_id)
        return Run.from_record(found) if found else None

    @field("One message; null if it is not in this project.")
    async def message(self, info: Info, id: Id) -> Message | None:
        shard, message_id = key_in(id, "Message")
        found = await messages.by_key(info.context, (shard, message_id))
        return Message.from_record(found) if found else None

    @field("What can be connected.")
    async def channels(self, info: Info) -> list[Channel]:
        return [Channel.from_record(one) for one in await channels.adapters(info.context)]

    @field("Every reason why a message may not arrive, and what follows from each.", list_size=21)
    def failure_reasons(self) -> list[FailureReasonPolicy]:
        return failure_reasons()

    @field("What is connected, in the order in which it was made.")
    async def connections(self, info: Info) -> list[Connection]:
        return [Connection.from_record(one) for one in await connections.listed(info.context)]

    @field("Addresses that nobody writes to, by channel and address.")
    async def suppressions(
        self,
        info: Info,
        filter: Annotated[
            SuppressionFilter | None, strawberry.argument(description="Which; all by default.")
        ] = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> SuppressionConnection:
        asked = filter or SuppressionFilter()
        page = page_of(suppressions_of.ORDER, first, after, last, before)
        wanted, at = suppressions_of.to_wanted(asked), _instant(asked)
        return SuppressionConnection.from_slice(await suppressions.page(info.context, wanted, at, page))

    @field("What users have decided, user by user; a user's own are in `user { consents }`.")
    async def consents(
        self,
        info: Info,
        filter: Annotated[
            ConsentFilter | None, strawberry.argument(description="Which; all by default.")
        ] = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> ConsentConnection:
        page = page_of(consents_of.ORDER, first, after, last, before)
        wanted = consents_of.to_wanted(filter or ConsentFilter())
        return ConsentConnection.from_slice(await consents.page(info.context, wanted, page))

    @field("The user whom this leads to; null if it leads to nobody.")
    async def user(
        self,
        info: Info,
        identity: Annotated[IdentityInput, strawberry.argument(description="Whatever leads to the user.")],
    ) -> User | None:
        found = await users.by_identity(info.context, to_wanted(identity))
        return User.from_record(found) if found else None


def _instant(filter: SuppressionFilter) -> int | None:
    try:
        return to_instant(filter.at, "at")
    except Refusal as error:
        raise BadInput(error.message) from error


async def fetch(context: Context, id: GlobalId) -> Node | None:
    """What has this id, if it is in this project."""
    key = id.key
    if id.kind in alimtalk_nodes.KINDS:
        return await alimtalk_nodes.fetch(context, id)
    if id.kind == "Journey":
        journey = await journeys.by_id(context, key[0])
        return Journey.from_record(journey) if journey else None
    if id.kind == "Version":
        version = await journeys.version(context, key[0], key[1])
        return Version.from_record(version) if version else None
    if id.kind == "Run":
        run = await runs.by_id(context, key[0])
        return Run.from_record(run) if run else None
    if id.kind == "User":
        user = await users.by_key(context, (key[0], key[1]))
        return User.from_record(user) if user else None
    if id.kind == "Connection":
        connection = await connections.by_id(context, key[0])
        return Connection.from_record(connection) if connection else None
    if id.kind == "EntryRequest":
        request = await entering.by_id(context, *id.key)
        return EntryRequest.from_record(request) if request else None
    if id.kind == "Segment":
        segment = await segments.by_id(context, *id.key)
        return Segment.from_record(segment) if segment else None
    if id.kind == "UserList":
        user_list = await user_lists.by_id(context, *id.key)
        return UserList.from_record(user_list) if user_list else None
    if id.kind == "Notice":
        notice = await notices.by_id(context, key[0])
        return Notice.from_record(notice) if notice else None
    if id.kind == SAVED_REPORT:
        report = await cohort_reports.by_id(context, *id.key)
        return SavedCohortReport.from_record(report) if report else None
    if id.kind == "Export":
        export = await exports.by_id(context, key[0])
        return Export.from_record(export) if export else None
    if id.kind == "VoucherPool":
        pool = await vouchers.by_id(context, key[0])
        return VoucherPool.from_record(pool) if pool else None
    if id.kind == "Price":
        price = await prices.by_id(context, key[0])
        return Price.from_record(price) if price else None
    message = await messages.by_key(context, (key[0], key[1]))
    return Message.from_record(message) if message else None
