"""Connections: channel adapters with the settings of this project, and how each of them fares."""

from datetime import datetime
from enum import Enum
from typing import Annotated, TypeVar

import strawberry
from strawberry.scalars import JSON

from server.clock import to_datetime
from server.errors import BadInput
from server.resolvers import connections as resolve
from server.resolvers import records
from server.resolvers.connections import ConnectionView, Handling
from server.resolvers.once import Answer
from server.resolvers.refusals import Invalid, Missing, Refusal
from server.store.projects import WRITE

from .fields import field, mutation
from .ids import key_in, to_id
from .info import Info
from .nodes import Node
from .problems import (
    ConnectionInUseProblem,
    IdempotencyConflictProblem,
    InputProblem,
    NameTakenProblem,
    NotFoundProblem,
    SettingsProblems,
    to_problem,
)
from .words import ChannelName, FailureReason, value, word


@strawberry.enum(description="Whether messages are let through to a provider.")
class BreakerState(Enum):
    CLOSED = value("closed", description="They are: nothing speaks against it.")
    OPEN = value("open", description="They are not, until `openUntil`: it failed too often.")
    HALF_OPEN = value("half_open", description="A few are, to see whether it works again.")


@strawberry.type(description="The last thing that went wrong with a connection itself.")
class ConnectionError:
    at: datetime = strawberry.field(description="When.")
    reason: FailureReason = strawberry.field(description="Why.")
    code: str | None = strawberry.field(description="The provider's own code.")
    detail: str | None = strawberry.field(description="The provider's own words.")


@strawberry.type(description="How a connection fares.")
class ConnectionHealth:
    breaker: BreakerState = strawberry.field(description="Whether messages are let through.")
    open_until: datetime | None = strawberry.field(description="When it is tried again, if it is not.")
    failures_in_a_row: int = strawberry.field(description="Since the last success.")
    last_success_at: datetime | None = strawberry.field(description="When the provider last took something.")
    last_error: ConnectionError | None = strawberry.field(description="What last went wrong.")

    @classmethod
    def from_record(cls, record: records.ConnectionHealth | None) -> "ConnectionHealth":
        if record is None:
            record = records.ConnectionHealth(connection_id=0)
        return cls(
            breaker=word(BreakerState, record.breaker, BreakerState.CLOSED),
            open_until=_moment(record.open_until),
            failures_in_a_row=record.failures,
            last_success_at=_moment(record.succeeded_at),
            last_error=_error(record),
        )


def _moment(at: int | None) -> datetime | None:
    return None if at is None else to_datetime(at)


def _error(record: records.ConnectionHealth) -> ConnectionError | None:
    if record.failed_at is None:
        return None
    return ConnectionError(
        at=to_datetime(record.failed_at),
        reason=word(FailureReason, record.reason, FailureReason.UNKNOWN),
        code=record.code or None,
        detail=record.detail or None,
    )


@strawberry.type(description="A channel adapter with the settings of this project.")
class Connection(Node):
    record: strawberry.Private[ConnectionView]
    name: str = strawberry.field(description="By which message steps name it.")
    adapter: str = strawberry.field(description="The key of its adapter.")
    channel: ChannelName = strawberry.field(description="The channel that it sends over.")
    settings: JSON = strawberry.field(
        description="Its settings. In the place of a secret stands whether it is set."
    )
    created_at: datetime = strawberry.field(description="When it was made.")
    changed_at: datetime = strawberry.field(description="When it was last changed.")
    is_enabled: bool = strawberry.field(description="Whether anything is sent through it.")
    preference: int = strawberry.field(description="Among those of its channel the lowest is used first.")
    concurrency: int | None = strawberry.field(
        description="Sends at the same time; null is the server's default."
    )
    rate_per_second: float | None = strawberry.field(
        description="Sends per second at most; null is what the adapter says of its provider."
    )

    @field("Where its provider reaches us: the address to register there for receipts.")
    def callback_url(self, info: Info) -> str:
        return info.context.callback_url(self.record.id)

    @field("How it fares.")
    async def health(self, info: Info) -> ConnectionHealth:
        return ConnectionHealth.from_record(await resolve.health(info.context, self.record.id))

    @field("Messages that wait to be handed over, without those of paused journeys.")
    async def backlog(self, info: Info) -> int:
        return await resolve.backlog(info.context, self.record.id)

    @classmethod
    def from_record(cls, record: ConnectionView) -> "Connection":
        return cls(
            id=to_id("Connection", record.id),
            record=record,
            name=record.name,
            adapter=record.adapter,
            channel=word(ChannelName, record.channel, ChannelName.OTHER),
            settings=JSON(record.settings),
            created_at=to_datetime(record.created_at),
            changed_at=to_datetime(record.changed_at),
            is_enabled=record.is_enabled,
            preference=record.preference,
            concurrency=record.concurrency,
            rate_per_second=record.rate_per_second,
        )


