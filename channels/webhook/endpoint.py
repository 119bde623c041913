"""Messages to any HTTP endpoint: signed JSON out, signed reports back, both as Standard Webhooks 1.0.

`webhook-id` is our reference and the same at every attempt. Receivers of Standard Webhooks drop what they had
before under an id, so a message that left without an answer is sent again.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from channels.answers import said_in
from channels.contract import (
    CONTRACT_VERSION,
    Accepted,
    AnyChannel,
    BaseChannel,
    Callback,
    Capabilities,
    ContentField,
    Deferred,
    Inbound,
    Instant,
    Message,
    OnUnknown,
    Outcome,
    Problem,
    Receipt,
    Refused,
    Rejected,
    Tools,
    Unknown,
    Verified,
)
from channels.hookspecs import hookimpl
from channels.http import LONGEST_TEXT, exchange, outcome_of_status, retry_after
from channels.options import options_of
from channels.reasons import Reason
from channels.webhook.reports import OBSERVES, inbound_of, price_of, receipts_of
from channels.webhook.signatures import key_of, signed, verified

if TYPE_CHECKING:
    import httpx

LARGEST_BODY = 256 * 1024
_LONGEST_ID = 500
# An endpoint that answers knows what became of it, and has nothing to say of an earlier attempt.
_SAYABLE = [one.value for one in Reason if one not in (Reason.OUTCOME_UNKNOWN, Reason.DUPLICATE)]
_LATER = (Reason.RATE_LIMITED, Reason.QUOTA_EXCEEDED, Reason.WINDOW_CLOSED, Reason.PROVIDER_ERROR)


class WebhookSettings(BaseModel):
    """Where the endpoint is, and the secret that it and we share."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    url: str = Field(
        pattern=r"^https?://[^\s/@?#]+([/?][^\s#]*)?$",
        max_length=2000,
        description="Takes a POST. Public addresses only; it is no secret, so keep tokens out of it.",
    )
    plain_http: bool = Field(
        False, description="Allow http://, where everybody on the way can read names and texts."
    )
    signing_secret: SecretStr = Field(description="whsec_ and base64 of 24 to 64 random bytes.")
    previous_signing_secret: SecretStr = Field(
        SecretStr(""), description="While the secret is being changed: both sign, and both are believed."
    )
    header_name: str = Field(
        "authorization", pattern=r"^[A-Za-z0-9-]{1,100}$", description="The header of `header_value`."
    )
    header_value: SecretStr = Field(
        SecretStr(""), description="Sent with each message, e.g. a token that the endpoint wants to see."
    )
    timeout_seconds: float = Field(15, gt=0, le=25, description="How long the endpoint may think.")

    def keys(self) -> list[bytes]:
        """The newest first. Raises ValueError if one is no secret."""
        told = (self.signing_secret, self.previous_signing_secret)
        return [key_of(one.get_secret_value()) for one in told if one.get_secret_value()]


class WebhookOptions(BaseModel):
    """What only endpoints understand."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    type: str = Field("message", pattern=r"^[A-Za-z0-9_]+(\.[A-Za-z0-9_]+)*$", max_length=100)
    data: dict[str, Any] = Field({}, description="Goes to the endpoint as it is.")


class WebhookSender:
    """Posts to one endpoint."""

    def __init__(self, settings: WebhookSettings, tools: Tools) -> None:
        self._settings, self._tools = settings, tools
        self._keys: list[bytes] = []
        with suppress(ValueError):  # said with each message, and by `problems`
            self._keys = settings.keys()

    async def send(self, message: Message) -> Outcome:
        options = options_of(WebhookOptions, message)
        if isinstance(options, Rejected):
            return options
        if message.expires_at is not None and message.expires_at <= message.sent_at:
            return Rejected(Reason.EXPIRED, "expired", "it was not sent: its time was over")
        if not message.reference.isascii() or not message.reference.isprintable():
            return Rejected(Reason.REQUEST_INVALID, "reference", "wanted printable ASCII, for a header")
        if not self._keys:
            return Rejected(Reason.AUTH_FAILED, "signing_secret", "the signing secret cannot be read")
        if found := _wrong_with(self._settings):
            return Rejected(Reason.REQUEST_INVALID, found[0].path, found[0].message)
        body = body_of(message, options)
        if len(body) > LARGEST_BODY:
            told = f"the body is {len(body)} bytes, at most {LARGEST_BODY} are sent"
            return Rejected(Reason.CONTENT_INVALID, "body", told)
        return await self._post(message.reference, body)

    async def _post(self, reference: str, body: bytes) -> Outcome:
        headers = {
            "content-type": "application/json",
            **signed(self._keys, reference, self._tools.clock(), body),
            **_own_header(self._settings),
        }
        response = await call(self._settings, self._tools, "POST", content=body, headers=headers)
        if isinstance(response, Deferred | Unknown):
            return response
        return outcome_of(response, reference, self._tools.clock())

    async def aclose(self) -> None:
        """The connections belong to the server's client."""


