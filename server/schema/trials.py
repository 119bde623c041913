"""Trying a connection: asking what is wrong with it, and sending one message straight through it."""

from datetime import datetime
from typing import Annotated, Any

import strawberry
from strawberry.scalars import JSON

from channels import contract
from server.clock import to_datetime
from server.resolvers import trials as resolve
from server.resolvers.refusals import Invalid, Refusal
from server.store.projects import WRITE

from .connection_inputs import connection_key
from .connections import Connection, current
from .fields import ONCE, Input, mutation
from .info import Info
from .problems import (
    IdempotencyConflictProblem,
    InputProblem,
    NotFoundProblem,
    SettingsProblem,
    SuppressedProblem,
    to_problem,
    to_settings_problem,
)
from .words import FailureReason


@strawberry.input(description="A connection to try without sending anything.")
class TestConnectionInput:
    connection_id: strawberry.ID = strawberry.field(description="The connection.")


@strawberry.type(description="What was found.")
class TestConnectionPayload:
    connection: Connection = strawberry.field(description="The connection.")
    is_working: bool = strawberry.field(description="Whether nothing is wrong, as far as its provider tells.")
    problems: list[SettingsProblem] = strawberry.field(description="What is wrong; never a secret.")


@strawberry.input(description="One message, straight to the provider; no part of any journey.")
class SendTestMessageInput:
    connection_id: strawberry.ID = strawberry.field(description="The connection.")
    to: str = strawberry.field(description="The address.")
    content: JSON = strawberry.field(description="Texts by the fields that the channel's `content` names.")
    variables: JSON | None = strawberry.field(
        default=None, description="Texts by the names that a template at the provider has for them."
    )
    options: JSON | None = strawberry.field(
        default=None, description="What only this adapter understands, as its `optionsSchema` wants it."
    )
    idempotency_key: str | None = strawberry.field(default=None, description=ONCE)


@strawberry.interface(description="What became of an attempt to send.")
class SendOutcome:
    code: str | None = strawberry.field(description="The provider's own code.")
    text: str | None = strawberry.field(description="The provider's own words.")


@strawberry.type(description="The provider took it over. That is not yet delivery.")
class SendAccepted(SendOutcome):
    provider_id: str = strawberry.field(description="The name by which the provider knows it.")


@strawberry.type(description="The provider, or the adapter itself, said no.")
class SendRejected(SendOutcome):
    reason: FailureReason = strawberry.field(description="Why.")


@strawberry.type(description="Nothing was taken over; a later attempt may succeed.")
class SendDeferred(SendOutcome):
    reason: FailureReason = strawberry.field(description="Why.")
    retry_at: datetime = strawberry.field(description="The earliest moment worth trying.")


@strawberry.type(description="It left and no answer came: it may have arrived.")
class SendUnknown(SendOutcome):
    reason: FailureReason = strawberry.field(description="Why.")


@strawberry.type(description="The attempt was made.")
class SendTestMessagePayload:
    reference: str = strawberry.field(description="Our name for the message; begins with `test-`.")
    outcome: SendOutcome = strawberry.field(description="What became of it.")


TestConnectionResult = Annotated[
    TestConnectionPayload | NotFoundProblem,
    strawberry.union("TestConnectionResult", description="What was found, or why nothing was looked for."),
]
SendTestMessageResult = Annotated[
    SendTestMessagePayload | NotFoundProblem | SuppressedProblem | InputProblem | IdempotencyConflictProblem,
    strawberry.union("SendTestMessageResult", description="What became of it, or why it was not tried."),
]
OUTCOMES = (SendAccepted, SendRejected, SendDeferred, SendUnknown)


@strawberry.type(description="What can be tried with connections.")
class TrialMutation:
    @mutation("Asks a connection's provider what is wrong, without sending or changing anything.")
    async def test_connection(
        self, info: Info, input: Annotated[TestConnectionInput, Input]
    ) -> TestConnectionResult:
        info.context.require(WRITE)
        try:
            connection_id = connection_key(input.connection_id)
            found = await resolve.probe(info.context, connection_id)
            return TestConnectionPayload(
                connection=await current(info, connection_id),
                is_working=not found,
                problems=[to_settings_problem(one) for one in found],
            )
        except Refusal as error:
            return to_problem(error)

    @mutation("Sends one message straight to a connection's provider. Nothing of it is counted.")
    async def send_test_message(
        self, info: Info, input: Annotated[SendTestMessageInput, Input]
    ) -> SendTestMessageResult:
        info.context.require(WRITE)
        try:
            wish = resolve.Wish(
                input.to,
                _object(input.content, "content"),
                _object(input.variables, "variables"),
                _object(input.options, "options"),
            )
            connection_id = connection_key(input.connection_id, "connectionId")
            sent = await resolve.send(info.context, connection_id, wish, input.idempotency_key)
            return SendTestMessagePayload(reference=sent.reference, outcome=to_outcome(sent.outcome))
        except Refusal as error:
            return to_problem(error)


def to_outcome(outcome: contract.Outcome) -> SendOutcome:
    words: dict[str, Any] = {"code": outcome.code or None, "text": outcome.text or None}
    if isinstance(outcome, contract.Accepted):
        return SendAccepted(provider_id=outcome.provider_id, **words)
    reason = FailureReason(outcome.reason.value)
    if isinstance(outcome, contract.Rejected):
        return SendRejected(reason=reason, **words)
    if isinstance(outcome, contract.Deferred):
        return SendDeferred(reason=reason, retry_at=to_datetime(outcome.retry_at), **words)
    return SendUnknown(reason=reason, **words)


def _object(value: Any, name: str) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise Invalid("An object was wanted.", ("input", name))
    return value
