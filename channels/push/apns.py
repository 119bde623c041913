"""Push straight to Apple's devices (APNs over HTTP/2, with a signing key).

APNs says whether it took a message over, and that a device is gone; not whether a message arrived or was
opened. Our reference travels beside `aps` as `sojourn_message`, so that an app can report what happened.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Literal
from uuid import UUID, uuid5

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
from channels.push.apple_token import ProviderToken, private_key
from channels.push.options import CONTENT, OUR_REFERENCE, expired, filled, laid_over, seconds
from channels.reasons import Reason

if TYPE_CHECKING:
    import httpx

LARGEST_PAYLOAD = 4096
_HOSTS = {"production": "https://api.push.apple.com", "sandbox": "https://api.sandbox.push.apple.com"}
_DEVICE_TOKEN = re.compile(r"[0-9a-fA-F]{2,400}")
_NOBODYS_TOKEN = "0" * 64
_IDS = UUID("5b1f2d0e-6c0b-5d0a-9a55-3f6f6f0c7a11")
# What Apple asks for where it sends no Retry-After.
_PAUSE_SECONDS = {"TooManyRequests": 60, "TooManyProviderTokenUpdates": 20 * 60}
_PAUSE_AFTER_5XX_SECONDS = 15 * 60

PushType = Literal[
    "alert",
    "background",
    "location",
    "voip",
    "complication",
    "fileprovider",
    "mdm",
    "liveactivity",
    "pushtotalk",
    "widgets",
    "controls",
]


class ApnsSettings(BaseModel):
    """Whose messages they are: a signing key (.p8) of an Apple developer team, and the app."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    private_key: SecretStr = Field(description="The text of the .p8 file.")
    key_id: str = Field(pattern=r"^[A-Z0-9]{10}$")
    team_id: str = Field(pattern=r"^[A-Z0-9]{10}$")
    topic: str = Field(pattern=r"^[A-Za-z0-9.-]{1,255}$", description="The app's bundle id.")
    environment: Literal["production", "sandbox"] = Field(
        "production", description="Sandbox for builds run from Xcode; their tokens work nowhere else."
    )
    base_url: str = Field("", pattern=r"^(https?://[^/]+)?$", description="Apple's own when empty.")


class ApnsOptions(BaseModel):
    """What only APNs understands. `aps` goes over what we filled in, `data` beside it."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    push_type: PushType = "alert"
    topic: str | None = Field(None, pattern=r"^[A-Za-z0-9.-]{1,255}$")
    priority: Literal[1, 5, 10] | None = None
    collapse_id: str | None = Field(None, pattern=r"^[!-~]{1,64}$")
    subtitle: str | None = None
    sound: str | None = None
    badge: int | None = Field(None, ge=0)
    category: str | None = None
    thread_id: str | None = None
    interruption_level: Literal["passive", "active", "time-sensitive", "critical"] | None = None
    aps: dict[str, Any] = {}
    data: dict[str, Any] = {}


class ApnsSender:
    """Sends with one key to one app."""

    def __init__(self, settings: ApnsSettings, tools: Tools) -> None:
        self._settings, self._tools = settings, tools
        self._base_url = settings.base_url or _HOSTS[settings.environment]
        self._token: ProviderToken | None = None
        try:
            pem = settings.private_key.get_secret_value()
            self._token = ProviderToken(pem, settings.key_id, settings.team_id)
        except ValueError:
            pass  # said with each message, and by `problems`

    async def send(self, message: Message) -> Outcome:
        options = options_of(ApnsOptions, message)
        if isinstance(options, Rejected):
            return options
        if too_late := expired(message):
            return too_late
        if not _DEVICE_TOKEN.fullmatch(message.to):
            return Rejected(Reason.INVALID_RECIPIENT, "BadDeviceToken", "a device token has only hex digits")
        payload = payload_of(message, options)
        if len(payload) > LARGEST_PAYLOAD:
            told = f"the payload is {len(payload)} bytes, APNs takes {LARGEST_PAYLOAD}"
            return Rejected(Reason.CONTENT_INVALID, "PayloadTooLarge", told)
        return await self.post(message.to, headers_of(message, options, self._settings.topic), payload)

    async def post(self, device_token: str, headers: Mapping[str, str], payload: bytes) -> Outcome:
        """Hands one over; once more with a new provider token if Apple calls the current one expired."""
        if self._token is None:
            return Rejected(Reason.AUTH_FAILED, text="the signing key cannot be read")
        url = f"{self._base_url}/3/device/{device_token}"
        token = self._token.get(self._tools.clock())
        response = await self._post_with(token, url, headers, payload)
        if not isinstance(response, Deferred | Unknown) and _reason(response) == "ExpiredProviderToken":
            another = self._token.instead_of(token, self._tools.clock())
            if another is not None:
                response = await self._post_with(another, url, headers, payload)
        if isinstance(response, Deferred | Unknown):
            return response
        return outcome_of(response, headers.get("apns-id", ""), self._tools.clock())

    async def _post_with(
        self, token: str, url: str, headers: Mapping[str, str], payload: bytes
    ) -> httpx.Response | Deferred | Unknown:
        every = {**headers, "authorization": f"bearer {token}", "content-type": "application/json"}
        return await exchange(self._tools, "POST", url, content=payload, headers=every)

    async def aclose(self) -> None:
        """The connections belong to the server's client."""


