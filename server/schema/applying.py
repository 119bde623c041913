"""Journeys that are kept as files somewhere else: each is made what its file says."""

from enum import Enum
from typing import Annotated

import orjson
import strawberry

from server.context import Context
from server.loaders import FiguresKey
from server.resolvers import applying, journeys, periods
from server.resolvers.applying import Filed
from server.resolvers.once import Answer
from server.resolvers.refusals import Refusal
from server.store.projects import WRITE

from .diffs import JourneyDiff, between
from .fields import ONCE, Input, mutation
from .graph_inputs import GraphInput
from .info import Info
from .journeys import Journey
from .named_journeys import with_ids
from .problems import GraphProblems, IdempotencyConflictProblem, InputProblem, NotAllowedProblem, to_problem
from .to_data import Data, to_data
from .words import value


@strawberry.enum(description="What a file makes of a journey.")
class Applied(Enum):
    CREATED = value(applying.CREATED, description="There was none of this handle.")
    CHANGED = value(applying.CHANGED, description="It said something else.")
    UNCHANGED = value(applying.UNCHANGED, description="It says the same already.")


@strawberry.input(description="What a file says of a journey.")
class ApplyJourneyInput:
    handle: str = strawberry.field(description="What the file calls it: 1 to 100 letters, digits, - and _.")
    title: str = strawberry.field(description="What people call it: 1 to 200 characters.")
    category: str | None = strawberry.field(default=None, description="By which people sort journeys.")
    graph: GraphInput = strawberry.field(description="The whole drawing; nothing of it may be wrong.")
    dry_run: bool = strawberry.field(default=False, description="Only compares, and changes nothing.")
    idempotency_key: str | None = strawberry.field(default=None, description=ONCE)


@strawberry.type(description="A step where people wait that is otherwise from now on, or gone.")
class WaitingAt:
    key: strawberry.ID = strawberry.field(description="The key of the step.")
    runs: int = strawberry.field(description="How many wait there now.")


@strawberry.type(description="The journey is what the file says, or on a dry run would be.")
class ApplyJourneyPayload:
    change: Applied = strawberry.field(description="What the file makes of it.")
    journey: Journey | None = strawberry.field(description="The journey; null on the dry run of a new one.")
    revision: int | None = strawberry.field(
        description="Of the draft that is to be published, for `publishJourney`; null if there is nothing to "
        "publish: the version that people enter says the same."
    )
    replaced_revision: int | None = strawberry.field(
        description="Of the draft that said something else and gives way to the file; null if there is none."
    )
    diff: JourneyDiff = strawberry.field(
        description="From the version that people enter now, or else the draft, to the file."
    )
    inside: int = strawberry.field(description="Runs that are inside.")
    waiting: list[WaitingAt] = strawberry.field(
        description="Where they wait, of the steps that the file changes or leaves out.",
        metadata={"list_size": 10},
    )


ApplyJourneyResult = Annotated[
    ApplyJourneyPayload | GraphProblems | NotAllowedProblem | InputProblem | IdempotencyConflictProblem,
    strawberry.union("ApplyJourneyResult", description="What the file makes of the journey, or why nothing."),
]


@strawberry.type(description="What can be done with files.")
class ApplyMutation:
    @mutation(
        "Makes the draft of a journey what a file says, unless people enter just that already. The file wins "
        "over any other draft; a journey that is not there is made. Nobody is concerned before it is "
        "published."
    )
    async def apply_journey(
        self, info: Info, input: Annotated[ApplyJourneyInput, Input]
    ) -> ApplyJourneyResult:
        info.context.require(WRITE)
        key = input.idempotency_key
        graph = await with_ids(info.context, to_data(input.graph))
        filed = Filed(input.handle, input.title, input.category or "", graph)
        try:
            answer = await applying.apply(info.context, filed, _same, key, dry_run=input.dry_run)
            return await _applied(info.context, answer, graph)
        except Refusal as error:
            return to_problem(error)


def _same(old: Data, new: Data) -> bool:
    return between(old, new).is_empty


async def _applied(context: Context, answer: Answer, graph: Data) -> ApplyJourneyPayload:
    context.forget()
    journey_id = answer["journey_id"]
    found = None if journey_id is None else await journeys.by_id(context, journey_id)
    diff = JourneyDiff.of(between(await _before(context, answer), graph))
    inside, waiting = (0, []) if found is None else await _people(context, journey_id, diff)
    return ApplyJourneyPayload(
        change=Applied(answer["change"]),
        journey=Journey.from_record(found) if found else None,
        revision=answer["revision"],
        replaced_revision=answer["replaced"],
        diff=diff,
        inside=inside,
        waiting=waiting,
    )


async def _before(context: Context, answer: Answer) -> Data:
    if answer["old_version"] is None:
        return answer["old"] or {}
    version = await journeys.version(context, answer["journey_id"], answer["old_version"])
    assert version is not None
    return dict(orjson.loads(version.graph))


async def _people(context: Context, journey_id: int, diff: JourneyDiff) -> tuple[int, list[WaitingAt]]:
    """How many are inside, and where of what is touched."""
    everything = await periods.period(context, None, None, None)
    wanted = FiguresKey(journey_id, everything.span, users=False)
    figures = (await journeys.figures(context, wanted)).answer
    counted = ((one.key, figures.waiting_now(one.key)) for one in diff.steps)
    return figures.inside_now(), [WaitingAt(key=key, runs=runs) for key, runs in counted if runs]
