"""Everything that can be changed in journeys. One input each; a payload, or a typed problem."""

from typing import Annotated

import strawberry

from server.context import Context
from server.errors import BadInput
from server.journey.status import JourneyAction
from server.resolvers import drafts, journeys, lifecycle, periods
from server.resolvers.once import Answer
from server.resolvers.refusals import Missing, Refusal
from server.store.projects import WRITE

from .connection_changes import ConnectionMutation
from .consents import ConsentMutation
from .fields import ONCE, Input, mutation
from .graph_inputs import GraphInput
from .ids import key_in
from .in_app import InAppMutation
from .info import Info
from .journeys import Journey
from .notices import NoticeMutation
from .problems import (
    GraphProblems,
    IdempotencyConflictProblem,
    InputProblem,
    NameTakenProblem,
    NotAllowedProblem,
    NotFoundProblem,
    RevisionConflictProblem,
    to_problem,
)
from .suppressions import SuppressionMutation
from .to_data import to_data
from .trials import TrialMutation
from .versions import Version


@strawberry.input(description="A new journey.")
class CreateJourneyInput:
    title: str = strawberry.field(description="What people call it: 1 to 200 characters.")
    category: str | None = strawberry.field(default=None, description="By which people sort journeys.")
    handle: str | None = strawberry.field(
        default=None,
        description="What files call it: 1 to 100 letters, digits, - and _; of no other journey.",
    )
    graph: GraphInput | None = strawberry.field(
        default=None, description="A first drawing; may have problems."
    )
    idempotency_key: str | None = strawberry.field(default=None, description=ONCE)


@strawberry.input(description="Another title or category for a journey.")
class RenameJourneyInput:
    id: strawberry.ID = strawberry.field(description="The journey.")
    title: str | None = strawberry.field(default=None, description="The new title; stays if left out.")
    category: str | None = strawberry.field(
        default=None, description="The new category, empty for none; stays if left out."
    )
    handle: str | None = strawberry.field(
        default=None, description="The new handle, empty for none; stays if left out."
    )
    idempotency_key: str | None = strawberry.field(default=None, description=ONCE)


@strawberry.input(description="What is drawn now.")
class SaveDraftInput:
    id: strawberry.ID = strawberry.field(description="The journey.")
    graph: GraphInput = strawberry.field(description="The whole drawing; may have problems.")
    expected_revision: int = strawberry.field(
        description="The revision that the drawing was made from; 0 for the first. Another one is refused."
    )
    idempotency_key: str | None = strawberry.field(default=None, description=ONCE)


@strawberry.input(description="Makes a version of the draft.")
class PublishJourneyInput:
    id: strawberry.ID = strawberry.field(description="The journey.")
    expected_revision: int | None = strawberry.field(
        default=None, description="Publishes only this revision; whatever is there if left out."
    )
    dry_run: bool = strawberry.field(default=False, description="Only checks, and changes nothing.")
    idempotency_key: str | None = strawberry.field(default=None, description=ONCE)


@strawberry.input(description="A journey to move on in its life.")
class JourneyActionInput:
    id: strawberry.ID = strawberry.field(description="The journey.")
    idempotency_key: str | None = strawberry.field(default=None, description=ONCE)


@strawberry.type(description="The journey was created.")
class CreateJourneyPayload:
    journey: Journey = strawberry.field(description="The new journey, a draft.")


@strawberry.type(description="The journey was renamed.")
class RenameJourneyPayload:
    journey: Journey = strawberry.field(description="The journey.")


@strawberry.type(description="The draft was saved.")
class SaveDraftPayload:
    journey: Journey = strawberry.field(description="The journey.")
    revision: int = strawberry.field(description="The draft's new revision.")


@strawberry.type(description="The draft was published, or on a dry run could be.")
class PublishJourneyPayload:
    journey: Journey = strawberry.field(description="The journey.")
    version: Version | None = strawberry.field(description="The new version; null on a dry run.")
    staying: int = strawberry.field(
        description="Runs that are inside; each goes on in the version that it entered."
    )


@strawberry.type(description="The journey lets people in.")
class StartJourneyPayload:
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


@strawberry.type(description="The journey is put away.")
class ArchiveJourneyPayload:
    journey: Journey = strawberry.field(description="The journey.")


CreateJourneyResult = Annotated[
    CreateJourneyPayload | NameTakenProblem | InputProblem | IdempotencyConflictProblem,
    strawberry.union("CreateJourneyResult", description="The new journey, or why there is none."),
]
RenameJourneyResult = Annotated[
    RenameJourneyPayload | NotFoundProblem | NameTakenProblem | InputProblem | IdempotencyConflictProblem,
    strawberry.union("RenameJourneyResult", description="The journey, or why it keeps its name."),
]
SaveDraftResult = Annotated[
    SaveDraftPayload
    | NotFoundProblem
    | NotAllowedProblem
    | RevisionConflictProblem
    | InputProblem
    | IdempotencyConflictProblem,
    strawberry.union("SaveDraftResult", description="The new revision, or why nothing was saved."),
]
PublishJourneyResult = Annotated[
    PublishJourneyPayload
    | GraphProblems
    | NotFoundProblem
    | NotAllowedProblem
    | RevisionConflictProblem
    | InputProblem
    | IdempotencyConflictProblem,
    strawberry.union("PublishJourneyResult", description="The new version, or why there is none."),
]
StartJourneyResult = Annotated[
    StartJourneyPayload | NotFoundProblem | NotAllowedProblem | InputProblem | IdempotencyConflictProblem,
    strawberry.union("StartJourneyResult", description="The running journey, or why it does not run."),
]
PauseJourneyResult = Annotated[
    PauseJourneyPayload | NotFoundProblem | NotAllowedProblem | InputProblem | IdempotencyConflictProblem,
    strawberry.union("PauseJourneyResult", description="The paused journey, or why it is not paused."),
]
ResumeJourneyResult = Annotated[
    ResumeJourneyPayload | NotFoundProblem | NotAllowedProblem | InputProblem | IdempotencyConflictProblem,
    strawberry.union("ResumeJourneyResult", description="The running journey, or why it does not run."),
]
StopJourneyResult = Annotated[
    StopJourneyPayload | NotFoundProblem | NotAllowedProblem | InputProblem | IdempotencyConflictProblem,
    strawberry.union("StopJourneyResult", description="The finished journey, or why it is not over."),
]
ArchiveJourneyResult = Annotated[
    ArchiveJourneyPayload | NotFoundProblem | NotAllowedProblem | InputProblem | IdempotencyConflictProblem,
    strawberry.union("ArchiveJourneyResult", description="The archived journey, or why it is not put away."),
]


