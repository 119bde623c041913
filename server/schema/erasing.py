"""Erasing a person."""

from typing import Annotated

import strawberry

from server.resolvers import erasing
from server.resolvers.refusals import Refusal
from server.store.projects import ADMIN

from .fields import ONCE, Input, mutation
from .info import Info
from .problems import IdempotencyConflictProblem, InputProblem, NotFoundProblem, to_problem
from .users import IdentityInput, to_wanted


@strawberry.input(description="A person to forget.")
class EraseUserInput:
    identity: IdentityInput = strawberry.field(description="Whatever leads to the person.")
    idempotency_key: str | None = strawberry.field(default=None, description=ONCE)


@strawberry.type(
    description="Nothing is sent to the person from now on, and within moments nothing is known of them."
)
class EraseUserPayload:
    users: int = strawberry.field(
        description="Under how many users the person was known: more than one after merges."
    )
    ending_runs: int = strawberry.field(description="Runs that were open; each ends as erased.")
    cancelled_messages: int = strawberry.field(
        description="Messages that had not left; each is skipped as `ERASED`."
    )


EraseUserResult = Annotated[
    EraseUserPayload | NotFoundProblem | InputProblem | IdempotencyConflictProblem,
    strawberry.union("EraseUserResult", description="What was on its way, or why nobody was erased."),
]


@strawberry.type(description="Erasing people.")
class ErasureMutation:
    @mutation(
        "Forgets a person for good; figures stay as numbers. Needs a key with the scope `admin`. "
        "Cannot be undone."
    )
    async def erase_user(self, info: Info, input: Annotated[EraseUserInput, Input]) -> EraseUserResult:
        info.context.require(ADMIN)
        try:
            answer = await erasing.erase(info.context, to_wanted(input.identity), input.idempotency_key)
        except Refusal as error:
            return to_problem(error)
        return EraseUserPayload(
            users=answer["users"], ending_runs=answer["runs"], cancelled_messages=answer["messages"]
        )
