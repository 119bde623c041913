"""What a canvas paints of a run: the steps and edges that it passed, and what it waits for."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry

from server.clock import to_datetime, to_datetime_if_any
from server.journey.awaiting import Awaiting
from server.journey.tracks import PassedEdge as EdgeTrack
from server.journey.tracks import PassedStep as StepTrack
from server.journey.tracks import Track
from server.resolvers import journeys, records

from .fields import field
from .info import Info
from .path_words import Awaited

if TYPE_CHECKING:
    from .versions import Version


@strawberry.type(description="A step that a run came to.")
class PassedStep:
    step_key: strawberry.ID = strawberry.field(description="The step.")
    times: int = strawberry.field(description="How often it came there.")
    first_at: datetime = strawberry.field(description="When it came there for the first time.")
    last_at: datetime = strawberry.field(description="When it came there for the last time.")
    is_last: bool = strawberry.field(description="Whether it waits here, or ended here.")

    @classmethod
    def from_track(cls, step: StepTrack) -> "PassedStep":
        return cls(
            step_key=strawberry.ID(step.key),
            times=step.times,
            first_at=to_datetime(step.first_at),
            last_at=to_datetime(step.last_at),
            is_last=step.is_last,
        )


@strawberry.type(description="An edge that a run took.")
class PassedEdge:
    source: strawberry.ID = strawberry.field(name="from", description="The key of the step it left.")
    output: str = strawberry.field(description="By which output.")
    target: strawberry.ID = strawberry.field(name="to", description="The key of the step it came to.")
    times: int = strawberry.field(description="How often.")
    first_at: datetime = strawberry.field(description="When it went there for the first time.")
    last_at: datetime = strawberry.field(description="When it went there for the last time.")

    @classmethod
    def from_track(cls, edge: EdgeTrack) -> "PassedEdge":
        return cls(
            source=strawberry.ID(edge.source),
            output=edge.output,
            target=strawberry.ID(edge.target),
            times=edge.times,
            first_at=to_datetime(edge.first_at),
            last_at=to_datetime(edge.last_at),
        )


@strawberry.type(
    description="One version of the journey, whole, and what a run passed of it. An edit can move a run to "
    "another version; then it has a drawing of each."
)
class RunDrawing:
    run: strawberry.Private[records.Run]
    version_number: int = strawberry.field(description="The number of the version.")
    steps: list[PassedStep] = strawberry.field(
        description="The steps that it came to, in the order in which it first did.",
        metadata={"list_size": 10},
    )
    edges: list[PassedEdge] = strawberry.field(
        description="The edges that it took, in the order in which it first did.",
        metadata={"list_size": 10},
    )

    @classmethod
    def from_track(cls, run: records.Run, track: Track) -> "RunDrawing":
        return cls(
            run=run,
            version_number=track.version,
            steps=[PassedStep.from_track(one) for one in track.steps.values()],
            edges=[PassedEdge.from_track(one) for one in track.edges.values()],
        )

    @field("The version with its whole graph.")
    async def version(self, info: Info) -> Annotated["Version", strawberry.lazy(".versions")]:
        from .versions import Version

        found = await journeys.version(info.context, self.run.journey_id, self.version_number)
        assert found is not None
        return Version.from_record(found)


@strawberry.type(description="What a run waits for that is inside.")
class WaitsFor:
    what: Awaited = strawberry.field(description="What has to come.")
    step_key: strawberry.ID = strawberry.field(description="The step at which it waits.")
    since: datetime = strawberry.field(description="When it came there.")
    until: datetime | None = strawberry.field(
        description="When it goes on at the latest. While the journey is paused this time does not come "
        "nearer, and moves on when the pause ends."
    )
    is_paused: bool = strawberry.field(description="Whether its journey is paused.")
    events: list[str] = strawberry.field(
        description="Events of the person with which it may go on earlier.", metadata={"list_size": 2}
    )
    ends_on: list[str] = strawberry.field(
        description="Events of the person with which it ends at once, wherever it waits.",
        metadata={"list_size": 2},
    )

    @classmethod
    def from_run(cls, run: records.Run, found: Awaiting) -> "WaitsFor":
        return cls(
            what=Awaited(found.what.value),
            step_key=strawberry.ID(run.step_key),
            since=to_datetime(run.arrived_at),
            until=to_datetime_if_any(run.wake_at),
            is_paused=bool(run.held),
            events=list(found.events),
            ends_on=list(found.ends_on),
        )
