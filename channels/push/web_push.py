"""Push to browsers by the Web Push protocol (RFC 8030, 8291, 8292), without any provider's account.

The address is the subscription that the browser gave, as JSON: its endpoint, at a push service that the
browser's maker runs, and the keys to encrypt for it. A push service says whether it took a message over, and
nothing after that. The payload is JSON for the service worker of the site.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from channels import codes
from channels.answers import said_in
from channels.contract import (
    CONTRACT_VERSION,
    Accepted,
    AnyChannel,
    BaseChannel,
    Capabilities,
    Deferred,
    Instant,
    Message,
    OnUnknown,
    Outcome,
    Problem,
    Rejected,
    Tools,
    Unknown,
)
from channels.hookspecs import hookimpl
from channels.http import LONGEST_TEXT, exchange, outcome_of_status, retry_after
from channels.options import options_of
from channels.push.ece import LARGEST_PLAINTEXT, encrypt, public_key
from channels.push.options import CONTENT, OUR_REFERENCE, expired, filled, seconds_left
from channels.push.vapid import Vapid, from_base64url
from channels.reasons import Reason

if TYPE_CHECKING:
    import httpx
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

PUSH_SERVICES = (
    "fcm.googleapis.com",
    "*.push.services.mozilla.com",
    "*.push.apple.com",
    "*.notify.windows.com",
)
LONGEST_TTL_SECONDS = 28 * 24 * 3600
LONGEST_ADDRESS = 4096
_LONGEST_ID = 500
_HOST = r"^(\*\.)?([a-z0-9-]+\.)+[a-z0-9-]+$"
# Apple refuses tokens of such senders, the others do not.
_NO_CONTACT = ("localhost", ".local", ".localhost", ".invalid", ".test", ".example")


class WebPushSettings(BaseModel):
    """Whose messages they are: the VAPID key pair with which the site's pages subscribe."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    private_key: SecretStr = Field(description="The private VAPID key: PEM, or 32 bytes in base64url.")
    subject: str = Field(
        pattern=r"^(mailto:[^@\s]+@[^@\s]+|https://[^\s/?#]+[^\s]*)$",
        max_length=200,
        description="Where the push services reach you: mailto: or https:.",
    )
    push_services: tuple[str, ...] = Field(
        PUSH_SERVICES,
        description="The only hosts that are sent to; `*.` in front stands for every host below.",
    )
    ttl_seconds: int = Field(
        LONGEST_TTL_SECONDS,
        ge=0,
        le=LONGEST_TTL_SECONDS,
        description="How long a service keeps a message that never expires for a browser that is off.",
    )


class WebPushOptions(BaseModel):
    """What only Web Push understands."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    urgency: Literal["very-low", "low", "normal", "high"] | None = None
    topic: str | None = Field(
        None,
        pattern=r"^[A-Za-z0-9_-]{1,32}$",
        description="A later message replaces one with the same topic that still waits.",
    )
    data: dict[str, Any] = Field({}, description="For the service worker.")


@dataclass(frozen=True, slots=True)
class Subscription:
    """What a browser gave to the page that subscribed."""

    endpoint: httpx.URL
    browser: EllipticCurvePublicKey
    auth: bytes

    @property
    def origin(self) -> str:
        return f"https://{self.endpoint.host}"


class WebPushSender:
    """Sends with one VAPID key."""

    def __init__(self, settings: WebPushSettings, tools: Tools) -> None:
        self._settings, self._tools = settings, tools
        self._vapid: Vapid | None = None
        with suppress(ValueError):  # said with each message, and by `problems`
            self._vapid = Vapid(settings.private_key.get_secret_value(), settings.subject)

    async def send(self, message: Message) -> Outcome:
        options = options_of(WebPushOptions, message)
        if isinstance(options, Rejected):
            return options
        if too_late := expired(message):
            return too_late
        try:
            subscription = subscription_of(message.to)
        except ValueError as error:
            return Rejected(Reason.INVALID_RECIPIENT, "subscription", str(error))
        if not is_listed(subscription.endpoint.host, self._settings.push_services):
            told = f"{subscription.endpoint.host[:100]} is none of the push_services of this connection"
            return Rejected(Reason.NOT_PERMITTED, "push service", told)
        payload = payload_of(message, options)
        if len(payload) > LARGEST_PLAINTEXT:
            told = f"the payload is {len(payload)} bytes, a push service takes {LARGEST_PLAINTEXT}"
            return Rejected(Reason.CONTENT_INVALID, "payload", told)
        return await self._post(subscription, message, options, payload)

    async def _post(
        self, subscription: Subscription, message: Message, options: WebPushOptions, payload: bytes
    ) -> Outcome:
        if self._vapid is None:
            return Rejected(Reason.AUTH_FAILED, text="the private key cannot be read")
        left = seconds_left(message, LONGEST_TTL_SECONDS)
        headers = {
            "authorization": self._vapid.authorization(subscription.origin, self._tools.clock()),
            "content-encoding": "aes128gcm",
            "content-type": "application/octet-stream",
            "ttl": str(self._settings.ttl_seconds if left is None else left),
            **filled(urgency=options.urgency, topic=options.topic),
        }
        body = encrypt(payload, subscription.browser, subscription.auth)
        url = str(subscription.endpoint)
        response = await exchange(
            self._tools, "POST", url, http=self._tools.outside, content=body, headers=headers
        )
        if isinstance(response, Deferred | Unknown):
            return response
        return outcome_of(response, message.reference, self._tools.clock())

    async def aclose(self) -> None:
        """The connections belong to the server's client."""


