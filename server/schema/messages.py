"""Messages: what became of them, and what was heard."""

from datetime import datetime

import orjson
import strawberry
from strawberry.scalars import JSON

from server.clock import to_datetime, to_datetime_if_any
from server.delivery.bursts import reasons, seen
from server.delivery.status import Heard
from server.resolvers import connections, records
from server.resolvers import messages as resolve
from server.resolvers.explaining import messages as explaining_messages
from server.store.erasing import ERASED_LINK

from .connections import Connection
from .cost_lines import CostSource
from .costs import to_money
from .explanations import Fact, to_facts
from .fields import field
from .figures import Money
from .ids import to_id
from .info import Info
from .nodes import Node
from .words import Actor, ChannelName, DeliveryStatus, FailureReason, Purpose, ReceiptKind, word


@strawberry.type(description="How often something was done with a message by one kind of actor.")
class ActorCount:
    actor: Actor = strawberry.field(description="Who did it.")
    first_at: datetime = strawberry.field(description="The first time.")
    last_at: datetime = strawberry.field(description="The last time so far.")
    count: int = strawberry.field(description="How often.")
    why: str | None = strawberry.field(
        description="What moved some of them here although their own requests look otherwise: `honeypot` "
        "(the link that nobody can see), `burst` (many links within seconds), `pair` (two links in a "
        "second); of several, the first of these. Null if nothing did."
    )


@strawberry.type(description="Something that was done with a message, once or more often.")
class Engagement:
    kind: ReceiptKind = strawberry.field(description="What was done.")
    first_at: datetime = strawberry.field(description="The first time.")
    last_at: datetime = strawberry.field(description="The last time so far.")
    count: int = strawberry.field(description="How often.")
    by_actor: list[ActorCount] = strawberry.field(
        description="The same told apart by who did it, by all that was done to the message together.",
        metadata={"list_size": 3},
    )


@strawberry.type(description="One thing heard about a message. Never changes.")
class Receipt:
    kind: ReceiptKind = strawberry.field(description="What was heard.")
    occurred_at: datetime = strawberry.field(description="When it happened, as the sender of the news says.")
    received_at: datetime = strawberry.field(description="When we heard of it.")
    reason: FailureReason | None = strawberry.field(description="Why, for bad news.")
    code: str | None = strawberry.field(description="The provider's own code.")
    detail: str | None = strawberry.field(description="The provider's own words.")
    actor: Actor | None = strawberry.field(
        description="Who did it, by this request alone. What else was done to the message may tell "
        "otherwise: `engagements`."
    )
    actor_why: str | None = strawberry.field(description="What speaks for that actor.")
    url: str | None = strawberry.field(description="The link that was followed.")
    raw: str | None = strawberry.field(
        description="What the provider said, word for word; the first 8,000 characters."
    )
    price: Money | None = strawberry.field(description="What the message costs, where this tells it.")
    connection_id: strawberry.Private[int | None]

    @field("Through which it was sent, or heard of; null for our own news, and once it is gone.")
    async def connection(self, info: Info) -> Connection | None:
        return await connection_of(info, self.connection_id)


