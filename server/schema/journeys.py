"""Journeys: what they are, what they look like, what came of them."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import orjson
import strawberry

from server.clock import to_datetime, to_datetime_if_any
from server.journey.status import JourneyStatus as Status
from server.journey.status import allowed
from server.resolvers import drafts, records, resuming, user_paths
from server.resolvers import journeys as resolve
from server.resolvers import runs as resolve_runs

from .fields import field
from .figure_words import Clock
from .flow_steps import Trigger
from .graphs import (
    Edge,
    Goal,
    kind_of,
    to_cancel_events,
    to_edges,
    to_goals,
    to_holdout_percent,
    to_reentry,
    to_steps,
)
from .ids import to_id
from .info import Info
from .journey_files import JourneyFiles
from .launches import Launch, latest
from .nodes import Node
from .pages import After, Before, First, Last, PageInfo, cursor_of, page_info, page_of
from .problems import GraphProblem, to_graph_problem
from .reentry import ReentryRules, to_reentry_rules
from .resuming import ResumePreview
from .run_filters import RunFilter, to_asked
from .runs import ORDER as RUNS_ORDER
from .runs import RunConnection
from .stats import JourneyStats
from .stats_asked import ClockArgument, PeriodArgument, VersionArgument, stats_of
from .steps import Step
from .times import SilentHours, to_silence
from .users import IdentityInput, UserPathsResult, to_paths, to_wanted
from .versions import ORDER as VERSIONS_ORDER
from .versions import Version, VersionConnection
from .words import Direction, JourneyAction, JourneyKind, JourneyOrderBy, JourneyStatus, Reentry

if TYPE_CHECKING:
    from server.store.paging import Slice

Number: TypeAlias = Annotated[
    int | None,
    strawberry.argument(description="The version's number; the one that people enter now by default."),
]


@strawberry.type(description="What is being drawn and not published yet.")
class Draft:
    graph: strawberry.Private[dict[str, Any]]
    revision: int = strawberry.field(
        description="Goes up with every save; hand it back as `expectedRevision`."
    )

    @field("Its steps.", list_size=12)
    def steps(self) -> list[Step]:
        return to_steps(self.graph)

    @field("Its edges.", list_size=12)
    def edges(self) -> list[Edge]:
        return to_edges(self.graph)

    @field("What it is for.", list_size=3)
    def goals(self) -> list[Goal]:
        return to_goals(self.graph)

    @field("What makes people leave at once.", list_size=3)
    def cancel_events(self) -> list[Trigger]:
        return to_cancel_events(self.graph)

    @field("Whether somebody who has left may come in again.")
    def reentry(self) -> Reentry:
        return to_reentry(self.graph)

    @field("When and how often those may who may come in again; null without such rules.")
    def reentry_rules(self) -> ReentryRules | None:
        return to_reentry_rules(self.graph)

    @field("How many of a hundred people get nothing, so that the rest can be compared with them.")
    def holdout_percent(self) -> int:
        return to_holdout_percent(self.graph)

    @field("When it sends nothing, in the person's zone.", list_size=2)
    def silence(self) -> list[SilentHours]:
        return to_silence(self.graph)

    @field("Everything that keeps it from being published; empty when it can be.", list_size=5, cost=50)
    async def problems(self, info: Info) -> list[GraphProblem]:
        found = await drafts.problems(info.context, self.graph)
        return [to_graph_problem(problem, self.graph) for problem in found]


@strawberry.type(description="A campaign: it lets people in, walks them on, and counts what comes of it.")
class Journey(JourneyFiles, Node):
    title: str = strawberry.field(description="What people call it.")
    category: str | None = strawberry.field(description="By which people sort journeys; null if none.")
    status: JourneyStatus = strawberry.field(description="Where it stands in its life.")
    allowed_actions: list[JourneyAction] = strawberry.field(description="What can be done with it now.")
    revision: int = strawberry.field(description="Of the draft: goes up with every save; 0 before the first.")
    version_number: int | None = strawberry.field(
        description="Of the version that people enter now; null before the first."
    )
    created_at: datetime = strawberry.field(description="When it was created.")
    changed_at: datetime = strawberry.field(description="When it was last changed.")
    started_at: datetime | None = strawberry.field(description="When it first let people in.")
    paused_at: datetime | None = strawberry.field(description="Since when it is paused; null if it is not.")
    finished_at: datetime | None = strawberry.field(description="When it was over for good.")
    starts_at: datetime | None = strawberry.field(
        description="When it starts, or started, by itself; null if somebody starts it."
    )
    ends_at: datetime | None = strawberry.field(
        description="From then on nobody enters any more; with the last one inside it is finished."
    )

    @classmethod
    def from_record(cls, record: records.Journey) -> "Journey":
        assert record.id is not None
        return cls(
            id=to_id("Journey", record.id),
            record=record,
            title=record.title,
            category=record.category or None,
            status=JourneyStatus(record.status),
            allowed_actions=_actions(record),
            revision=record.draft_revision,
            version_number=record.version,
            created_at=to_datetime(record.created_at),
            changed_at=to_datetime(record.changed_at),
            started_at=to_datetime_if_any(record.started_at),
            paused_at=to_datetime_if_any(record.paused_at),
            finished_at=to_datetime_if_any(record.finished_at),
            starts_at=to_datetime_if_any(record.starts_at),
            ends_at=to_datetime_if_any(record.ends_at),
        )

    @property
    def _id(self) -> int:
        assert self.record.id is not None
        return self.record.id

    @field("How people come in, by the version that they enter now, or else by the draft.")
    async def kind(self, info: Info) -> JourneyKind:
        return kind_of(await self._graph(info))

    @field("What is being drawn; null if nothing is unpublished.")
    def draft(self) -> Draft | None:
        if self.record.draft is None:
            return None
        return Draft(graph=orjson.loads(self.record.draft), revision=self.record.draft_revision)

    @field("A published version; null if there is none.")
    async def version(self, info: Info, number: Number = None) -> Version | None:
        wanted = number if number is not None else self.record.version
        found = None if wanted is None else await resolve.version(info.context, self._id, wanted)
        return Version.from_record(found) if found else None

    @field("Its published versions, the newest first.")
    async def versions(
        self, info: Info, first: First = None, after: After = None, last: Last = None, before: Before = None
    ) -> VersionConnection:
        page = page_of(VERSIONS_ORDER, first, after, last, before)
        return VersionConnection.from_slice(await resolve.versions_page(info.context, self._id, page))

    @field("What it is for, by the version that people enter now, or else by the draft.", list_size=3)
    async def goals(self, info: Info) -> list[Goal]:
        return to_goals(await self._graph(info))

    @field("The times at which its audiences are let in, those due last first; at most 20.", list_size=20)
    async def launches(self, info: Info) -> list[Launch]:
        return await latest(info.context, self._id)

    @field("Its figures in a period, all from one snapshot.", cost=10)
    async def stats(
        self,
        info: Info,
        period: PeriodArgument = None,
        version: VersionArgument = None,
        clock: ClockArgument = Clock.HAPPENED,
    ) -> JourneyStats:
        return await stats_of(info, self._id, period, version, clock)

    @field("What resuming it would do now; null unless it is paused.")
    async def resume_preview(self, info: Info) -> ResumePreview | None:
        found = await resuming.preview(info.context, self.record)
        return ResumePreview.from_preview(found) if found else None

    @field("Its runs, the latest to enter first.")
    async def runs(
        self,
        info: Info,
        filter: Annotated[RunFilter | None, strawberry.argument(description="Which; all by default.")] = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> RunConnection:
        page = page_of(RUNS_ORDER, first, after, last, before)
        asked = to_asked(filter or RunFilter())
        return RunConnection.from_slice(await resolve_runs.of_journey(info.context, self._id, asked, page))

    @field("The ways of one person through it, on the versions that it travelled.")
    async def user_paths(
        self,
        info: Info,
        identity: Annotated[IdentityInput, strawberry.argument(description="Whatever leads to the person.")],
    ) -> UserPathsResult:
        return to_paths(await user_paths.of_journey(info.context, self._id, to_wanted(identity)))

    async def _graph(self, info: Info) -> dict[str, Any]:
        if self.record.version is not None:
            found = await resolve.version(info.context, self._id, self.record.version)
            assert found is not None
            return dict(orjson.loads(found.graph))
        return dict(orjson.loads(self.record.draft)) if self.record.draft else {}


def _actions(record: records.Journey) -> list[JourneyAction]:
    found = [JourneyAction(action.value) for action in allowed(Status(record.status))]
    needs_version = (JourneyAction.START, JourneyAction.SCHEDULE)
    return [one for one in found if one not in needs_version or record.version is not None]


@strawberry.input(description="In which order journeys are listed.")
class JourneyOrder:
    by: JourneyOrderBy = strawberry.field(default=JourneyOrderBy.CREATED_AT, description="By what.")
    direction: Direction = strawberry.field(
        default=Direction.DESCENDING, description="Which end comes first."
    )

    @property
    def name(self) -> str:
        """Stands in the cursors, so that they are used for no other order."""
        return f"journeys/{self.by.value}/{self.direction.value}"


@strawberry.type(description="A journey and its place in a list.")
class JourneyEdge:
    cursor: str = strawberry.field(description="The place in the list.")
    node: Journey = strawberry.field(description="The journey.")


@strawberry.type(description="A page of journeys.")
class JourneyConnection:
    edges: list[JourneyEdge] = strawberry.field(description="The journeys of this page.")
    page_info: PageInfo = strawberry.field(description="Where the page lies in the list.")

    @classmethod
    def from_slice(cls, found: "Slice", order: JourneyOrder) -> "JourneyConnection":
        cursors = [cursor_of(order.name, getattr(row, order.by.value), row.id) for row in found.rows]
        edges = [
            JourneyEdge(cursor=cursor, node=Journey.from_record(row))
            for cursor, row in zip(cursors, found.rows, strict=True)
        ]
        return cls(edges=edges, page_info=page_info(found, cursors))
