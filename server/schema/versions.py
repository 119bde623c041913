"""Published versions of a journey."""

from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

import orjson
import strawberry

from server.clock import to_datetime
from server.resolvers import records

from .fields import field
from .flow_steps import Trigger
from .graphs import Edge, Goal, to_cancel_events, to_edges, to_goals, to_holdout_percent, to_reentry, to_steps
from .ids import to_id
from .nodes import Node
from .pages import PageInfo, cursor_of, page_info
from .reentry import ReentryRules, to_reentry_rules
from .steps import Step
from .times import SilentHours, to_silence
from .words import Reentry

if TYPE_CHECKING:
    from server.store.paging import Slice

ORDER = "versions"


@strawberry.type(description="One published graph of a journey. Never changes.")
class Version(Node):
    record: strawberry.Private[records.Version]
    number: int = strawberry.field(description="Counts up from 1.")
    published_at: datetime = strawberry.field(description="When it was published.")

    @classmethod
    def from_record(cls, record: records.Version) -> "Version":
        return cls(
            id=to_id("Version", record.journey_id, record.number),
            record=record,
            number=record.number,
            published_at=to_datetime(record.published_at),
        )

    @cached_property
    def _graph(self) -> dict[str, Any]:
        return dict(orjson.loads(self.record.graph))

    @field("Its steps.", list_size=12)
    def steps(self) -> list[Step]:
        return to_steps(self._graph)

    @field("Its edges: one for every output of every step.", list_size=12)
    def edges(self) -> list[Edge]:
        return to_edges(self._graph)

    @field("What it is for.", list_size=3)
    def goals(self) -> list[Goal]:
        return to_goals(self._graph)

    @field("What makes people leave at once.", list_size=3)
    def cancel_events(self) -> list[Trigger]:
        return to_cancel_events(self._graph)

    @field("Whether somebody who has left may come in again.")
    def reentry(self) -> Reentry:
        return to_reentry(self._graph)

    @field("How many of a hundred people get nothing, so that the rest can be compared with them.")
    def holdout_percent(self) -> int:
        return to_holdout_percent(self._graph)

    @field("When and how often those may who may come in again; null without such rules.")
    def reentry_rules(self) -> ReentryRules | None:
        return to_reentry_rules(self._graph)

    @field("When it sends nothing, in the person's zone.", list_size=2)
    def silence(self) -> list[SilentHours]:
        return to_silence(self._graph)


@strawberry.type(description="A version and its place in a list.")
class VersionEdge:
    cursor: str = strawberry.field(description="The place in the list.")
    node: Version = strawberry.field(description="The version.")


@strawberry.type(description="A page of versions, the newest first.")
class VersionConnection:
    edges: list[VersionEdge] = strawberry.field(description="The versions of this page.")
    page_info: PageInfo = strawberry.field(description="Where the page lies in the list.")

    @classmethod
    def from_slice(cls, found: "Slice") -> "VersionConnection":
        cursors = [cursor_of(ORDER, row.number) for row in found.rows]
        edges = [
            VersionEdge(cursor=cursor, node=Version.from_record(row))
            for cursor, row in zip(cursors, found.rows, strict=True)
        ]
        return cls(edges=edges, page_info=page_info(found, cursors))
