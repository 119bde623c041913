"""Choosing a branch of a split by chance, and opening it again."""

from typing import Annotated

import strawberry

from server.resolvers import experiments as resolve
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
    to_problem,
)
from .variants import Verdict


@strawberry.input(description="A branch that newcomers get from now on.")
class ChooseWinnerInput:
    id: strawberry.ID = strawberry.field(description="The journey, running or paused.")
    step: strawberry.ID = strawberry.field(description="The key of the A/B/n split in the newest version.")
    output: str = strawberry.field(description="The branch.")
    explore_percent: int = strawberry.field(
        default=0,
        description="How many of a hundred newcomers the other branches still get together: 0 to 50.",
    )
    idempotency_key: str | None = strawberry.field(default=None, description=ONCE)


@strawberry.input(description="A split that goes on with its percentages.")
class ReopenExperimentInput:
    id: strawberry.ID = strawberry.field(description="The journey, running or paused.")
    step: strawberry.ID = strawberry.field(description="The key of the A/B/n split in the newest version.")
    idempotency_key: str | None = strawberry.field(default=None, description=ONCE)


@strawberry.type(description="Newcomers get the branch.")
class ChooseWinnerPayload:
    journey: Journey = strawberry.field(description="The journey.")
    verdict: Verdict = strawberry.field(description="The decision.")


@strawberry.type(description="Newcomers are drawn by the percentages again.")
class ReopenExperimentPayload:
    journey: Journey = strawberry.field(description="The journey.")
    verdict: Verdict = strawberry.field(description="The decision.")


ChooseWinnerResult = Annotated[
    ChooseWinnerPayload | NotFoundProblem | NotAllowedProblem | InputProblem | IdempotencyConflictProblem,
    strawberry.union("ChooseWinnerResult", description="The decision, or why there is none."),
]
ReopenExperimentResult = Annotated[
    ReopenExperimentPayload | NotFoundProblem | NotAllowedProblem | InputProblem | IdempotencyConflictProblem,
    strawberry.union("ReopenExperimentResult", description="The decision, or why there is none."),
]


@strawberry.type(description="What can be decided about splits by chance.")
class ExperimentMutation:
    @mutation(
        "Sends newcomers to one branch of an A/B/n split. Who has a branch keeps it, unless told not to."
    )
    async def choose_winner(
        self, info: Info, input: Annotated[ChooseWinnerInput, Input]
    ) -> ChooseWinnerResult:
        context = writing(info)
        try:
            wish = (journey_key(input.id), str(input.step), input.output, input.explore_percent)
            answer = await resolve.choose(context, *wish, input.idempotency_key)
            verdict = Verdict.from_record(await resolve.verdict(context, answer))
            return ChooseWinnerPayload(journey=await changed(context, answer), verdict=verdict)
        except Refusal as error:
            return to_problem(error)

    @mutation("Draws newcomers by the split's percentages again, whoever had decided.")
    async def reopen_experiment(
        self, info: Info, input: Annotated[ReopenExperimentInput, Input]
    ) -> ReopenExperimentResult:
        context = writing(info)
        try:
            wish = (journey_key(input.id), str(input.step))
            answer = await resolve.reopen(context, *wish, input.idempotency_key)
            verdict = Verdict.from_record(await resolve.verdict(context, answer))
            return ReopenExperimentPayload(journey=await changed(context, answer), verdict=verdict)
        except Refusal as error:
            return to_problem(error)
