"""The life of a journey: scheduled, started, paused, resumed, stopped, put away."""

from dataclasses import replace
from datetime import datetime
from typing import Annotated

import strawberry

from server.journey import waking
from server.journey.status import JourneyAction
from server.resolvers import lifecycle
from server.resolvers.lifecycle import Wish
from server.resolvers.once import Answer
from server.resolvers.refusals import Refusal

from .changing import changed, journey_key, writing
from .fields import ONCE, Input, mutation
from .info import Info
from .journeys import Journey
from .problems import (
    IdempotencyConflictProblem,
    InputProblem,
    NotAllowedProblem,
    NotFoundProblem,
    VersionConflictProblem,
    to_problem,
)
from .suppressions import to_instant
from .words import ResumePolicy

EXPECTED = "Only if this is the version that people enter now, 0 for none; whatever it is if left out."


@strawberry.input(description="A journey to move on in its life.")
class JourneyActionInput:
    id: strawberry.ID = strawberry.field(description="The journey.")
    expected_version: int | None = strawberry.field(default=None, description=EXPECTED)
    idempotency_key: str | None = strawberry.field(default=None, description=ONCE)


@strawberry.input(description="When a journey starts by itself.")
class ScheduleJourneyInput:
    id: strawberry.ID = strawberry.field(description="The journey: a draft with a version, or one scheduled.")
    at: datetime = strawberry.field(description="From then on it lets people in; in the future.")
    ends_at: datetime | None = strawberry.field(
        default=None, description="From then on nobody enters any more; as it is if left out."
    )
    expected_version: int | None = strawberry.field(default=None, description=EXPECTED)
    idempotency_key: str | None = strawberry.field(default=None, description=ONCE)


@strawberry.input(description="When a journey lets nobody in any more.")
class SetJourneyEndInput:
    id: strawberry.ID = strawberry.field(description="The journey.")
    ends_at: datetime | None = strawberry.field(
        default=None, description="In the future and after its start; null for no end."
    )
    expected_version: int | None = strawberry.field(default=None, description=EXPECTED)
    idempotency_key: str | None = strawberry.field(default=None, description=ONCE)


@strawberry.input(description="A paused journey to go on with.")
class ResumeJourneyInput:
    id: strawberry.ID = strawberry.field(description="The journey.")
    policy: ResumePolicy = strawberry.field(
        default=ResumePolicy.SHIFT,
        description="What happens to waits that fell due meanwhile; `resumePreview` counts them.",
    )
    expected_version: int | None = strawberry.field(default=None, description=EXPECTED)
    idempotency_key: str | None = strawberry.field(default=None, description=ONCE)


@strawberry.type(description="The journey lets people in.")
class StartJourneyPayload:
    journey: Journey = strawberry.field(description="The journey.")


@strawberry.type(description="The journey starts at its time.")
class ScheduleJourneyPayload:
    journey: Journey = strawberry.field(description="The journey.")


@strawberry.type(description="The journey is a draft again.")
class UnscheduleJourneyPayload:
    journey: Journey = strawberry.field(description="The journey.")


@strawberry.type(description="The journey ends at its time, or has no end now.")
class SetJourneyEndPayload:
    journey: Journey = strawberry.field(description="The journey.")


@strawberry.type(description="Time stands still for everybody inside.")
class PauseJourneyPayload:
    journey: Journey = strawberry.field(description="The journey.")


@strawberry.type(description="Time goes on.")
class ResumeJourneyPayload:
    journey: Journey = strawberry.field(description="The journey.")


@strawberry.type(description="The journey is over; everybody's run ends.")
class StopJourneyPayload:
    journey: Journey = strawberry.field(description="The journey.")
    ending_runs: int = strawberry.field(description="Runs that were inside; each ends as stopped.")
    cancelled_messages: int = strawberry.field(
        description="Messages that had not left; each is skipped as `JOURNEY_STOPPED`."
    )


@strawberry.type(description="The journey is put away.")
class ArchiveJourneyPayload:
    journey: Journey = strawberry.field(description="The journey.")


StartJourneyResult = Annotated[
    StartJourneyPayload
    | NotFoundProblem
    | NotAllowedProblem
    | VersionConflictProblem
    | InputProblem
    | IdempotencyConflictProblem,
    strawberry.union("StartJourneyResult", description="The running journey, or why it does not run."),
]
ScheduleJourneyResult = Annotated[
    ScheduleJourneyPayload
    | NotFoundProblem
    | NotAllowedProblem
    | VersionConflictProblem
    | InputProblem
    | IdempotencyConflictProblem,
    strawberry.union("ScheduleJourneyResult", description="The journey, or why it is not scheduled."),
]
UnscheduleJourneyResult = Annotated[
    UnscheduleJourneyPayload
    | NotFoundProblem
    | NotAllowedProblem
    | VersionConflictProblem
    | InputProblem
    | IdempotencyConflictProblem,
    strawberry.union("UnscheduleJourneyResult", description="The draft, or why it still starts."),
]
SetJourneyEndResult = Annotated[
    SetJourneyEndPayload
    | NotFoundProblem
    | NotAllowedProblem
    | VersionConflictProblem
    | InputProblem
    | IdempotencyConflictProblem,
    strawberry.union("SetJourneyEndResult", description="The journey, or why its end is as it was."),
]
PauseJourneyResult = Annotated[
    PauseJourneyPayload
    | NotFoundProblem
    | NotAllowedProblem
    | VersionConflictProblem
    | InputProblem
    | IdempotencyConflictProblem,
    strawberry.union("PauseJourneyResult", description="The paused journey, or why it is not paused."),
]
ResumeJourneyResult = Annotated[
    ResumeJourneyPayload
    | NotFoundProblem
    | NotAllowedProblem
    | VersionConflictProblem
    | InputProblem
    | IdempotencyConflictProblem,
    strawberry.union("ResumeJourneyResult", description="The running journey, or why it does not run."),
]
StopJourneyResult = Annotated[
    StopJourneyPayload
    | NotFoundProblem
    | NotAllowedProblem
    | VersionConflictProblem
    | InputProblem
    | IdempotencyConflictProblem,
    strawberry.union("StopJourneyResult", description="The finished journey, or why it is not over."),
]
ArchiveJourneyResult = Annotated[
    ArchiveJourneyPayload
    | NotFoundProblem
    | NotAllowedProblem
    | VersionConflictProblem
    | InputProblem
    | IdempotencyConflictProblem,
    strawberry.union("ArchiveJourneyResult", description="The archived journey, or why it is not put away."),
]


