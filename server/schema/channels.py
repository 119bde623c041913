"""Channels that can be connected: what each adapter wants, and what its provider can do."""

from enum import Enum

import strawberry
from strawberry.scalars import JSON

from channels import contract
from server.resolvers.channels import Adapter

from .words import ChannelName, Purpose, ReceiptKind, value, word


@strawberry.enum(description="What may be done with a message that left and got no answer.")
class OnUnknown(Enum):
    NEVER_RESEND = value("never_resend", description="Nothing: a second send could be a second message.")
    RESEND_SAME_KEY = value("resend_same_key", description="Send again: the provider drops the double.")
    ASK = value("ask", description="Ask the provider what became of it.")


@strawberry.type(description="One field of what a message of a channel says.")
class ContentField:
    name: str = strawberry.field(description="E.g. subject, html, text.")
    max_length: int | None = strawberry.field(description="In characters; null without a limit.")
    required: bool = strawberry.field(description="Whether every message has to have it.")


@strawberry.type(description="What an adapter's provider can do and cannot.")
class Capabilities:
    content: list[ContentField] = strawberry.field(
        description="The fields of a message, in alphabetical order.", metadata={"list_size": 10}
    )
    observes: list[ReceiptKind] = strawberry.field(
        description="What it can tell of a message. What is missing here is not observable."
    )
    batch_size: int = strawberry.field(description="Messages in one request at most.")
    rate_per_second: float | None = strawberry.field(description="What it allows one account.")
    native_idempotency: bool = strawberry.field(
        description="Whether a reference that is sent twice reaches the person once."
    )
    on_unknown: OnUnknown = strawberry.field(description="What to do about a missing answer.")
    needs_template: bool = strawberry.field(description="Whether it sends approved templates only.")
    inbound: bool = strawberry.field(description="Whether it tells what people write to us.")
    scheduled_send: bool = strawberry.field(description="Whether it could keep messages until later.")
    purposes: list[Purpose] = strawberry.field(description="What its messages may be for.")
    media: list[str] = strawberry.field(description="MIME types that may be attached or shown.")
    address_scheme: str = strawberry.field(
        description="How the addresses begin that it writes to, e.g. `fcm:`; empty for any of its channel."
    )

    @classmethod
    def from_record(cls, record: contract.Capabilities) -> "Capabilities":
        return cls(
            content=[
                ContentField(name=name, max_length=about.max_length, required=about.required)
                for name, about in sorted(record.content.items())
            ],
            observes=[ReceiptKind(kind.value) for kind in sorted(record.observes)],
            batch_size=record.batch_size,
            rate_per_second=record.rate_per_second,
            native_idempotency=record.native_idempotency,
            on_unknown=OnUnknown(record.on_unknown.value),
            needs_template=record.needs_template,
            inbound=record.inbound,
            scheduled_send=record.scheduled_send,
            purposes=[Purpose(one.value) for one in sorted(record.purposes)],
            media=sorted(record.media),
            address_scheme=record.address_scheme,
        )


@strawberry.type(description="A way of sending that is plugged in, ours or anybody's.")
class Channel:
    key: str = strawberry.field(description="Names it in `createConnection`, e.g. smtp.")
    channel: ChannelName = strawberry.field(description="The channel that it sends over.")
    title: str = strawberry.field(description="What people call it.")
    source: str = strawberry.field(description="Where it comes from: a module, an installed package, a file.")
    settings_schema: JSON = strawberry.field(
        description="JSON Schema of its settings; secrets have the format `password`."
    )
    options_schema: JSON | None = strawberry.field(
        description="JSON Schema of the options that only it understands; null if it has none."
    )
    capabilities: Capabilities = strawberry.field(description="What its provider can do and cannot.")

    @classmethod
    def from_record(cls, record: Adapter) -> "Channel":
        return cls(
            key=record.key,
            channel=word(ChannelName, record.channel, ChannelName.OTHER),
            title=record.title,
            source=record.source,
            settings_schema=JSON(record.settings_schema),
            options_schema=None if record.options_schema is None else JSON(record.options_schema),
            capabilities=Capabilities.from_record(record.capabilities),
        )