@strawberry.type(description="One message to one address.")
class Message(Node):
    record: strawberry.Private[records.Message]
    channel: ChannelName = strawberry.field(description="How it was to reach the user.")
    status: DeliveryStatus = strawberry.field(description="What became of it so far.")
    reason: FailureReason | None = strawberry.field(description="Why it did not arrive; null while it may.")
    address: str = strawberry.field(description="Where it was to go; empty if the user had no address.")
    step_key: strawberry.ID = strawberry.field(description="The step that sent it.")
    created_at: datetime = strawberry.field(description="When the journey decided to send it.")
    purpose: Purpose = strawberry.field(description="What it is for.")
    attempts: int = strawberry.field(description="How often it was handed over, or was tried to be.")
    expires_at: datetime | None = strawberry.field(
        description="Later than this it does not leave any more; null if it has no such time."
    )
    provider_id: str | None = strawberry.field(description="The name by which the provider knows it.")
    voucher_code: str | None = strawberry.field(description="The code that it carries; null for none.")
    template: str | None = strawberry.field(
        description="The key of the project's template that it is made of; null for none."
    )
    template_version: int | None = strawberry.field(
        description="The version of it that left, or was about to; null before."
    )
    evidence: JSON | None = strawberry.field(
        description="What made it lawful when it left, of notices about coupons or points: the declaration, "
        "the relay's code, the consent, the coupon; null where nothing special is wanted."
    )
    cost: Money | None = strawberry.field(
        description="What it costs, without VAT where the price list says so; null while nothing is known. "
        "The last price that its provider told counts, else the one that it was booked by."
    )
    cost_source: CostSource | None = strawberry.field(description="Who says that; null while nobody does.")
    billed_as: str | None = strawberry.field(
        description="The kind that is paid for, e.g. `alimtalk`, `lms`; null while nobody knows."
    )
    engagements: list[Engagement] = strawberry.field(
        description="What was done with it: opens, clicks and so on.", metadata={"list_size": 5}
    )

    @classmethod
    def from_record(cls, record: records.Message) -> "Message":
        return cls(
            id=to_id("Message", record.shard, record.id),
            record=record,
            channel=word(ChannelName, record.channel, ChannelName.OTHER),
            status=DeliveryStatus(record.status),
            reason=to_reason(record.reason),
            address=record.address,
            step_key=strawberry.ID(record.step_key),
            created_at=to_datetime(record.created_at),
            purpose=word(Purpose, record.purpose, Purpose.INFORMATION),
            attempts=record.attempt,
            expires_at=to_datetime_if_any(record.expires_at),
            provider_id=record.provider_id or None,
            voucher_code=record.voucher or None,
            template=record.template or None,
            template_version=record.template_version,
            evidence=JSON(orjson.loads(record.evidence)) if record.evidence else None,
            cost=_price(record),
            cost_source=_cost_source(record),
            billed_as=record.billed_as or None,
            engagements=_engagements(orjson.loads(record.heard)),
        )

    @field("The message that goes out in its place, or went (대체발송); null for none.")
    async def fallback(self, info: Info) -> "Message | None":
        return await _by_id(info, self.record.fallback_id)

    @field("The message in whose place it goes out, or went; null for most.")
    async def fallback_of(self, info: Info) -> "Message | None":
        return await _by_id(info, self.record.fallback_of)

    @field("Until when the provider may still tell what became of it; null if nothing is open.")
    async def open_until(self, info: Info) -> datetime | None:
        return to_datetime_if_any(await resolve.open_until(info.context, self.record))

    @field("Through which it goes or went; null if there is none, or that is gone.")
    async def connection(self, info: Info) -> Connection | None:
        return await connection_of(info, self.record.connection_id)

    @field(
        "Why it arrived, or did not: what decided it, where it was to go, whether that was allowed, and "
        "everything that was heard, in order.",
        list_size=10,
    )
    async def explain(self, info: Info) -> list[Fact]:
        return to_facts(await explaining_messages.explain(info.context, self.record))

    @field("Everything heard about it, in the order in which it happened.", list_size=5)
    async def receipts(self, info: Info) -> list[Receipt]:
        found = await resolve.receipts(info.context, (self.record.shard, self.record.id))
        return [_receipt(record) for record in found]


async def _by_id(info: Info, message_id: int | None) -> Message | None:
    found = None if message_id is None else await resolve.by_id(info.context, message_id)
    return Message.from_record(found) if found else None


async def connection_of(info: Info, connection_id: int | None) -> Connection | None:
    found = await connections.by_id(info.context, connection_id)
    return Connection.from_record(found) if found else None


def to_reason(stored: str) -> FailureReason | None:
    return word(FailureReason, stored, FailureReason.UNKNOWN) if stored else None


_ENGAGEMENTS = (
    ReceiptKind.OPENED,
    ReceiptKind.CLICKED,
    ReceiptKind.REPLIED,
    ReceiptKind.UNSUBSCRIBED,
    ReceiptKind.COMPLAINED,
    ReceiptKind.SHOWN,
    ReceiptKind.INTERACTED,
    ReceiptKind.DISMISSED,
)


def _engagements(heard: Heard) -> list[Engagement]:
    told, whys = seen(heard), reasons(heard)
    return [
        Engagement(
            kind=kind,
            first_at=to_datetime(told[kind.value][0]),
            last_at=to_datetime(told[kind.value][1]),
            count=told[kind.value][2],
            by_actor=[
                ActorCount(
                    actor=actor,
                    first_at=to_datetime(first),
                    last_at=to_datetime(last),
                    count=count,
                    why=whys.get(f"{kind.value}/{actor.value}"),
                )
                for actor in Actor
                for first, last, count in [told.get(f"{kind.value}/{actor.value}", (0, 0, 0))]
                if count
            ],
        )
        for kind in _ENGAGEMENTS
        if kind.value in told
    ]


def _price(record: records.Message | records.Receipt) -> Money | None:
    return None if record.price is None else to_money(record.price, record.currency)


def _receipt(record: records.Receipt) -> Receipt:
    return Receipt(
        kind=word(ReceiptKind, record.kind, ReceiptKind.UNMAPPED),
        occurred_at=to_datetime(record.occurred_at),
        received_at=to_datetime(record.received_at),
        reason=to_reason(record.reason),
        code=record.code or None,
        detail=record.detail or None,
        actor=word(Actor, record.actor, Actor.UNSURE) if record.actor else None,
        actor_why=record.actor_why or None,
        url=None if record.url.startswith(ERASED_LINK) else record.url or None,
        raw=record.raw or None,
        price=_price(record),
        connection_id=record.connection_id,
    )


def _cost_source(record: records.Message) -> CostSource | None:
    if record.price is None:
        return None
    return CostSource.PROVIDER if record.priced_by is None else CostSource.PRICE_LIST