_KEY = "The same key and input again gives the first answer again, and does nothing. 1 to 200 characters."


@strawberry.input(description="A new connection.")
class CreateConnectionInput:
    name: str = strawberry.field(description="By which message steps name it: 1 to 100 characters.")
    adapter: str = strawberry.field(description="The key of one of the `channels`.")
    settings: JSON = strawberry.field(description="As the adapter's `settingsSchema` wants them.")
    preference: int | None = strawberry.field(
        default=strawberry.UNSET, description="The lowest of a channel is used first; 100 for a new one."
    )
    is_enabled: bool | None = strawberry.field(
        default=strawberry.UNSET, description="Whether anything is sent through it; a new one is enabled."
    )
    concurrency: int | None = strawberry.field(
        default=strawberry.UNSET, description="Sends at the same time; null is the server's default."
    )
    rate_per_second: float | None = strawberry.field(
        default=strawberry.UNSET, description="Sends per second at most; null is what the adapter says."
    )
    idempotency_key: str | None = strawberry.field(default=None, description=_KEY)


@strawberry.input(description="Another name, or other settings, for a connection.")
class UpdateConnectionInput:
    id: strawberry.ID = strawberry.field(description="The connection.")
    name: str | None = strawberry.field(default=None, description="The new name; stays if left out.")
    settings: JSON | None = strawberry.field(
        default=None,
        description="In the place of all old ones. A secret that is left out stays; null forgets it.",
    )
    preference: int | None = strawberry.field(
        default=strawberry.UNSET, description="The lowest of a channel is used first; 100 for a new one."
    )
    is_enabled: bool | None = strawberry.field(
        default=strawberry.UNSET, description="Whether anything is sent through it; a new one is enabled."
    )
    concurrency: int | None = strawberry.field(
        default=strawberry.UNSET, description="Sends at the same time; null is the server's default."
    )
    rate_per_second: float | None = strawberry.field(
        default=strawberry.UNSET, description="Sends per second at most; null is what the adapter says."
    )
    idempotency_key: str | None = strawberry.field(default=None, description=_KEY)


@strawberry.input(description="A connection to take away.")
class DeleteConnectionInput:
    id: strawberry.ID = strawberry.field(description="The connection.")
    idempotency_key: str | None = strawberry.field(default=None, description=_KEY)


@strawberry.input(description="In which order the connections of a channel are used.")
class ReorderConnectionsInput:
    channel: ChannelName = strawberry.field(description="The channel.")
    ids: list[strawberry.ID] = strawberry.field(
        description="All of the channel's connections, the preferred one first."
    )
    idempotency_key: str | None = strawberry.field(default=None, description=_KEY)


@strawberry.type(description="The connection was made.")
class CreateConnectionPayload:
    connection: Connection = strawberry.field(description="The new connection.")


@strawberry.type(description="The connection was changed.")
class UpdateConnectionPayload:
    connection: Connection = strawberry.field(description="The connection.")


@strawberry.type(description="The connection is gone. What was heard through it stays.")
class DeleteConnectionPayload:
    id: strawberry.ID = strawberry.field(description="The connection that was.")


@strawberry.type(description="The connections are used in this order.")
class ReorderConnectionsPayload:
    connections: list[Connection] = strawberry.field(description="Those of the channel, in their order.")


CreateConnectionResult = Annotated[
    CreateConnectionPayload | SettingsProblems | NameTakenProblem | InputProblem | IdempotencyConflictProblem,
    strawberry.union("CreateConnectionResult", description="The new connection, or why there is none."),
]
UpdateConnectionResult = Annotated[
    UpdateConnectionPayload
    | NotFoundProblem
    | SettingsProblems
    | NameTakenProblem
    | ConnectionInUseProblem
    | InputProblem
    | IdempotencyConflictProblem,
    strawberry.union("UpdateConnectionResult", description="The connection, or why it stays as it is."),
]
DeleteConnectionResult = Annotated[
    DeleteConnectionPayload
    | NotFoundProblem
    | ConnectionInUseProblem
    | InputProblem
    | IdempotencyConflictProblem,
    strawberry.union("DeleteConnectionResult", description="What is gone, or why it has to stay."),
]
ReorderConnectionsResult = Annotated[
    ReorderConnectionsPayload | NotFoundProblem | InputProblem | IdempotencyConflictProblem,
    strawberry.union("ReorderConnectionsResult", description="The new order, or why it stays as it is."),
]
SETTINGS = ("input", "settings")
Input = strawberry.argument(description="All of it in one object.")


