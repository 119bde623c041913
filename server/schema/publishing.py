"""Publishing: a draft becomes a version, and what becomes of the people who are inside."""

from typing import Annotated

import strawberry

from server.context import Context
from server.resolvers import journeys, periods, publishing
from server.resolvers.once import Answer
from server.resolvers.refusals import Refusal

from .changing import changed, journey_key, writing
from .fields import ONCE, Input, mutation
from .info import Info
from .journeys import Journey
from .lifecycle import EXPECTED
from .problems import (
    GraphProblems,
    IdempotencyConflictProblem,
    InputProblem,
    NotAllowedProblem,
    NotFoundProblem,
    RevisionConflictProblem,
    VersionConflictProblem,
    to_problem,
)
from .versions import Version


@strawberry.input(description="Makes a version of the draft.")
class PublishJourneyInput:
    id: strawberry.ID = strawberry.field(description="The journey.")
    expected_revision: int | None = strawberry.field(
        default=None, description="Publishes only this revision; whatever is there if left out."
    )
    expected_version: int | None = strawberry.field(default=None, description=EXPECTED)
    dry_run: bool = strawberry.field(default=False, description="Only checks, and changes nothing.")
    idempotency_key: str | None = strawberry.field(default=None, description=ONCE)


@strawberry.type(description="The draft was published, or on a dry run could be.")
class PublishJourneyPayload:
    journey: Journey = strawberry.field(description="The journey.")
    version: Version | None = strawberry.field(description="The new version; null on a dry run.")
    staying: int = strawberry.field(
        description="Runs that are inside; each goes on in the version that it entered."
    )


PublishJourneyResult = Annotated[
    PublishJourneyPayload
    | GraphProblems
    | NotFoundProblem
    | NotAllowedProblem
    | RevisionConflictProblem
    | VersionConflictProblem
    | InputProblem
    | IdempotencyConflictProblem,
    strawberry.union("PublishJourneyResult", description="The new version, or why there is none."),
]


@strawberry.type(description="How a draft becomes a version.")
class PublishingMutation:
    @mutation("Makes a version of the draft. People enter it from now on; those inside stay in theirs.")
    async def publish_journey(
        self, info: Info, input: Annotated[PublishJourneyInput, Input]
    ) -> PublishJourneyResult:
        context, key = writing(info), input.idempotency_key
        expected = (input.expected_revision, input.expected_version)
        try:
            wish = publishing.Publication(journey_key(input.id), *expected)
            return await _published(
                context, await publishing.publish(context, wish, key, dry_run=input.dry_run)
            )
        except Refusal as error:
            return to_problem(error)


async def _published(context: Context, answer: Answer) -> PublishJourneyPayload:
    journey_id, number = answer["journey_id"], answer["version"]
    journey = await changed(context, answer)
    version = None if number is None else await journeys.version(context, journey_id, number)
    everything = await periods.period(context, None, None, None)
    found = await journeys.figures(context, journey_id, everything, None, hourly=False)
    return PublishJourneyPayload(
        journey=journey,
        version=Version.from_record(version) if version else None,
        staying=found.answer.inside_now(),
    )
