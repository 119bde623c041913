"""The guard of the reputation."""

from datetime import datetime
from enum import Enum
from typing import Annotated

import strawberry

from server.clock import to_datetime
from server.errors import BadInput
from server.resolvers import connections, journeys
from server.resolvers import guards as resolve
from server.resolvers.guards import Held, State, Wish
from server.resolvers.refusals import Missing, Refusal
from server.store.guards import Sending
from server.store.projects import WRITE

from .connections import Connection
from .fields import ONCE, Input, field, mutation
from .ids import key_in
from .info import Info
from .journeys import Journey
from .problems import IdempotencyConflictProblem, InputProblem, NotFoundProblem, to_problem
from .words import value


@strawberry.enum(description="Which rate has gone over what is allowed.")
class GuardCause(Enum):
    BOUNCED = value("bounced", description="Too much was returned.")
    COMPLAINED = value("complained", description="Too many readers reported it as spam.")


@strawberry.type(description="One journey's sending through one connection, which its guard holds back.")
class HeldSending:
    record: strawberry.Private[Held]
    held_since: datetime = strawberry.field(description="When it was stopped.")
    because: GuardCause = strawberry.field(description="Which rate went over.")
    sent: int = strawberry.field(description="How many messages had been sent in the window.")
    bounced: int = strawberry.field(
        description="How many of them had been returned, for another reason than being unreachable for now."
    )
    complained: int = strawberry.field(description="How many of them had been reported as spam.")
    waiting_messages: int = strawberry.field(description="How many messages wait for it to go on.")

    @classmethod
    def from_record(cls, record: Held) -> "HeldSending":
        guard = record.guard
        assert guard.tripped_at is not None
        return cls(
            record=record,
            held_since=to_datetime(guard.tripped_at),
            because=GuardCause(guard.because),
            sent=guard.sent,
            bounced=guard.bounced,
            complained=guard.complained,
            waiting_messages=record.waiting,
        )

    @field("The journey.")
    async def journey(self, info: Info) -> Journey | None:
        found = await journeys.by_id(info.context, self.record.guard.journey_id)
        return Journey.from_record(found) if found else None

    @field("The connection; null once it is gone.")
    async def connection(self, info: Info) -> Connection | None:
        found = await connections.by_id(info.context, self.record.guard.connection_id)
        return Connection.from_record(found) if found else None


@strawberry.type(
    description="Watches what comes of each journey's sending through each connection, and holds it back if "
    "too much bounces or is reported as spam. Other journeys and connections go on."
)
class ReputationGuard:
    is_on: bool = strawberry.field(description="Whether it watches at all.")
    channels: list[str] = strawberry.field(
        description="The channels that it watches.", metadata={"list_size": 3}
    )
    window_seconds: int = strawberry.field(
        description="Of which messages the rates are: those that were sent in so long before."
    )
    bounce_rate: float = strawberry.field(description="The share of bounces that is allowed, e.g. 0.05.")
    complaint_rate: float = strawberry.field(
        description="The share of complaints that is allowed, e.g. 0.001."
    )
    least_sent: int = strawberry.field(description="A rate of fewer messages than this says nothing yet.")
    held: list[HeldSending] = strawberry.field(
        description="What it holds back now, the latest first.", metadata={"list_size": 5}
    )

    @classmethod
    def from_record(cls, record: State) -> "ReputationGuard":
        setting = record.setting
        return cls(
            is_on=setting.is_on,
            channels=list(setting.channels),
            window_seconds=setting.window_ms // 1000,
            bounce_rate=setting.bounce_rate,
            complaint_rate=setting.complaint_rate,
            least_sent=setting.least_sent,
            held=[HeldSending.from_record(one) for one in record.held],
        )


