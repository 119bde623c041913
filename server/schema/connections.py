"""Channels that can be connected, and connections: adapters with the settings of this project."""

from datetime import datetime
from typing import Annotated

import strawberry
from strawberry.scalars import JSON

from server.clock import to_datetime
from server.errors import BadInput
from server.resolvers import connections as resolve
from server.resolvers.channels import Adapter
from server.resolvers.connections import ConnectionView
from server.resolvers.once import Answer
from server.resolvers.refusals import Invalid, Missing, Refusal
from server.store.projects import WRITE

from .fields import mutation
from .ids import key_in, to_id
from .info import Info
from .nodes import Node
from .problems import (
    IdempotencyConflictProblem,
    InputProblem,
    NameTakenProblem,
    NotFoundProblem,
    SettingsProblems,
    to_problem,
)
from .words import ChannelName, ReceiptKind, word


@strawberry.type(description="A way of sending that is plugged in, ours or anybody's.")
class Channel:
    key: str = strawberry.field(description="Names it in `createConnection`, e.g. smtp.")
    channel: ChannelName = strawberry.field(description="The channel that it sends over.")
    title: str = strawberry.field(description="What people call it.")
    source: str = strawberry.field(description="Where it comes from: a module, an installed package, a file.")
    settings_schema: JSON = strawberry.field(
        description="JSON Schema of its settings; secrets have the format `password`."
    )
    observes: list[ReceiptKind] = strawberry.field(description="What its provider can tell of a message.")

    @classmethod
    def from_record(cls, record: Adapter) -> "Channel":
        return cls(
            key=record.key,
            channel=word(ChannelName, record.channel, ChannelName.OTHER),
            title=record.title,
            source=record.source,
            settings_schema=JSON(record.settings_schema),
            observes=[ReceiptKind(kind.value) for kind in sorted(record.capabilities.observes)],
        )


@strawberry.type(description="A channel adapter with the settings of this project.")
class Connection(Node):
    name: str = strawberry.field(description="By which message steps name it.")
    adapter: str = strawberry.field(description="The key of its adapter.")
    channel: ChannelName = strawberry.field(description="The channel that it sends over.")
    settings: JSON = strawberry.field(
        description="Its settings. In the place of a secret stands whether it is set."
    )
    created_at: datetime = strawberry.field(description="When it was made.")
    changed_at: datetime = strawberry.field(description="When it was last changed.")

    @classmethod
    def from_record(cls, record: ConnectionView) -> "Connection":
        return cls(
            id=to_id("Connection", record.id),
            name=record.name,
            adapter=record.adapter,
            channel=word(ChannelName, record.channel, ChannelName.OTHER),
            settings=JSON(record.settings),
            created_at=to_datetime(record.created_at),
            changed_at=to_datetime(record.changed_at),
        )


_KEY = "The same key and input again gives the first answer again, and does nothing. 1 to 200 characters."


@strawberry.input(description="A new connection.")
class CreateConnectionInput:
    name: str = strawberry.field(description="By which message steps name it: 1 to 100 characters.")
    adapter: str = strawberry.field(description="The key of one of the `channels`.")
    settings: JSON = strawberry.field(description="As the adapter's `settingsSchema` wants them.")
    idempotency_key: str | None = strawberry.field(default=None, description=_KEY)


@strawberry.input(description="Another name, or other settings, for a connection.")
class UpdateConnectionInput:
    id: strawberry.ID = strawberry.field(description="The connection.")
    name: str | None = strawberry.field(default=None, description="The new name; stays if left out.")
    settings: JSON | None = strawberry.field(
        default=None,
        description="In the place of all old ones. A secret that is left out stays; null forgets it.",
    )
    idempotency_key: str | None = strawberry.field(default=None, description=_KEY)


@strawberry.type(description="The connection was made.")
class CreateConnectionPayload:
    connection: Connection = strawberry.field(description="The new connection.")


@strawberry.type(description="The connection was changed.")
class UpdateConnectionPayload:
    connection: Connection = strawberry.field(description="The connection.")


CreateConnectionResult = Annotated[
    CreateConnectionPayload | SettingsProblems | NameTakenProblem | InputProblem | IdempotencyConflictProblem,
    strawberry.union("CreateConnectionResult", description="The new connection, or why there is none."),
]
UpdateConnectionResult = Annotated[
    UpdateConnectionPayload
    | NotFoundProblem
    | SettingsProblems
    | NameTakenProblem
    | InputProblem
    | IdempotencyConflictProblem,
    strawberry.union("UpdateConnectionResult", description="The connection, or why it stays as it is."),
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
                info.context, input.name, input.adapter, settings, input.idempotency_key
            )
            return CreateConnectionPayload(connection=await _connection(info, answer))
        except Refusal as error:
            return to_problem(error)

    @mutation("Gives a connection another name or other settings.")
    async def update_connection(
        self, info: Info, input: Annotated[UpdateConnectionInput, Input]
    ) -> UpdateConnectionResult:
        info.context.require(WRITE)
        try:
            settings = None if input.settings is None else _object(input.settings)
            answer = await resolve.update(
                info.context, _id(input.id), input.name, settings, input.idempotency_key
            )
            return UpdateConnectionPayload(connection=await _connection(info, answer))
        except Refusal as error:
            return to_problem(error)


def _object(settings: JSON) -> dict[str, object]:
    if not isinstance(settings, dict):
        raise Invalid("Settings are an object, as the adapter's `settingsSchema` wants it.", SETTINGS)
    return settings


def _id(id: strawberry.ID) -> int:
    try:
        return key_in(id, "Connection")[0]
    except BadInput as error:
        raise Missing(error.message, ("input", "id")) from error


async def _connection(info: Info, answer: Answer) -> Connection:
    info.context.forget()
    found = await resolve.by_id(info.context, answer["connection_id"])
    assert found is not None
    return Connection.from_record(found)
