"""Email through Twilio SendGrid, API version 3: one letter a request, and its signed events.

SendGrid has no idempotency: what left without an answer is sent again by nobody.
"""

from __future__ import annotations

from collections.abc import Iterable
from email.header import Header
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from channels.answers import a_list, an_object, said_in, words
from channels.codes import load
from channels.contract import (
    CONTRACT_VERSION,
    Accepted,
    AnyChannel,
    BaseChannel,
    Callback,
    Capabilities,
    Deferred,
    Instant,
    Message,
    OnUnknown,
    Outcome,
    Problem,
    Receipt,
    ReceiptKind,
    Refused,
    Rejected,
    Tools,
    Unknown,
    Verified,
)
from channels.email.letter import Letter, Unwritable
from channels.email.relay import CONTENT, Mailbox, letter_of, options_of
from channels.email.sendgrid_events import REFERENCE_ARGUMENT, read_key, receipts_of, verify_events
from channels.hookspecs import hookimpl
from channels.http import LONGEST_TEXT, exchange, outcome_of_status, retry_after
from channels.reasons import Reason

if TYPE_CHECKING:
    import httpx

_HOUR = 3600


class SendGridSettings(BaseModel):
    """Which account of SendGrid sends, and how its events are proved."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    api_key: SecretStr = Field(min_length=1, description="One that may do Mail Send and nothing else.")
    from_address: Mailbox
    from_name: str = Field("", max_length=200)
    reply_to: Mailbox | None = None
    verification_key: str = Field("", description="Of the signed event webhook, as SendGrid shows it.")
    previous_verification_key: str = Field("", description="The one before, while both are in use.")
    callback_window_seconds: int = Field(
        25 * _HOUR,
        ge=60,
        le=7 * 24 * _HOUR,
        description="How old a callback may be. SendGrid goes on trying for a day; repeats change nothing.",
    )
    provider_tracking: bool = Field(
        False, description="Whether SendGrid, too, tracks opens and clicks, and rewrites links for it."
    )
    base_url: str = Field(
        "https://api.sendgrid.com",
        pattern=r"^https?://[^\s?#@]+$",
        description="https://api.eu.sendgrid.com for accounts in the EU.",
    )


class SendGridOptions(BaseModel):
    """What only SendGrid understands."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    categories: tuple[Annotated[str, Field(min_length=1, max_length=255)], ...] = Field((), max_length=10)
    unsubscribe_group: int | None = Field(None, description="The number of an unsubscribe group.")
    ip_pool: str = Field("", max_length=64)


class SendGridChannel(BaseChannel[SendGridSettings]):
    """Mail through one account of SendGrid."""

    key = "sendgrid"
    channel = "email"
    title = "Twilio SendGrid"
    contract_version = CONTRACT_VERSION
    settings = SendGridSettings
    options: type[BaseModel] | None = SendGridOptions
    capabilities = Capabilities(
        content=CONTENT,
        observes=frozenset(
            {
                *(ReceiptKind.ACCEPTED, ReceiptKind.DELIVERED, ReceiptKind.BOUNCED, ReceiptKind.FAILED),
                *(ReceiptKind.DEFERRED, ReceiptKind.COMPLAINED, ReceiptKind.UNSUBSCRIBED),
                *(ReceiptKind.OPENED, ReceiptKind.CLICKED),
            }
        ),
        on_unknown=OnUnknown.NEVER_RESEND,
    )

    def reason_of(self, code: str) -> Reason | None:
        # Of events only: what a refused request means depends on more than its code.
        return load("channels.email", "sendgrid_codes.csv").listed(code) if "/" in code else None

    def problems(self, settings: SendGridSettings) -> list[Problem]:
        keys = {name: getattr(settings, name) for name in ("verification_key", "previous_verification_key")}
        return [
            Problem(name, "is no public key: copy it from SendGrid's page of the event webhook, whole")
            for name, key in keys.items()
            if key and read_key(key) is None
        ]

    def observes(self, settings: SendGridSettings) -> frozenset[ReceiptKind]:
        return self.capabilities.observes if settings.verification_key else frozenset()

    async def probe(self, settings: SendGridSettings, tools: Tools) -> list[Problem]:
        answer = await _request(settings, tools, "GET", "/v3/scopes")
        if isinstance(answer, Deferred | Unknown):
            return [Problem("base_url", answer.text)]
        if answer.status_code != 200:
            _, text = _error(answer)
            return [Problem("api_key", f"{answer.status_code}: {text}")]
        if "mail.send" not in a_list(said_in(answer).get("scopes")):
            return [Problem("api_key", "may not send mail: give it the permission Mail Send")]
        return []

    def open(self, settings: SendGridSettings, tools: Tools) -> SendGridSender:
        return SendGridSender(settings, tools)

    def verify(self, settings: SendGridSettings, callback: Callback, now: Instant) -> Verified | Refused:
        keys = (settings.verification_key, settings.previous_verification_key)
        return verify_events(callback, now, keys, settings.callback_window_seconds * 1000)

    def parse(self, settings: SendGridSettings, verified: Verified) -> list[Receipt]:
        return receipts_of(verified)


