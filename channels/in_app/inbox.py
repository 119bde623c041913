"""Messages that an app or a page shows itself: the server is the provider.

A message is put where `Tools.show` keeps it. Apps read it with a signed user token and tell what became of it;
the receipts come in by those requests, not by callbacks.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

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
    if not message.to or len(message.to) > 255 or not message.to.isprintable():
        return Rejected(Reason.INVALID_RECIPIENT, text="the reader is a user id of 1 to 255 characters")
    for name, field in InAppChannel.capabilities.content.items():
        if field.max_length is not None and len(message.content.get(name, "")) > field.max_length:
            return Rejected(Reason.CONTENT_INVALID, text=f"{name} is longer than {field.max_length}")
    if message.expires_at is not None and message.expires_at <= message.sent_at:
        return Rejected(Reason.EXPIRED, text="it expired before it could be shown")
    return Accepted(message.reference)


class BadToken(Exception):
    """A user token that proves nothing; the text says why, for our log and for developers."""


def reader_of(settings: InAppSettings, token: str, now: int) -> str:
    """The user id that a token is for. `now` in milliseconds. Raises BadToken.

    A token is a JWT signed with HS256, with `sub` (the user id) and `exp`.
    """
    import jwt

    options: Any = {"require": ["exp", "sub"], "verify_exp": False, "verify_iat": False, "verify_nbf": False}
    for secret in (settings.signing_secret, settings.previous_signing_secret):
        if not secret.get_secret_value():
            continue
        try:
            claims = jwt.decode(token, secret.get_secret_value(), algorithms=["HS256"], options=options)
        except jwt.InvalidSignatureError:
            continue
        except jwt.PyJWTError as error:
            raise BadToken(str(error)) from error
        return _reader(claims, now)
    raise BadToken("it is not signed with the secret of this connection")


def _reader(claims: dict[str, Any], now: int) -> str:
    # By the server's clock, which tests and replays hand in; the library would take the machine's.
    if not isinstance(claims["exp"], int | float) or claims["exp"] * 1000 <= now:
        raise BadToken("it has expired")
    if not isinstance(claims["sub"], str) or not claims["sub"]:
        raise BadToken("its `sub` is no user id")
    return claims["sub"]


def token_for(settings: InAppSettings, connection: str, reader: str, expires_at: int) -> str:
    """A token for one reader, as the app's own server can make it with any JWT library."""
    import jwt

    claims = {"sub": reader, "exp": expires_at // 1000}
    key = settings.signing_secret.get_secret_value()
    return jwt.encode(claims, key, algorithm="HS256", headers={"kid": connection})


def connection_in(token: str) -> int:
    """The connection that a token names in its header `kid`: not proved by anything. Raises BadToken."""
    import jwt

    try:
        kid = jwt.get_unverified_header(token).get("kid", "")
    except (jwt.PyJWTError, ValueError, TypeError) as error:
        raise BadToken("it is no JWT") from error
    if not (isinstance(kid, str) and kid.isascii() and kid.isdecimal() and len(kid) < 18):
        raise BadToken("its header wants `kid`, the number of the in-app connection")
    return int(kid)


@hookimpl
def register_channels() -> Iterable[AnyChannel]:
    return [InAppChannel()]
