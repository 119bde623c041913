"""Publishing: a draft becomes a version, and what becomes of the people who are inside."""

from typing import Annotated

import strawberry

from server.context import Context
from server.journey import moving
from server.resolvers import journeys, publishing
from server.resolvers.once import Answer
from server.resolvers.refusals import Invalid, Refusal

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
from .words import InsideFate, StepFate, UnmappedFate


@strawberry.input(description="From a step of an earlier version to a step of the new one.")
class StepMoveInput:
    source: strawberry.ID = strawberry.field(
        name="from", description="The key of a step of any earlier version."
    )
    target: strawberry.ID = strawberry.field(
        name="to", description="The key of a step of the new version, and no entry."
    )


@strawberry.input(description="What becomes of the people inside.")
class PeopleInsideInput:
    fate: InsideFate = strawberry.field(default=InsideFate.STAY, description="As a whole.")
    map: list[StepMoveInput] = strawberry.field(
        default_factory=list,
        description="With `MOVE`: where to. A step that is not in it leads to the step of the same key.",
    )
    unmapped: UnmappedFate = strawberry.field(
        default=UnmappedFate.STAY,
        description="With `MOVE`: for whoever waits at a step that leads to no step of the new version.",
    )


@strawberry.input(description="Makes a version of the draft.")
class PublishJourneyInput:
    id: strawberry.ID = strawberry.field(description="The journey.")
    expected_revision: int | None = strawberry.field(
        default=None, description="Publishes only this revision; whatever is there if left out."
    )
    expected_version: int | None = strawberry.field(default=None, description=EXPECTED)
    people_inside: PeopleInsideInput | None = strawberry.field(
        default=None, description="What becomes of the people inside; they stay in theirs if left out."
    )
    dry_run: bool = strawberry.field(default=False, description="Only checks, and changes nothing.")
    idempotency_key: str | None = strawberry.field(default=None, description=ONCE)


@strawberry.type(description="The people who wait at one step of one version.")
class PeopleAtStep:
    version_number: int = strawberry.field(description="The version.")
    step_key: strawberry.ID = strawberry.field(description="The step.")
    waiting: int = strawberry.field(description="How many wait there.")
    fate: StepFate = strawberry.field(description="What becomes of them.")
    target: strawberry.ID | None = strawberry.field(
        name="to", description="The step of the new version to which they move; null if they do not."
    )


@strawberry.type(description="The draft was published, or on a dry run could be.")
class PublishJourneyPayload:
    journey: Journey = strawberry.field(description="The journey.")
    version: Version | None = strawberry.field(description="The new version; null on a dry run.")
    staying: int = strawberry.field(
        description="Runs that are inside and go on in the version in which they are."
    )
    moving: int = strawberry.field(description="Runs that move to the new version.")
    ending: int = strawberry.field(description="Runs that end as edited.")
    inside: list[PeopleAtStep] = strawberry.field(
        description="Where people waited when this was decided, and what becomes of them there.",
        metadata={"list_size": 12},
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
    @mutation(
        "Makes a version of the draft. People enter it from now on; those inside stay in theirs, or move."
    )
    async def publish_journey(
        self, info: Info, input: Annotated[PublishJourneyInput, Input]
    ) -> PublishJourneyResult:
        context, key = writing(info), input.idempotency_key
        expected = (input.expected_revision, input.expected_version)
        try:
            moved = _to_moving(input.people_inside)
            wish = publishing.Publication(journey_key(input.id), *expected, moved)
            return await _published(
                context, await publishing.publish(context, wish, key, dry_run=input.dry_run)
            )
        except Refusal as error:
            return to_problem(error)


def _to_moving(input: PeopleInsideInput | None) -> moving.Moving:
    """Raises Invalid for a step that is to lead to two."""
    if input is None:
        return moving.Moving()
    steps = {str(one.source): str(one.target) for one in input.map}
    if len(steps) < len(input.map):
        raise Invalid("One step leads to two places.", ("input", "peopleInside", "map"))
    return moving.Moving(moving.Fate(input.fate.value), steps, moving.Unmapped(input.unmapped.value))


async def _published(context: Context, answer: Answer) -> PublishJourneyPayload:
    journey_id, number = answer["journey_id"], answer["version"]
    journey = await changed(context, answer)
    version = None if number is None else await journeys.version(context, journey_id, number)
    # The answer of a key that was used before these were counted has none.
    inside = [_at_step(publishing.AtStep(*one)) for one in answer.get("inside", ())]
    return PublishJourneyPayload(
        journey=journey,
        version=Version.from_record(version) if version else None,
        staying=_count(inside, StepFate.STAYS),
        moving=_count(inside, StepFate.MOVES),
        ending=_count(inside, StepFate.ENDS),
        inside=inside,
    )


def _at_step(found: publishing.AtStep) -> PeopleAtStep:
    return PeopleAtStep(
        version_number=found.version,
        step_key=strawberry.ID(found.step_key),
        waiting=found.waiting,
        fate=StepFate(found.fate),
        target=None if found.target is None else strawberry.ID(found.target),
    )


def _count(inside: list[PeopleAtStep], fate: StepFate) -> int:
    return sum(one.waiting for one in inside if one.fate is fate)