class SendGridSender:
    """Sends with one request a letter, over the connections that the server lends."""

    def __init__(self, settings: SendGridSettings, tools: Tools) -> None:
        self._settings, self._tools = settings, tools

    async def send(self, message: Message) -> Outcome:
        try:
            options = options_of(SendGridOptions, message)
            # SendGrid writes the letter itself; whatever could not be written here is refused all the same.
            letter = letter_of(message, self._settings)
        except Unwritable as error:
            return Rejected(error.reason, text=str(error))
        asked = _mail(message, letter, self._settings, options)
        answer = await _request(self._settings, self._tools, "POST", "/v3/mail/send", asked)
        if isinstance(answer, Deferred | Unknown):
            return answer
        return _outcome(answer, message, self._tools.clock())

    async def aclose(self) -> None:
        pass


def _mail(
    message: Message, letter: Letter, settings: SendGridSettings, options: SendGridOptions
) -> dict[str, Any]:
    content = message.content
    bodies = [("text/plain", content.get("text")), ("text/html", content.get("html"))]
    is_tracked = {"enable": settings.provider_tracking}
    asked: dict[str, Any] = {
        "personalizations": [
            {
                "to": [{"email": letter.recipient}],
                "custom_args": {REFERENCE_ARGUMENT: message.reference},
            }
        ],
        "from": {"email": letter.sender},
        "subject": content.get("subject", ""),
        "content": [{"type": kind, "value": value} for kind, value in bodies if value],
        "tracking_settings": {
            "click_tracking": {**is_tracked, "enable_text": False},
            "open_tracking": is_tracked,
        },
    }
    if name := content.get("from_name") or settings.from_name:
        asked["from"]["name"] = name
    if answer_to := content.get("reply_to") or settings.reply_to:
        asked["reply_to"] = {"email": answer_to}
    if message.headers:
        asked["headers"] = {name: _ascii(value) for name, value in message.headers.items()}
    if options.categories:
        asked["categories"] = list(options.categories)
    if options.unsubscribe_group is not None:
        asked["asm"] = {"group_id": options.unsubscribe_group}
    if options.ip_pool:
        asked["ip_pool_name"] = options.ip_pool
    return asked


def _ascii(value: str) -> str:
    return value if value.isascii() else Header(value, "utf-8").encode(maxlinelen=0)


async def _request(
    settings: SendGridSettings, tools: Tools, method: str, path: str, asked: dict[str, Any] | None = None
) -> httpx.Response | Deferred | Unknown:
    headers = {"Authorization": f"Bearer {settings.api_key.get_secret_value()}"}
    return await exchange(tools, method, settings.base_url.rstrip("/") + path, json=asked, headers=headers)


def _outcome(answer: httpx.Response, message: Message, now: Instant) -> Outcome:
    if answer.is_success:
        # Without its own name for the mail, its events still carry ours.
        return Accepted(answer.headers.get("x-message-id") or message.reference)
    field, text = _error(answer)
    status = answer.status_code
    code = f"{status} {field}".strip()
    if status >= 500 or status in (408, 425):
        return outcome_of_status(answer, now, code=code, text=text)
    reason = load("channels.email", "sendgrid_codes.csv").reason(f"{status} {field or text}")
    if reason is Reason.RATE_LIMITED:
        return Deferred(_reset_at(answer, now), reason, code, text)
    if reason is Reason.QUOTA_EXCEEDED:
        return Deferred(retry_after(answer, now, _HOUR), reason, code, text)
    return Rejected(reason, code, text)


def _reset_at(answer: httpx.Response, now: Instant) -> Instant:
    """SendGrid names the second at which its window starts anew, and seldom sends Retry-After."""
    given = answer.headers.get("x-ratelimit-reset", "")
    if given.isascii() and given.isdecimal() and len(given) < 12:
        return max(now, min(int(given) * 1000, now + _HOUR * 1000))
    return retry_after(answer, now)


def _error(answer: httpx.Response) -> tuple[str, str]:
    """The field that was refused, empty where it is none's fault, and what SendGrid says about it."""
    errors = [an_object(one) for one in a_list(said_in(answer).get("errors"))]
    first = errors[0] if errors else {}
    text = words(first.get("message")) or answer.text
    return words(first.get("field"))[:100], text[:LONGEST_TEXT]


@hookimpl
def register_channels() -> Iterable[AnyChannel]:
    return [SendGridChannel()]
