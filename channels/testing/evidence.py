"""What a channel is checked with: the channel, its settings, and whatever its author can show for it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, TypeAlias

from pydantic import BaseModel, SecretBytes, SecretStr

from channels.contract import AnyChannel, Callback, Capabilities, Inbound, Instant, Message, Receipt, Tools
from channels.testing.desk_evidence import DeskEvidence

if TYPE_CHECKING:
    import httpx

NOW: Instant = 1_767_225_600_000
"""The moment at which checks take place: 2026-01-01T00:00:00Z."""

_SHORTEST_SECRET = 4
"""Anything shorter is in every text by chance."""

WHEN = " — "
"""Stands in a finding before when it was found; findings that differ only in that are told as one."""

Golden: TypeAlias = tuple[Callback, Sequence[Receipt | Inbound]]
"""A genuine callback and everything that it says. `raw` is compared only where it is filled in."""


class Proof(StrEnum):
    """How the provider proves that a callback is its own."""

    SIGNATURE = "signature"
    """Headers or query carry a signature that covers the body."""
    SECRET = "secret"
    """Headers or query carry a shared secret. Whoever has it can write any body."""
    BODY = "body"
    """The body carries its own signature, which may leave out parts that mean nothing."""


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """A channel and what can be shown for it. The more is given, the more is checked."""

    channel: AnyChannel
    settings: BaseModel
    tools: Tools | None = None
    """Leads to a test server or a fake provider. Without it every HTTP request fails to connect, and the
    clock stands at `NOW`."""
    message: Message | None = None
    """One that the provider would take; without it one is made from the capabilities. It is really sent."""
    callbacks: Sequence[Callback | Golden] = ()
    """Genuine ones, signed for these settings at the tools' time, alone or each with what it says."""
    proof: Proof = Proof.SIGNATURE
    signs_time: bool = False
    """The signature covers a time, so an hour earlier or later the same callback is refused."""
    rotated: BaseModel | None = None
    """Settings with another secret, and today's as the previous one: they take the callbacks as well."""
    foreign: BaseModel | None = None
    """Settings that know neither secret: they refuse the callbacks."""
    unreachable: BaseModel | None = None
    """Settings that lead to a server which is down."""
    desk: DeskEvidence | None = None
    """What can be shown for its desk, of a channel that is a `channels.alimtalk.desk.WithDesk`."""
    module: str = ""
    """What the server imports to have this channel; found by itself where it has `register_channels`."""

    @property
    def now(self) -> Instant:
        return self.tools.clock() if self.tools else NOW

    def tools_with(self, http: httpx.AsyncClient) -> Tools:
        """The tools as they are lent, with another client."""
        if self.tools is None:
            return Tools(clock=lambda: NOW, http=http, callback_url="https://hooks.example/1")
        return Tools(
            clock=self.tools.clock,
            http=http,
            connection=self.tools.connection,
            log=self.tools.log,
            public_http=http if self.tools.public_http else None,
            show=self.tools.show,
            callback_url=self.tools.callback_url,
        )

    @property
    def sample(self) -> Message:
        """The message that is sent."""
        return self.message or sample_message(self.channel, self.now)

    @property
    def genuine(self) -> list[Callback]:
        return [one if isinstance(one, Callback) else one[0] for one in self.callbacks]

    @property
    def golden(self) -> list[Golden]:
        return [one for one in self.callbacks if not isinstance(one, Callback)]

    @property
    def secrets(self) -> list[str]:
        """Every secret of the settings that is long enough to be looked for."""
        return [one for one in secrets_of(self.settings) if len(one) >= _SHORTEST_SECRET]

    def tells_a_secret(self, text: str) -> bool:
        return any(secret in text for secret in self.secrets)


def secrets_of(settings: BaseModel) -> Iterator[str]:
    """Every secret in the settings, as text."""
    for name in type(settings).model_fields:
        value = getattr(settings, name)
        if isinstance(value, SecretStr) and value.get_secret_value():
            yield value.get_secret_value()
        elif isinstance(value, SecretBytes) and value.get_secret_value():
            yield value.get_secret_value().decode("utf-8", "replace")
        elif isinstance(value, BaseModel):
            yield from secrets_of(value)


def sample_message(channel: AnyChannel, now: Instant) -> Message:
    """A message for this channel, made from its capabilities alone."""
    capabilities = channel.capabilities
    content = {
        name: _SAMPLES.get(name, "Hello 안녕하세요")[: field.max_length]
        for name, field in capabilities.content.items()
    }
    return Message("check-1", _address(channel.channel, capabilities), content, now)


def _address(channel: str, capabilities: Capabilities) -> str:
    if capabilities.address_scheme:
        return _ADDRESSES.get(capabilities.address_scheme, "token-1")
    return _ADDRESSES.get(channel, "someone@example.com")


_SAMPLES = {
    "from_address": "sender@example.com",
    "reply_to": "sender@example.com",
    "url": "https://shop.example/offer",
    "image_url": "https://shop.example/offer.jpg",
    "media_url": "https://shop.example/offer.jpg",
    "template": "order_paid",
    "language": "ko",
}

_ADDRESSES = {
    "sms": "+821012345678",
    "whatsapp": "+821012345678",
    "kakao": "+821012345678",
    "brand_message": "+821012345678",
    "push": "ab" * 32,
    "in_app": "user-1",
    "webhook": "user-1",
    "fcm:": "fGh1-" + "ab" * 64,
    "apns:": "ab" * 32,
    # The public key is a point of the curve, or nothing could be encrypted for it: the example of RFC 8291.
    "webpush:": '{"endpoint":"https://fcm.googleapis.com/fcm/send/abc","keys":{"auth":"BTBZMqHH6r4Tts7J_aSIgg",'
    '"p256dh":"BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"}}',
}
