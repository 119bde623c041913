"""Sender profiles (발신프로필): as whom a connection of an Alimtalk relay speaks."""

from datetime import datetime
from enum import Enum
from typing import Annotated, Any

import orjson
import strawberry

from server.clock import to_datetime_if_any
from server.resolvers import connections
from server.resolvers import sender_profiles as resolve

from .connections import Connection
from .fields import field
from .ids import key_in, to_id
from .info import Info
from .nodes import Node
from .words import value, word


@strawberry.enum(description="How a sender profile stands.")
class SenderProfileState(Enum):
    WAITING = value("waiting", description="For the token that was sent to the channel's administrator.")
    ACTIVE = value("active", description="It can be sent as.")
    DORMANT = value("dormant", description="It fell asleep after a year without a message.")
    BLOCKED = value("blocked", description="It was blocked.")
    CLOSED = value("closed", description="Its channel was closed.")
    DELETED = value("deleted", description="It is gone.")
    UNKNOWN = value("unknown", description="The relay has not told, or in words that we do not know.")


@strawberry.type(description="A sender profile, as its relay told of it last. A connection speaks for one.")
class SenderProfile(Node):
    record: strawberry.Private[Any]
    search_id: str | None = strawberry.field(description="The channel's `@name`.")
    name: str | None = strawberry.field(description="What the channel is called.")
    company: str = strawberry.field(
        description="The name of the shop, with which messages about coupons begin: `setSenderProfile`."
    )
    category: str | None = strawberry.field(description="The code of its category.")
    state: SenderProfileState = strawberry.field(description="How it stands.")
    detail: str | None = strawberry.field(description="What the relay says of that, word for word.")
    is_blocked: bool = strawberry.field(description="Whether KakaoTalk has sanctioned it.")
    is_dormant: bool = strawberry.field(description="Whether it fell asleep.")
    can_send_alimtalk: bool | None = strawberry.field(
        description="Whether it may send Alimtalks; null if the relay does not tell."
    )
    can_send_brand: bool | None = strawberry.field(
        description="Whether it may send Brand Messages; null if the relay does not tell."
    )
    is_verified: bool | None = strawberry.field(
        description="Whether its business was verified; null if the relay does not tell."
    )
    is_first_time: bool | None = strawberry.field(
        description="Whether the rule for first-time senders holds: values may be 14 characters longer than "
        "their variables, all together. Null if the relay does not tell."
    )
    daily_cap: int | None = strawberry.field(description="Messages a day at most; null for no cap.")
    groups: list[str] = strawberry.field(
        description="The groups that it is in; they share templates.", metadata={"list_size": 5}
    )
    registered_at: datetime | None = strawberry.field(description="When it was registered, or first seen.")
    last_sent_at: datetime | None = strawberry.field(description="When it was last sent as, to the hour.")
    synced_at: datetime | None = strawberry.field(description="When the relay last told of it.")
    sync_problem: str | None = strawberry.field(
        description="Why the relay did not answer the last time; null if it did."
    )

    @classmethod
    def from_record(cls, record: Any) -> "SenderProfile":
        same = ("can_send_alimtalk", "can_send_brand", "is_verified", "is_first_time", "daily_cap", "company")
        return cls(
            id=to_id("SenderProfile", record.id),
            record=record,
            search_id=record.search_id or None,
            name=record.name or None,
            category=record.category or None,
            state=word(SenderProfileState, record.state, SenderProfileState.UNKNOWN),
            detail=record.detail or None,
            is_blocked=bool(record.is_blocked),
            is_dormant=bool(record.is_dormant),
            groups=orjson.loads(record.groups),
            sync_problem=record.problem or None,
            **{name: getattr(record, name) for name in same},
            registered_at=to_datetime_if_any(record.registered_at),
            last_sent_at=to_datetime_if_any(record.last_sent_at),
            synced_at=to_datetime_if_any(record.synced_at),
        )

    @field("When it falls asleep unless a message is sent; null while that is not known.")
    def dormant_at(self) -> datetime | None:
        return to_datetime_if_any(resolve.sleeps_at(self.record))

    @field("The connection that speaks for it.")
    async def connection(self, info: Info) -> Connection | None:
        found = await connections.by_id(info.context, self.record.connection_id)
        return Connection.from_record(found) if found else None


@strawberry.type(description="A category of sender profiles, or of templates, as a relay knows it.")
class AlimtalkCategory:
    code: str = strawberry.field(description="Its code.")
    name: str = strawberry.field(description="What it is called.")


OfConnection = Annotated[strawberry.ID, strawberry.argument(description="The connection of the relay.")]


@strawberry.type(description="What can be asked about sender profiles.")
class SenderProfileQuery:
    @field("As whom the project's connections of Alimtalk relays speak.", list_size=10)
    async def sender_profiles(self, info: Info) -> list[SenderProfile]:
        return [SenderProfile.from_record(one) for one in await resolve.listed(info.context)]

    @field("The categories of sender profiles, as this relay tells of them now.", list_size=100, cost=50)
    async def sender_profile_categories(self, info: Info, connection: OfConnection) -> list[AlimtalkCategory]:
        return await _categories(info, connection, of_templates=False)

    @field("The categories of templates, as this relay tells of them now.", list_size=100, cost=50)
    async def alimtalk_categories(self, info: Info, connection: OfConnection) -> list[AlimtalkCategory]:
        return await _categories(info, connection, of_templates=True)


async def _categories(info: Info, connection: strawberry.ID, *, of_templates: bool) -> list[AlimtalkCategory]:
    (number,) = key_in(connection, "Connection")
    found = await resolve.categories(info.context, number, of_templates=of_templates)
    return [AlimtalkCategory(code=one.code, name=one.name) for one in found]