def subscription_of(address: str) -> Subscription:
    """Reads the JSON of a browser's `PushSubscription`. Raises ValueError that says what is wrong."""
    import httpx

    try:
        told: Any = json.loads(address) if len(address) <= LONGEST_ADDRESS else None
        endpoint = httpx.URL(told["endpoint"])
        point, auth = (from_base64url(told["keys"][name]) for name in ("p256dh", "auth"))
        browser = public_key(point)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, httpx.InvalidURL):
        raise ValueError("wanted a browser's subscription: endpoint, keys.p256dh and keys.auth") from None
    if len(auth) != 16 or len(point) != 65:
        raise ValueError("keys.p256dh has 65 bytes and keys.auth 16")
    if endpoint.scheme != "https" or endpoint.port is not None or endpoint.userinfo or endpoint.fragment:
        raise ValueError("an endpoint begins with https:// and names no user, port or fragment")
    return Subscription(endpoint, browser, auth)


def is_listed(host: str, listed: Iterable[str]) -> bool:
    """Whether a host is on a list where `*.` stands for every host below a domain."""
    return any(host.endswith(one[1:]) if one.startswith("*.") else host == one for one in listed)


def payload_of(message: Message, options: WebPushOptions) -> bytes:
    """The JSON that the service worker finds in its `push` event."""
    content = {name: message.content.get(name) for name in ("title", "text", "url", "image_url")}
    payload = {**filled(**content, data=options.data), OUR_REFERENCE: message.reference}
    return json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def outcome_of(response: httpx.Response, reference: str, now: Instant) -> Outcome:
    """What an answer says: the code where it has one, otherwise the status.

    The id is the push service's name for the message where it gives one.
    """
    if response.is_success:
        location = response.headers.get("location", "")
        return Accepted(location if 0 < len(location) <= _LONGEST_ID else reference)
    code, text, status = _code(response), response.text[:LONGEST_TEXT], response.status_code
    table = codes.load("channels.push", "web_push_codes.csv")
    reason = table.reason(code, table.reason(status))
    if reason is Reason.UNKNOWN or status >= 500 or status == 429:
        return outcome_of_status(response, now, code=code, text=text)
    if reason is Reason.RATE_LIMITED:
        return Deferred(retry_after(response, now), reason, code, text)
    return Rejected(reason, code, text)


def _code(response: httpx.Response) -> str:
    """Apple's `reason`, Mozilla's `errno`, otherwise the status."""
    told = said_in(response)
    if isinstance(told.get("reason"), str) and told["reason"]:
        return str(told["reason"])[:100]
    if isinstance(told.get("errno"), int):
        return f"errno {told['errno']}"
    # FCM says this in a sentence alone.
    is_other_key = response.status_code == 403 and "not correspond to" in response.text
    return "403 other key" if is_other_key else str(response.status_code)


class WebPushChannel(BaseChannel[WebPushSettings]):
    """Push to browsers with one VAPID key."""

    key = "web_push"
    channel = "push"
    title = "Push to browsers (Web Push)"
    contract_version = CONTRACT_VERSION
    settings = WebPushSettings
    options: type[BaseModel] | None = WebPushOptions
    capabilities = Capabilities(
        content=CONTENT,
        on_unknown=OnUnknown.NEVER_RESEND,
        address_scheme="webpush:",
        media=frozenset({"image/png", "image/jpeg"}),
    )

    def reason_of(self, code: str) -> Reason | None:
        return codes.load("channels.push", "web_push_codes.csv").listed(code)

    def problems(self, settings: WebPushSettings) -> list[Problem]:
        found = []
        try:
            Vapid(settings.private_key.get_secret_value(), settings.subject)
        except ValueError:
            told = "is no private key on P-256: paste its PEM, or its 32 bytes in base64url"
            found.append(Problem("private_key", told))
        if not _is_contact(settings.subject):
            told = "leads to nobody, and Apple refuses such senders: give a real address"
            found.append(Problem("subject", told))
        wrong = [one for one in settings.push_services if not re.fullmatch(_HOST, one)]
        if wrong or not settings.push_services:
            told = f"wanted hosts such as {PUSH_SERVICES[0]} or {PUSH_SERVICES[1]}, found {wrong or 'none'}"
            found.append(Problem("push_services", told))
        return found

    def open(self, settings: WebPushSettings, tools: Tools) -> WebPushSender:
        return WebPushSender(settings, tools)


def _is_contact(subject: str) -> bool:
    rest = subject.removeprefix("https://") if subject.startswith("https://") else subject.rpartition("@")[2]
    host = re.split(r"[/?#:]", rest)[0].lower()
    return "." in host and not host.endswith(_NO_CONTACT)


@hookimpl
def register_channels() -> Iterable[AnyChannel]:
    return [WebPushChannel()]