@strawberry.input(description="How the guard of the reputation watches. What is left out stays as it is.")
class SetReputationGuardInput:
    is_on: bool | None = strawberry.field(
        default=None, description="Whether it watches; switched off it holds nothing back any more."
    )
    channels: list[str] | None = strawberry.field(
        default=None, description="The channels that it watches, e.g. `email`: up to 20."
    )
    window_seconds: int | None = strawberry.field(default=None, description="From an hour to 30 days.")
    bounce_rate: float | None = strawberry.field(default=None, description="Above 0, up to 1.")
    complaint_rate: float | None = strawberry.field(default=None, description="Above 0, up to 1.")
    least_sent: int | None = strawberry.field(default=None, description="From 1 to 1,000,000.")
    idempotency_key: str | None = strawberry.field(default=None, description=ONCE)


@strawberry.input(description="A sending that is to go on.")
class RearmReputationGuardInput:
    journey_id: strawberry.ID = strawberry.field(description="The journey.")
    connection_id: strawberry.ID = strawberry.field(description="The connection.")
    idempotency_key: str | None = strawberry.field(default=None, description=ONCE)


@strawberry.type(description="The guard watches like this from now on.")
class SetReputationGuardPayload:
    guard: ReputationGuard = strawberry.field(description="The guard.")


@strawberry.type(description="The sending goes on, and is watched anew from now on.")
class RearmReputationGuardPayload:
    released_messages: int = strawberry.field(
        description="How many messages had waited; those whose time is over end as expired."
    )
    guard: ReputationGuard = strawberry.field(description="The guard.")


SetReputationGuardResult = Annotated[
    SetReputationGuardPayload | InputProblem | IdempotencyConflictProblem,
    strawberry.union("SetReputationGuardResult", description="The guard, or why it stays as it was."),
]
RearmReputationGuardResult = Annotated[
    RearmReputationGuardPayload | NotFoundProblem | InputProblem | IdempotencyConflictProblem,
    strawberry.union("RearmReputationGuardResult", description="What goes on, or why nothing does."),
]


@strawberry.type(description="What can be asked about the guard of the reputation.")
class GuardQuery:
    @field("How the reputation is guarded, and what is held back for its sake.")
    async def reputation_guard(self, info: Info) -> ReputationGuard:
        return ReputationGuard.from_record(await resolve.state(info.context))


@strawberry.type(description="What can be changed in the guard of the reputation.")
class GuardMutation:
    @mutation("Says how the reputation is guarded.")
    async def set_reputation_guard(
        self, info: Info, input: Annotated[SetReputationGuardInput, Input]
    ) -> SetReputationGuardResult:
        info.context.require(WRITE)
        try:
            await resolve.put(info.context, _wish(input), input.idempotency_key)
            return SetReputationGuardPayload(guard=await _guard(info))
        except Refusal as error:
            return to_problem(error)

    @mutation("Lets a journey's sending through a connection go on that was held back.")
    async def rearm_reputation_guard(
        self, info: Info, input: Annotated[RearmReputationGuardInput, Input]
    ) -> RearmReputationGuardResult:
        info.context.require(WRITE)
        try:
            answer = await resolve.rearm(info.context, _sending(input), input.idempotency_key)
            info.context.forget()
            return RearmReputationGuardPayload(released_messages=answer["released"], guard=await _guard(info))
        except Refusal as error:
            return to_problem(error)


async def _guard(info: Info) -> ReputationGuard:
    return ReputationGuard.from_record(await resolve.state(info.context))


def _wish(input: SetReputationGuardInput) -> Wish:
    window = input.window_seconds
    return Wish(
        is_on=input.is_on,
        channels=input.channels,
        window_ms=None if window is None else window * 1000,
        bounce_rate=input.bounce_rate,
        complaint_rate=input.complaint_rate,
        least_sent=input.least_sent,
    )


def _sending(input: RearmReputationGuardInput) -> Sending:
    keys = []
    for name, id, kind in (
        ("journeyId", input.journey_id, "Journey"),
        ("connectionId", input.connection_id, "Connection"),
    ):
        try:
            keys.append(key_in(id, kind)[0])
        except BadInput as error:
            raise Missing(error.message, ("input", name)) from error
    return Sending(*keys)