@strawberry.type(description="Everything that can be changed. Needs a key with the scope `write`.")
class Mutation(
    ConnectionMutation,
    TrialMutation,
    SuppressionMutation,
    ConsentMutation,
    InAppMutation,
    NoticeMutation,
):
    @mutation("Makes a journey, as a draft.")
    async def create_journey(
        self, info: Info, input: Annotated[CreateJourneyInput, Input]
    ) -> CreateJourneyResult:
        context, key = _writing(info), input.idempotency_key
        graph = to_data(input.graph) if input.graph else None
        try:
            about = input.title, input.category or "", graph, key
            answer = await drafts.create(context, *about, handle=input.handle)
            return CreateJourneyPayload(journey=await _journey(context, answer))
        except Refusal as error:
            return to_problem(error)

    @mutation("Gives a journey another title or category.")
    async def rename_journey(
        self, info: Info, input: Annotated[RenameJourneyInput, Input]
    ) -> RenameJourneyResult:
        context, key = _writing(info), input.idempotency_key
        try:
            about = _id(input.id), input.title, input.category, key
            answer = await drafts.rename(context, *about, handle=input.handle)
            return RenameJourneyPayload(journey=await _journey(context, answer))
        except Refusal as error:
            return to_problem(error)

    @mutation("Keeps what is drawn, whatever is wrong with it; nobody is concerned yet.")
    async def save_draft(self, info: Info, input: Annotated[SaveDraftInput, Input]) -> SaveDraftResult:
        context, key, graph = _writing(info), input.idempotency_key, to_data(input.graph)
        try:
            answer = await drafts.save(context, _id(input.id), graph, input.expected_revision, key)
            return SaveDraftPayload(journey=await _journey(context, answer), revision=answer["revision"])
        except Refusal as error:
            return to_problem(error)

    @mutation("Makes a version of the draft. People enter it from now on; those inside stay in theirs.")
    async def publish_journey(
        self, info: Info, input: Annotated[PublishJourneyInput, Input]
    ) -> PublishJourneyResult:
        context, key, expected = _writing(info), input.idempotency_key, input.expected_revision
        try:
            answer = await drafts.publish(context, _id(input.id), expected, key, dry_run=input.dry_run)
            return await _published(context, answer)
        except Refusal as error:
            return to_problem(error)

    @mutation("Lets people in, by the version that was published last.")
    async def start_journey(
        self, info: Info, input: Annotated[JourneyActionInput, Input]
    ) -> StartJourneyResult:
        try:
            return StartJourneyPayload(journey=await _move_on(info, input, JourneyAction.START))
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

    @mutation("Lets time go on with what was left of it.")
    async def resume_journey(
        self, info: Info, input: Annotated[JourneyActionInput, Input]
    ) -> ResumeJourneyResult:
        try:
            return ResumeJourneyPayload(journey=await _move_on(info, input, JourneyAction.RESUME))
        except Refusal as error:
            return to_problem(error)

    @mutation("Ends a journey for good, and the run of everybody inside. Cannot be undone.")
    async def stop_journey(
        self, info: Info, input: Annotated[JourneyActionInput, Input]
    ) -> StopJourneyResult:
        try:
            return StopJourneyPayload(journey=await _move_on(info, input, JourneyAction.STOP))
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


def _writing(info: Info) -> Context:
    info.context.require(WRITE)
    return info.context


def _id(id: strawberry.ID) -> int:
    """The number in a journey's id. Whatever else is handed in is no journey of this project."""
    try:
        return key_in(id, "Journey")[0]
    except BadInput as error:
        raise Missing(error.message, ("input", "id")) from error


async def _journey(context: Context, answer: Answer) -> Journey:
    journey_id = answer["journey_id"]
    context.forget()
    found = await journeys.by_id(context, journey_id)
    assert found is not None
    return Journey.from_record(found)


async def _move_on(info: Info, input: JourneyActionInput, action: JourneyAction) -> Journey:
    context = _writing(info)
    answer = await lifecycle.change(context, _id(input.id), action, input.idempotency_key)
    return await _journey(context, answer)


async def _published(context: Context, answer: Answer) -> PublishJourneyPayload:
    journey_id, number = answer["journey_id"], answer["version"]
    journey = await _journey(context, answer)
    version = None if number is None else await journeys.version(context, journey_id, number)
    everything = await periods.period(context, None, None, None)
    found = await journeys.figures(context, journey_id, everything, None, hourly=False)
    return PublishJourneyPayload(
        journey=journey,
        version=Version.from_record(version) if version else None,
        staying=found.answer.inside_now(),
    )
