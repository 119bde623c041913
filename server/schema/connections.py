"""Connections: channel adapters with the settings of this project, and how each of them fares."""

from datetime import datetime
from enum import Enum

import strawberry
from strawberry.scalars import JSON

from server.clock import to_datetime, to_datetime_if_any
from server.resolvers import connections as resolve
from server.resolvers import records
from server.resolvers.connections import ConnectionView
from server.resolvers.refusals import Missing

from .fields import field
from .ids import to_id
from .info import Info
from .nodes import Node
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
            open_until=to_datetime_if_any(record.open_until),
            failures_in_a_row=record.failures,
            last_success_at=to_datetime_if_any(record.succeeded_at),
            last_error=_error(record),
        )


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


async def current(info: Info, connection_id: int) -> Connection:
    """The connection, which is there."""
    found = await resolve.by_id(info.context, connection_id)
    if found is None:
        raise Missing("There is no such connection in this project.", ("input", "id"))
    return Connection.from_record(found)
