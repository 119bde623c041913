"""A template of the project sent once, to try it."""

from typing import Annotated, Any

import strawberry
from strawberry.scalars import JSON

from server.errors import BadInput
from server.resolvers import alimtalk_trials as resolve
from server.resolvers.alimtalk_trials import Trial
from server.resolvers.alimtalk_values import Reader
from server.resolvers.refusals import Invalid, Missing, Refusal
from server.store.projects import WRITE
from server.store.users import UserKey

from .alimtalk_content import AlimtalkContent
from .connection_inputs import connection_key
from .fields import ONCE, Input, mutation
from .ids import key_in
from .info import Info
from .problems import (
    IdempotencyConflictProblem,
    InputProblem,
    NotFoundProblem,
    SuppressedProblem,
    to_problem,
)
from .trials import SendOutcome, to_outcome


@strawberry.input(description="A template to send once; no part of any journey, and counted nowhere.")
class SendTestAlimtalkInput:
    template: str = strawberry.field(description="Its key in the project.")
    version: int | None = strawberry.field(
        default=None, description="Which version; the one that would be sent if nothing is said."
    )
    connection_id: strawberry.ID = strawberry.field(description="The connection that sends it.")
    to: str = strawberry.field(description="The number, Korean or as +8210….")
    values: JSON | None = strawberry.field(
        default=None,
        description="Values of its variables by their names. What is not here is given by the template's "
        "bindings, for the user and the event below.",
    )
    user_id: strawberry.ID | None = strawberry.field(
        default=None, description="The user for whom it is filled; it goes to `to` all the same."
    )
    event: str | None = strawberry.field(
        default=None, description="The name of the event by which that user would have come in."
    )
    properties: JSON | None = strawberry.field(
        default=None, description="The event's properties, e.g. `coupon` and `row`."
    )
    idempotency_key: str | None = strawberry.field(default=None, description=ONCE)


@strawberry.type(description="The attempt was made.")
class SendTestAlimtalkPayload:
    reference: str = strawberry.field(description="Our name for the message; begins with `test-`.")
    version: int = strawberry.field(description="The version of the template that was sent.")
    content: AlimtalkContent = strawberry.field(description="What its reader sees.")
    outcome: SendOutcome = strawberry.field(description="What became of it.")


SendTestAlimtalkResult = Annotated[
    SendTestAlimtalkPayload | NotFoundProblem | SuppressedProblem | InputProblem | IdempotencyConflictProblem,
    strawberry.union("SendTestAlimtalkResult", description="What became of it, or why it was not tried."),
]


@strawberry.type(description="What can be tried with templates.")
class AlimtalkTrialMutation:
    @mutation(
        "Fills a template of the project, checks it as a relay would, and sends it once to a number. What is "
        "not approved is not sent, unless the relay takes it. Nothing of it is counted."
    )
    async def send_test_alimtalk(
        self, info: Info, input: Annotated[SendTestAlimtalkInput, Input]
    ) -> SendTestAlimtalkResult:
        info.context.require(WRITE)
        try:
            tried = await resolve.send(info.context, _trial(input), input.idempotency_key)
            return SendTestAlimtalkPayload(
                reference=tried.sent.reference,
                version=tried.number,
                content=AlimtalkContent.from_template(tried.filled),
                outcome=to_outcome(tried.sent.outcome),
            )
        except Refusal as error:
            return to_problem(error)


def _trial(input: SendTestAlimtalkInput) -> Trial:
    values = _object(input.values, "values")
    for name, text in values.items():
        if not isinstance(text, str):
            raise Invalid(f"The value of {name!r} is a text.", ("input", "values", name))
    return Trial(
        input.template,
        connection_key(input.connection_id, "connectionId"),
        input.to,
        input.version,
        Reader(_user(input.user_id), input.event or "", _object(input.properties, "properties"), values),
    )


def _user(id: strawberry.ID | None) -> UserKey | None:
    if id is None:
        return None
    try:
        shard, number = key_in(id, "User")
    except BadInput as error:
        raise Missing(error.message, ("input", "userId")) from error
    return shard, number


def _object(value: Any, name: str) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise Invalid("An object was wanted.", ("input", name))
    return value