def headers_of(message: Message, options: ApnsOptions, topic: str) -> dict[str, str]:
    """The request headers, without authorization. The id is the same at every attempt."""
    priority = options.priority or (5 if options.push_type == "background" else 10)
    return {
        "apns-id": str(uuid5(_IDS, message.reference.encode("utf-8", "replace").decode())),
        "apns-topic": options.topic or topic,
        "apns-push-type": options.push_type,
        "apns-priority": str(priority),
        **({"apns-collapse-id": options.collapse_id} if options.collapse_id else {}),
        **({"apns-expiration": str(seconds(message.expires_at))} if message.expires_at is not None else {}),
    }


def payload_of(message: Message, options: ApnsOptions) -> bytes:
    """The JSON payload."""
    content = message.content
    alert = filled(title=content.get("title"), subtitle=options.subtitle, body=content.get("text"))
    aps: dict[str, Any] = (
        {"content-available": 1}
        if options.push_type == "background"
        else {
            **filled(alert=alert, sound=options.sound, badge=options.badge, category=options.category),
            **filled(**{"thread-id": options.thread_id, "interruption-level": options.interruption_level}),
            # Lets the app fetch the picture before the message is shown.
            **({"mutable-content": 1} if content.get("image_url") else {}),
        }
    )
    payload = {
        **options.data,
        **filled(url=content.get("url"), image_url=content.get("image_url")),
        OUR_REFERENCE: message.reference,
        "aps": laid_over(aps, options.aps),
    }
    return json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def outcome_of(response: httpx.Response, apns_id: str, now: Instant) -> Outcome:
    """What an answer says. The text of a refusal is Apple's whole body: with 410 it has `timestamp`, in
    milliseconds, since when the token has been dead."""
    if response.status_code == 200:
        return Accepted(response.headers.get("apns-id") or apns_id)
    code, text = _reason(response), response.text[:LONGEST_TEXT]
    if not code or response.status_code in (502, 504):
        return outcome_of_status(response, now, code=code, text=text)
    reason = codes.load("channels.push", "apns_codes.csv").reason(code)
    if reason in (Reason.RATE_LIMITED, Reason.PROVIDER_ERROR):
        pause = _PAUSE_AFTER_5XX_SECONDS if response.status_code >= 500 else _PAUSE_SECONDS.get(code, 0)
        return Deferred(retry_after(response, now, pause), reason, code, text)
    return Rejected(reason, code, text)


def _reason(response: httpx.Response) -> str:
    if response.status_code == 200:
        return ""
    return str(said_in(response).get("reason") or "")


class ApnsChannel(BaseChannel[ApnsSettings]):
    """Push to one app on Apple's devices."""

    key = "apns"
    channel = "push"
    title = "Push to Apple devices (APNs)"
    contract_version = CONTRACT_VERSION
    settings = ApnsSettings
    options: type[BaseModel] | None = ApnsOptions
    capabilities = Capabilities(
        content=CONTENT,
        on_unknown=OnUnknown.NEVER_RESEND,
        address_scheme="apns:",
        media=frozenset({"image/png", "image/jpeg", "image/gif"}),
    )

    def reason_of(self, code: str) -> Reason | None:
        return codes.load("channels.push", "apns_codes.csv").listed(code)

    def problems(self, settings: ApnsSettings) -> list[Problem]:
        try:
            private_key(settings.private_key.get_secret_value())
        except ValueError:
            told = "is no signing key of Apple: paste the whole text of the .p8 file, first and last line too"
            return [Problem("private_key", told)]
        return []

    async def probe(self, settings: ApnsSettings, tools: Tools) -> list[Problem]:
        if found := self.problems(settings):
            return found
        sender = self.open(settings, tools)
        # A token that no device has, so nothing can arrive; Apple checks the key before it.
        nobody = Message("probe", _NOBODYS_TOKEN, {"text": "?"}, tools.clock())
        outcome = await sender.send(nobody)
        await sender.aclose()
        if isinstance(outcome, Accepted) or outcome.code == "BadDeviceToken":
            return []
        path = {Reason.AUTH_FAILED: "private_key", Reason.SENDER_INVALID: "topic"}.get(outcome.reason, "")
        return [Problem(path, f"APNs answered {outcome.code}: {outcome.text}")]

    def open(self, settings: ApnsSettings, tools: Tools) -> ApnsSender:
        return ApnsSender(settings, tools)


@hookimpl
def register_channels() -> Iterable[AnyChannel]:
    return [ApnsChannel()]