@strawberry.type(description="What can be done with a journey in its life.")
class LifeMutation:
    @mutation("Lets people in, by the version that was published last.")
    async def start_journey(
        self, info: Info, input: Annotated[JourneyActionInput, Input]
    ) -> StartJourneyResult:
        try:
            return StartJourneyPayload(journey=await _move_on(info, input, JourneyAction.START))
        except Refusal as error:
            return to_problem(error)

    @mutation("Has a journey start at a time. Another call sets another time.")
    async def schedule_journey(
        self, info: Info, input: Annotated[ScheduleJourneyInput, Input]
    ) -> ScheduleJourneyResult:
        try:
            starts_at, ends_at = (
                to_instant(input.at, "input", "at"),
                to_instant(input.ends_at, "input", "endsAt"),
            )
            wish = replace(_wish(input), starts_at=starts_at, ends_at=ends_at)
            answer = await _change(info, input, wish, JourneyAction.SCHEDULE)
            return ScheduleJourneyPayload(journey=await changed(info.context, answer))
        except Refusal as error:
            return to_problem(error)

    @mutation("Takes a set start back.")
    async def unschedule_journey(
        self, info: Info, input: Annotated[JourneyActionInput, Input]
    ) -> UnscheduleJourneyResult:
        try:
            return UnscheduleJourneyPayload(journey=await _move_on(info, input, JourneyAction.UNSCHEDULE))
        except Refusal as error:
            return to_problem(error)

    @mutation(
        "Sets when nobody enters any more. People inside go on; with the last one it is finished by itself."
    )
    async def set_journey_end(
        self, info: Info, input: Annotated[SetJourneyEndInput, Input]
    ) -> SetJourneyEndResult:
        context = writing(info)
        try:
            wish = replace(_wish(input), ends_at=to_instant(input.ends_at, "input", "endsAt"))
            answer = await lifecycle.set_end(context, wish, input.idempotency_key)
            return SetJourneyEndPayload(journey=await changed(context, answer))
        except Refusal as error:
            return to_problem(error)

    @mutation("Lets nobody in; for those inside, time stands still.")
    async def pause_journey(
        self, info: Info, input: Annotated[JourneyActionInput, Input]
    ) -> PauseJourneyResult:
        try:
            return PauseJourneyPayload(journey=await _move_on(info, input, JourneyAction.PAUSE))
        except Refusal as error:
            return to_problem(error)

    @mutation("Lets time go on for everybody inside.")
    async def resume_journey(
        self, info: Info, input: Annotated[ResumeJourneyInput, Input]
    ) -> ResumeJourneyResult:
        try:
            wish = replace(_wish(input), policy=waking.ResumePolicy(input.policy.value))
            answer = await _change(info, input, wish, JourneyAction.RESUME)
            return ResumeJourneyPayload(journey=await changed(info.context, answer))
        except Refusal as error:
            return to_problem(error)

    @mutation("Ends a journey for good, and the run of everybody inside. Cannot be undone.")
    async def stop_journey(
        self, info: Info, input: Annotated[JourneyActionInput, Input]
    ) -> StopJourneyResult:
        try:
            answer = await _change(info, input, _wish(input), JourneyAction.STOP)
            # Keys that were used before these were counted have answers without them.
            ended = {"ending_runs": answer.get("runs", 0), "cancelled_messages": answer.get("messages", 0)}
            return StopJourneyPayload(journey=await changed(info.context, answer), **ended)
        except Refusal as error:
            return to_problem(error)

    @mutation("Puts a draft or a finished journey away. Its figures stay.")
    async def archive_journey(
        self, info: Info, input: Annotated[JourneyActionInput, Input]
    ) -> ArchiveJourneyResult:
        try:
            return ArchiveJourneyPayload(journey=await _move_on(info, input, JourneyAction.ARCHIVE))
        except Refusal as error:
            return to_problem(error)


_Inputs = JourneyActionInput | ScheduleJourneyInput | SetJourneyEndInput | ResumeJourneyInput


def _wish(input: _Inputs) -> Wish:
    return Wish(journey_key(input.id), input.expected_version)


async def _change(info: Info, input: _Inputs, wish: Wish, action: JourneyAction) -> Answer:
    return await lifecycle.change(writing(info), wish, action, input.idempotency_key)


async def _move_on(info: Info, input: JourneyActionInput, action: JourneyAction) -> Journey:
    answer = await _change(info, input, _wish(input), action)
    return await changed(info.context, answer)
