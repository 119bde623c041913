"""Messages that an app or a page shows itself: the server is the provider.

A message is put where `Tools.show` keeps it. Apps read it with a user token that `signing_secret` has signed,
and tell what became of it; the receipts come in by those requests, not by callbacks.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from pydantic import BaseModel, ConfigDict, Field, JsonValue, SecretStr

from channels.contract import (
    CONTRACT_VERSION,
    Accepted,
    AnyChannel,
    BaseChannel,
    Capabilities,
    ContentField,
    Deferred,
    Message,
    OnUnknown,
    Outcome,
    Problem,
    ReceiptKind,
    Rejected,
    Tools,
)
from channels.hookspecs import hookimpl
from channels.options import options_of
from channels.reasons import Reason

SHORTEST_SECRET = 32
"""Characters. HS256 wants a key of 256 bits at least."""
BATCH = 200
_DAY = 24 * 3600 * 1000


class InAppSettings(BaseModel):
    """Who may read: whoever shows a token that one of these secrets has signed."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    signing_secret: SecretStr = Field(
        description="Signs user tokens (JWT, HS256); 32 characters or more, shared with your app's server."
    )
    previous_signing_secret: SecretStr = Field(
        SecretStr(""), description="Still good for tokens while a new secret is being rolled out."
    )
    keep_days: int = Field(30, ge=1, le=365, description="How long a message without an expiry is shown.")


class InAppOptions(BaseModel):
    """What the app is told besides the texts."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    data: dict[str, JsonValue] = Field(default_factory=dict, description="Handed to the app as it is.")


class InAppChannel(BaseChannel[InAppSettings]):
    """An inbox in an app or on a page."""

    key = "in_app"
    channel = "in_app"
    title = "In-app messages"
    contract_version = CONTRACT_VERSION
    settings = InAppSettings
    options = InAppOptions
    capabilities = Capabilities(
        content={
            "title": ContentField(max_length=200),
            "text": ContentField(max_length=10_000, required=True),
            "url": ContentField(max_length=2000),
            "image_url": ContentField(max_length=2000),
        },
        observes=frozenset(
            {
                ReceiptKind.DELIVERED,
                ReceiptKind.SHOWN,
                ReceiptKind.INTERACTED,
                ReceiptKind.DISMISSED,
                ReceiptKind.EXPIRED,
            }
        ),
        native_idempotency=True,
        on_unknown=OnUnknown.RESEND_SAME_KEY,
        batch_size=BATCH,
    )

    def problems(self, settings: InAppSettings) -> list[Problem]:
        found = []
        for name in ("signing_secret", "previous_signing_secret"):
            secret = getattr(settings, name).get_secret_value()
            if (secret or name == "signing_secret") and len(secret) < SHORTEST_SECRET:
                found.append(
                    Problem(name, f"has {len(secret)} characters: {SHORTEST_SECRET} or more are safe")
                )
        return found

    def open(self, settings: InAppSettings, tools: Tools) -> "InAppSender":
        return InAppSender(settings, tools)


class InAppSender:
    """Puts messages where their readers' apps find them."""

    def __init__(self, settings: InAppSettings, tools: Tools) -> None:
        self._settings, self._tools = settings, tools

    async def send(self, message: Message) -> Outcome:
        return (await self.send_many([message]))[0]

    async def send_many(self, messages: Sequence[Message]) -> Sequence[Outcome]:
        if self._tools.show is None:
            later = Deferred(
                self._tools.clock(), Reason.PROVIDER_ERROR, text="this process shows no messages"
            )
            return [later for _ in messages]
        outcomes: list[Outcome] = [_judged(message) for message in messages]
        judged = zip(messages, outcomes, strict=True)
        await self._tools.show(
            [self._dated(message) for message, told in judged if isinstance(told, Accepted)]
        )
        return outcomes

    def _dated(self, message: Message) -> Message:
        if message.expires_at is not None:
            return message
        return replace(message, expires_at=message.sent_at + self._settings.keep_days * _DAY)

    async def aclose(self) -> None:
        """Nothing is open."""


def _judged(message: Message) -> Outcome:
    if isinstance(told := options_of(InAppOptions, message), Rejected):
        return told
    if not message.to or len(message.to) > 255 or not message.to.isprintable():
        return Rejected(Reason.INVALID_RECIPIENT, text="the reader is a user id of 1 to 255 characters")
    for name, field in InAppChannel.capabilities.content.items():
        if field.max_length is not None and len(message.content.get(name, "")) > field.max_length:
            return Rejected(Reason.CONTENT_INVALID, text=f"{name} is longer than {field.max_length}")
    if message.expires_at is not None and message.expires_at <= message.sent_at:
        return Rejected(Reason.EXPIRED, text="it expired before it could be shown")
    return Accepted(message.reference)


@hookimpl
def register_channels() -> Iterable[AnyChannel]:
    return [InAppChannel()]