@strawberry.type(description="What can be changed in connections.")
class ConnectionMutation:
    @mutation("Connects the project to a provider.")
    async def create_connection(
        self, info: Info, input: Annotated[CreateConnectionInput, Input]
    ) -> CreateConnectionResult:
        info.context.require(WRITE)
        try:
            settings = _object(input.settings)
            answer = await resolve.create(
                info.context,
                input.name,
                input.adapter,
                settings,
                input.idempotency_key,
                _handling(input),
            )
            return CreateConnectionPayload(connection=await _connection(info, answer))
        except Refusal as error:
            return to_problem(error)

    @mutation("Gives a connection another name, other settings, or another handling.")
    async def update_connection(
        self, info: Info, input: Annotated[UpdateConnectionInput, Input]
    ) -> UpdateConnectionResult:
        info.context.require(WRITE)
        try:
            settings = None if input.settings is None else _object(input.settings)
            answer = await resolve.update(
                info.context,
                connection_key(input.id),
                input.name,
                settings,
                input.idempotency_key,
                _handling(input),
            )
            return UpdateConnectionPayload(connection=await _connection(info, answer))
        except Refusal as error:
            return to_problem(error)

    @mutation("Takes a connection away, once nothing needs it any more.")
    async def delete_connection(
        self, info: Info, input: Annotated[DeleteConnectionInput, Input]
    ) -> DeleteConnectionResult:
        info.context.require(WRITE)
        try:
            await resolve.remove(info.context, connection_key(input.id), input.idempotency_key)
            return DeleteConnectionPayload(id=input.id)
        except Refusal as error:
            return to_problem(error)

    @mutation("Says in which order the connections of a channel are used.")
    async def reorder_connections(
        self, info: Info, input: Annotated[ReorderConnectionsInput, Input]
    ) -> ReorderConnectionsResult:
        info.context.require(WRITE)

        def is_meant(channel: str) -> bool:
            return word(ChannelName, channel, ChannelName.OTHER) is input.channel

        try:
            ids = [connection_key(id, "ids") for id in input.ids]
            await resolve.reorder(info.context, is_meant, ids, input.idempotency_key)
            found = [one for one in await resolve.listed(info.context) if is_meant(one.channel)]
            found.sort(key=lambda one: (one.preference, one.id))
            return ReorderConnectionsPayload(connections=[Connection.from_record(one) for one in found])
        except Refusal as error:
            return to_problem(error)


def _handling(input: CreateConnectionInput | UpdateConnectionInput) -> Handling:
    """What is left out stays; null gives back to the server what can be left to it."""
    limits = {"concurrency": input.concurrency, "rate_per_second": input.rate_per_second}
    return Handling(
        preference=_given(input.preference),
        is_enabled=_given(input.is_enabled),
        concurrency=_given(input.concurrency),
        rate_per_second=_given(input.rate_per_second),
        default=frozenset(name for name, found in limits.items() if found is None),
    )


def _object(settings: JSON) -> dict[str, object]:
    if not isinstance(settings, dict):
        raise Invalid("Settings are an object, as the adapter's `settingsSchema` wants it.", SETTINGS)
    return settings


def connection_key(id: strawberry.ID, name: str = "id") -> int:
    try:
        return key_in(id, "Connection")[0]
    except BadInput as error:
        raise Missing(error.message, ("input", name)) from error


T = TypeVar("T")


def _given(found: T | None) -> T | None:
    return None if found is strawberry.UNSET else found


async def _connection(info: Info, answer: Answer) -> Connection:
    info.context.forget()
    return await current(info, answer["connection_id"])


async def current(info: Info, connection_id: int) -> Connection:
    """The connection, which is there."""
    found = await resolve.by_id(info.context, connection_id)
    if found is None:
        raise Missing("There is no such connection in this project.", ("input", "id"))
    return Connection.from_record(found)