async def call(
    settings: WebhookSettings, tools: Tools, method: str, **request: Any
) -> httpx.Response | Deferred | Unknown:
    """One request to the endpoint, which somebody chose who may not be trusted with our own network."""
    import httpx

    most = settings.timeout_seconds
    timeout = httpx.Timeout(most, connect=min(most, 5), pool=min(most, 5))
    return await exchange(
        tools, method, settings.url, http=tools.outside, timeout=timeout, follow_redirects=False, **request
    )


def body_of(message: Message, options: WebhookOptions) -> bytes:
    """The JSON that is signed."""
    told = {
        "message": message.reference,
        "user": message.to,
        "text": message.content.get("text"),
        "title": message.content.get("title"),
        "variables": dict(message.variables),
        "data": options.data,
        "purpose": message.purpose,
        "expires_at": None if message.expires_at is None else _moment(message.expires_at),
    }
    data = {name: value for name, value in told.items() if value is not None}
    event = {"type": options.type, "timestamp": _moment(message.sent_at), "data": data}
    return json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def outcome_of(response: httpx.Response, reference: str, now: Instant) -> Outcome:
    """What an answer says. The endpoint may name the message, and with 422 a reason in our own words."""
    answer = said_in(response)
    if response.is_success:
        own = answer.get("id")
        named = isinstance(own, str) and own.isprintable() and 0 < len(own) <= _LONGEST_ID
        return Accepted(str(own) if named else reference, price=price_of(answer))
    if response.status_code == 410:
        told = response.text[:LONGEST_TEXT] or "the endpoint is gone and wants no more"
        return Rejected(Reason.SENDER_INVALID, "410", told)
    if response.status_code == 422 and answer.get("reason") in _SAYABLE:
        code, text = str(answer.get("code") or "422")[:100], str(answer.get("text") or "")[:LONGEST_TEXT]
        reason = Reason(answer["reason"])
        if reason in _LATER:
            return Deferred(retry_after(response, now), reason, code, text)
        return Rejected(reason, code, text)
    return outcome_of_status(response, now)


def _moment(at: Instant) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _own_header(settings: WebhookSettings) -> dict[str, str]:
    value = settings.header_value.get_secret_value()
    return {settings.header_name.lower(): value} if value else {}


def _wrong_with(settings: WebhookSettings) -> list[Problem]:
    found = []
    if settings.url.startswith("http://") and not settings.plain_http:
        found.append(Problem("url", "begins with http://: use https://, or allow plain_http"))
    value, name = settings.header_value.get_secret_value(), settings.header_name.lower()
    if value and not (value.isascii() and value.isprintable()):
        found.append(Problem("header_value", "wanted printable ASCII, for a header"))
    if name.startswith("webhook-") or name in ("host", "content-type", "content-length", "transfer-encoding"):
        found.append(Problem("header_name", f"{name} is written by us: choose another"))
    return found


class WebhookChannel(BaseChannel[WebhookSettings]):
    """Any HTTP endpoint."""

    key = "webhook"
    channel = "webhook"
    title = "Webhook"
    contract_version = CONTRACT_VERSION
    settings = WebhookSettings
    options: type[BaseModel] | None = WebhookOptions
    capabilities = Capabilities(
        content={"text": ContentField(), "title": ContentField()},
        observes=OBSERVES,
        on_unknown=OnUnknown.RESEND_SAME_KEY,
        native_idempotency=True,
        inbound=True,
    )

    def problems(self, settings: WebhookSettings) -> list[Problem]:
        found = _wrong_with(settings)
        for name in ("signing_secret", "previous_signing_secret"):
            secret: str = getattr(settings, name).get_secret_value()
            try:
                if secret or name == "signing_secret":
                    key_of(secret)
            except ValueError as error:
                found.append(Problem(name, str(error)))
        return found

    async def probe(self, settings: WebhookSettings, tools: Tools) -> list[Problem]:
        """Asks with HEAD. Any answer will do: endpoints need not know that method."""
        if found := self.problems(settings):
            return found
        answer = await call(settings, tools, "HEAD")
        if isinstance(answer, Deferred | Unknown):
            return [Problem("url", f"cannot be reached: {answer.text}")]
        return []

    def open(self, settings: WebhookSettings, tools: Tools) -> WebhookSender:
        return WebhookSender(settings, tools)

    def verify(self, settings: WebhookSettings, callback: Callback, now: Instant) -> Verified | Refused:
        try:
            return verified(settings.keys(), callback, now)
        except ValueError:
            return Refused("a signing secret cannot be read, so no callback can be proved")

    def parse(self, settings: WebhookSettings, verified: Verified) -> list[Receipt]:
        return receipts_of(verified)

    def parse_inbound(self, settings: WebhookSettings, verified: Verified) -> list[Inbound]:
        return inbound_of(verified)


@hookimpl
def register_channels() -> Iterable[AnyChannel]:
    return [WebhookChannel()]
