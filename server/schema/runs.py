"""Runs: one passage of one user through a journey, with its visits."""

import asyncio
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any

import orjson
import strawberry
from strawberry.scalars import JSON

from server.clock import to_datetime, to_datetime_if_any
from server.journey.goals import AMOUNT_SCALE
from server.journey.marks import mark_of
from server.resolvers import journeys, records, run_paths, users
from server.resolvers import runs as resolve
from server.resolvers.explaining import runs as explaining_runs

from .explanations import Fact, to_facts
from .fields import field
from .from_data import to_step
from .ids import to_id
from .info import Info
from .nodes import Node
from .pages import PageInfo, cursor_of, page_info
from .path_words import RunMark
from .run_drawings import RunDrawing, WaitsFor
from .steps import Step
from .visits import Visit
from .words import EndReason, RunState

if TYPE_CHECKING:
    from server.store.paging import Slice

    from .journeys import Journey
    from .users import User
    from .versions import Version

ORDER = "runs"


@strawberry.type(description="One hit of a goal by a run.")
class Conversion:
    goal_key: strawberry.ID = strawberry.field(description="The goal.")
    occurred_at: datetime = strawberry.field(description="When the event happened.")
    amount: Decimal = strawberry.field(
        description="What it was worth, in the goal's currency; 0 if it says nothing."
    )


@strawberry.type(description="One passage of one user through a journey. A re-entry is a new run.")
class Run(Node):
    record: strawberry.Private[records.Run]
    state: RunState = strawberry.field(description="Whether it is inside.")
    mark: RunMark = strawberry.field(description="How it stands, in one word.")
    is_paused: bool = strawberry.field(
        description="Whether its journey is paused, so that its time stands still."
    )
    end_reason: EndReason | None = strawberry.field(description="Why it is over; null while inside.")
    version_number: int = strawberry.field(
        description="The number of the version that it travels now, or travelled last; an edit can move it."
    )
    entered_at: datetime = strawberry.field(description="When the event that let it in happened.")
    ended_at: datetime | None = strawberry.field(description="When it ended; null while inside.")
    waiting_until: datetime | None = strawberry.field(
        description="When its present wait is over; null if it has ended. Moves on when a pause ends."
    )
    event_name: str = strawberry.field(description="The event that let it in.")

    @classmethod
    def from_record(cls, record: records.Run) -> "Run":
        inside = record.wake_at is not None
        return cls(
            id=to_id("Run", record.id),
            record=record,
            state=RunState.INSIDE if inside else RunState.ENDED,
            mark=RunMark(mark_of(record.end_reason).value),
            is_paused=inside and bool(record.held),
            end_reason=EndReason(record.end_reason) if record.end_reason else None,
            version_number=record.version,
            entered_at=to_datetime(record.entered_at),
            ended_at=to_datetime_if_any(record.ended_at),
            waiting_until=to_datetime_if_any(record.wake_at),
            event_name=record.event_name,
        )

    @field("The properties of the event that let it in.")
    def event_properties(self) -> JSON:
        return JSON(orjson.loads(self.record.properties))

    @field("The journey that it travels.")
    async def journey(self, info: Info) -> Annotated["Journey", strawberry.lazy(".journeys")]:
        from .journeys import Journey

        found = await journeys.by_id(info.context, self.record.journey_id)
        assert found is not None
        return Journey.from_record(found)

    @field("The version that it travels now, or travelled last.")
    async def version(self, info: Info) -> Annotated["Version", strawberry.lazy(".versions")]:
        from .versions import Version

        found = await journeys.version(info.context, self.record.journey_id, self.record.version)
        assert found is not None
        return Version.from_record(found)

    @field("Whether another version has been published since; drawn is the one it travels.")
    async def edited_since(self, info: Info) -> bool:
        journey = await journeys.by_id(info.context, self.record.journey_id)
        return journey is not None and journey.version != self.record.version

    @field("Whose run it is; whom that user turned out to be.")
    async def user(self, info: Info) -> Annotated["User", strawberry.lazy(".users")]:
        from .users import User

        found = await users.person(info.context, (self.record.shard, self.record.user_number))
        assert found is not None
        return User.from_record(found)

    @field("Where it waits, or where it ended.")
    async def last_step(self, info: Info) -> Step:
        return (await _steps(info, self.record, self.record.version))[self.record.step_key]

    @field("What ended it where that has a name, e.g. the goal's key; null while inside.")
    async def ended_because_of(self, info: Info) -> str | None:
        if self.record.end_reason is None:
            return None
        found = await resolve.visits(info.context, self.record.id)
        return next((visit.because or None for visit in reversed(found) if visit.end_reason), None)

    @field("The steps that it has passed, in order; the last one is where it waits or ended.", list_size=10)
    async def visits(self, info: Info) -> list[Visit]:
        found = await run_paths.stays(info.context, self.record)
        numbers = sorted({stay.version for stay in found})
        drawn = await asyncio.gather(*(_steps(info, self.record, number) for number in numbers))
        steps = dict(zip(numbers, drawn, strict=True))
        return [Visit.from_stay(self.record.id, stay, steps[stay.version][stay.step_key]) for stay in found]

    @field(
        "Each version that it travelled, whole, with the steps and edges that it passed there; mostly one. "
        "Also when the journey has been edited since.",
        list_size=1,
    )
    async def drawings(self, info: Info) -> list[RunDrawing]:
        found = await run_paths.drawn(info.context, self.record)
        return [RunDrawing.from_track(self.record, track) for track in found]

    @field("What it waits for, and until when; null if it has ended.")
    async def waits_for(self, info: Info) -> WaitsFor | None:
        if self.record.wake_at is None:
            return None
        return WaitsFor.from_run(self.record, await run_paths.awaited(info.context, self.record))

    @field(
        "Why it went where it went: each decision with what it looked at then; while inside also what it "
        "waits for and what can end it.",
        list_size=12,
    )
    async def explain(self, info: Info) -> list[Fact]:
        return to_facts(await explaining_runs.explain(info.context, self.record))

    @field("Every hit of a goal, the earliest first.", list_size=3)
    async def conversions(self, info: Info) -> list[Conversion]:
        found = await resolve.conversions(info.context, self.record.id)
        return [
            Conversion(
                goal_key=strawberry.ID(hit.goal_key),
                occurred_at=to_datetime(hit.occurred_at),
                amount=to_money(hit.amount),
            )
            for hit in found
        ]


def to_money(amount: int) -> Decimal:
    return Decimal(amount) / AMOUNT_SCALE


async def _steps(info: Info, run: records.Run, number: int) -> dict[str, Step]:
    version = await journeys.version(info.context, run.journey_id, number)
    assert version is not None
    items: list[dict[str, Any]] = orjson.loads(version.graph)["steps"]
    return {item["key"]: to_step(item) for item in items}


@strawberry.type(description="A run and its place in a list.")
class RunEdge:
    cursor: str = strawberry.field(description="The place in the list.")
    node: Run = strawberry.field(description="The run.")


@strawberry.type(description="A page of runs, the latest to enter first.")
class RunConnection:
    edges: list[RunEdge] = strawberry.field(description="The runs of this page.")
    page_info: PageInfo = strawberry.field(description="Where the page lies in the list.")

    @classmethod
    def from_slice(cls, found: "Slice") -> "RunConnection":
        cursors = [cursor_of(ORDER, row.entered_at, row.shard, row.id) for row in found.rows]
        edges = [
            RunEdge(cursor=cursor, node=Run.from_record(row))
            for cursor, row in zip(cursors, found.rows, strict=True)
        ]
        return cls(edges=edges, page_info=page_info(found, cursors))
