"""How long a project keeps the facts behind its figures."""

from datetime import datetime
from typing import Annotated

import strawberry

from server.clock import to_datetime_if_any
from server.resolvers import retention as resolve
from server.resolvers.refusals import Refusal
from server.store.projects import WRITE

from .fields import ONCE, Input, field, mutation
from .info import Info
from .problems import IdempotencyConflictProblem, InputProblem, to_problem


@strawberry.type(
    description="How long facts are kept: runs with their visits, messages, receipts and conversions, and "
    "refused entries. Figures are kept for good, and stay as they are when facts go."
)
class Retention:
    days: int | None = strawberry.field(
        description="How many days after a run is over, and nothing more was heard of it; null: for good."
    )
    kept_since: datetime | None = strawberry.field(
        description="Facts from before then may be gone; null if nothing is."
    )


@strawberry.input(description="How long facts are kept.")
class SetRetentionInput:
    days: int | None = strawberry.field(
        default=None, description="31 to 36,500 days after a run is over; for good if left out."
    )
    idempotency_key: str | None = strawberry.field(default=None, description=ONCE)


@strawberry.type(description="So long are facts kept from now on. `sojourn prune` deletes what is older.")
class SetRetentionPayload:
    retention: Retention = strawberry.field(description="As it is now.")


SetRetentionResult = Annotated[
    SetRetentionPayload | InputProblem | IdempotencyConflictProblem,
    strawberry.union("SetRetentionResult", description="How long, or why it stays as it was."),
]


@strawberry.type(description="What can be asked about the keeping of facts.")
class RetentionQuery:
    @field("How long facts are kept, and since when all of them are there.")
    async def retention(self, info: Info) -> Retention:
        return await _now(info)


@strawberry.type(description="What can be changed in the keeping of facts.")
class RetentionMutation:
    @mutation("Says how long facts are kept after their run is over.")
    async def set_retention(
        self, info: Info, input: Annotated[SetRetentionInput, Input]
    ) -> SetRetentionResult:
        info.context.require(WRITE)
        try:
            await resolve.change(info.context, input.days, input.idempotency_key)
            return SetRetentionPayload(retention=await _now(info))
        except Refusal as error:
            return to_problem(error)


async def _now(info: Info) -> Retention:
    found = await resolve.kept(info.context)
    return Retention(days=found.days, kept_since=to_datetime_if_any(found.since))
