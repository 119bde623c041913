"""What can be changed in connections, and what comes of it."""

from typing import Annotated

import strawberry

from server.resolvers import connections as resolve
from server.resolvers.once import Answer
from server.resolvers.refusals import Refusal
from server.store.projects import WRITE

from .connection_inputs import (
    CreateConnectionInput,
    DeleteConnectionInput,
    ReorderConnectionsInput,
    UpdateConnectionInput,
    connection_key,
    handling_in,
    object_in,
)
from .connections import Connection, current
from .fields import Input, mutation
from .info import Info
from .problems import (
    ConnectionInUseProblem,
    IdempotencyConflictProblem,
    InputProblem,
    NameTakenProblem,
    NotFoundProblem,
    SettingsProblems,
    to_problem,
)
from .words import ChannelName, word


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


@strawberry.type(description="What can be changed in connections.")
class ConnectionMutation:
    @mutation("Connects the project to a provider.")
    async def create_connection(
        self, info: Info, input: Annotated[CreateConnectionInput, Input]
    ) -> CreateConnectionResult:
        info.context.require(WRITE)
        try:
            settings = object_in(input.settings)
            answer = await resolve.create(
                info.context,
                input.name,
                input.adapter,
                settings,
                input.idempotency_key,
                handling_in(input),
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
            settings = None if input.settings is None else object_in(input.settings)
            answer = await resolve.update(
                info.context,
                connection_key(input.id),
                input.name,
                settings,
                input.idempotency_key,
                handling_in(input),
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


async def _connection(info: Info, answer: Answer) -> Connection:
    info.context.forget()
    return await current(info, answer["connection_id"])
