"""Text messages through Twilio: one message a request, told of by status callbacks, answers come in.

Twilio has no idempotency key: what left without an answer is sent again by nobody. Its status callbacks
bring our reference back, so a message whose answer was lost finds its end all the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from channels import (
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
    Outcome,
    Problem,
    Reason,
    Receipt,
    ReceiptKind,
    Refused,
    Rejected,
    Tools,
    Unknown,
    Verified,
    hookimpl,
)
from channels.answers import said_in
from channels.http import LONGEST_TEXT, exchange, outcome_of_status, retry_after
from channels.options import options_of
from channels.phone import to_e164
from channels.prices import read_price
from sojourn_sms.sending import wrong_address
from sojourn_sms.twilio_callbacks import REFERENCE, codes, inbound_of, receipts_of, verify_callback

if TYPE_CHECKING:
    import httpx

LONGEST_VALIDITY_SECONDS = 36_000
_LONGEST_REFERENCE = 500
_SENDER = re.compile(r"\+[1-9]\d{6,14}|\d{3,8}|(?=.*[A-Za-z])[A-Za-z0-9 &+_-]{1,11}")
_LATER = {Reason.RATE_LIMITED: 1, Reason.PROVIDER_ERROR: 1, Reason.QUOTA_EXCEEDED: 3600}
"""Reasons for which nothing was taken over and time helps, and the seconds to wait where none are named."""


class TwilioSettings(BaseModel):
    """An account of Twilio, and who its messages come from: a sender, a messaging service, or both."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    account_sid: str = Field(pattern=r"^AC[0-9a-fA-F]{32}$")
    auth_token: SecretStr = Field(
        SecretStr(""), description="Proves callbacks, and logs in where there is no API key."
    )
    previous_auth_token: SecretStr = Field(
        SecretStr(""), description="The other one of the account's two tokens, while they are changed."
    )
    key_sid: str = Field("", pattern=r"^(SK[0-9a-fA-F]{32})?$", description="An API key to log in with.")
    key_secret: SecretStr = SecretStr("")
    sender: str = Field("", description="A number as +15551234567, a short code, or a name of 11 characters.")
    messaging_service_sid: str = Field("", pattern=r"^(MG[0-9a-fA-F]{32})?$")
    base_url: str = Field("https://api.twilio.com", pattern=r"^https?://[^\s?#@]+$")


class TwilioOptions(BaseModel):
    """What only Twilio understands."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    sender: str = Field("", max_length=16, description="In place of the connection's.")
    smart_encoded: bool | None = Field(
        None, description="Whether Twilio puts plain characters for typographic ones that cost segments."
    )
    max_price: float | None = Field(None, gt=0, description="In US dollars; a dearer message is not sent.")


class TwilioChannel(BaseChannel[TwilioSettings]):
    """Text and picture messages through one account of Twilio."""

    key = "twilio_sms"
    channel = "sms"
    title = "Twilio SMS"
    contract_version = CONTRACT_VERSION
    settings = TwilioSettings
    options: type[BaseModel] | None = TwilioOptions
    capabilities = Capabilities(
        content={"text": ContentField(max_length=1600), "image_url": ContentField(max_length=2000)},
        observes=frozenset(
            {ReceiptKind.ACCEPTED, ReceiptKind.DELIVERED, ReceiptKind.FAILED}
            | {ReceiptKind.OPENED, ReceiptKind.UNSUBSCRIBED}
        ),
        inbound=True,
        scheduled_send=True,
        media=frozenset({"image/jpeg", "image/png", "image/gif"}),
    )

    def reason_of(self, code: str) -> Reason | None:
        return codes().listed(code)

    def problems(self, settings: TwilioSettings) -> list[Problem]:
        found = []
        if not settings.sender and not settings.messaging_service_sid:
            found.append(Problem("sender", "is wanted, or a messaging_service_sid"))
        if settings.sender and not _SENDER.fullmatch(settings.sender):
            found.append(
                Problem("sender", "must be +15551234567, a short code, or a name of at most 11 characters")
            )
        if bool(settings.key_sid) != bool(settings.key_secret.get_secret_value()):
            found.append(Problem("key_secret", "goes with key_sid: fill in both or neither"))
        if not settings.key_sid and not settings.auth_token.get_secret_value():
            found.append(Problem("auth_token", "is wanted, or key_sid and key_secret"))
        return found

    async def probe(self, settings: TwilioSettings, tools: Tools) -> list[Problem]:
        # A standard API key may not read the account itself, but its messages.
        answer = await _request(settings, tools, "GET", params={"PageSize": "1"})
        if isinstance(answer, Deferred | Unknown):
            return [Problem("base_url", f"Twilio cannot be reached: {answer.text}")]
        if answer.status_code == 200:
            return []
        code, text = _error(answer)
        field = "key_sid" if settings.key_sid else "auth_token"
        return [Problem(field, f"Twilio answers {answer.status_code} {code}: {text}"[:LONGEST_TEXT])]

    def open(self, settings: TwilioSettings, tools: Tools) -> TwilioSender:
        return TwilioSender(settings, tools)

    def verify(self, settings: TwilioSettings, callback: Callback, now: Instant) -> Verified | Refused:
        tokens = (settings.auth_token, settings.previous_auth_token)
        return verify_callback(callback, now, [token.get_secret_value() for token in tokens])

    def parse(self, settings: TwilioSettings, verified: Verified) -> list[Receipt]:
        return receipts_of(verified)

    def parse_inbound(self, settings: TwilioSettings, verified: Verified) -> list[Inbound]:
        return inbound_of(verified)


class TwilioSender:
    """Sends with one request a message, over the connections that the server lends."""

    def __init__(self, settings: TwilioSettings, tools: Tools) -> None:
        self._settings, self._tools = settings, tools

    async def send(self, message: Message) -> Outcome:
        form = self._form(message)
        if isinstance(form, Rejected):
            return form
        answer = await _request(self._settings, self._tools, "POST", data=form)
        if isinstance(answer, Deferred | Unknown):
            return answer
        return _outcome(answer, self._tools.clock())

    async def aclose(self) -> None:
        pass

    def _form(self, message: Message) -> dict[str, str] | Rejected:
        """The message as Twilio wants it, or why it cannot be one."""
        if to_e164(message.to) != message.to:
            return wrong_address()
        options = options_of(TwilioOptions, message)
        if isinstance(options, Rejected):
            return options
        text, image = message.content.get("text", ""), message.content.get("image_url", "")
        if not text.strip() and not image:
            return Rejected(Reason.CONTENT_INVALID, text="The message has neither text nor image_url.")
        form = {"To": message.to, **self._from(options), **self._told_of(message.reference)}
        form |= {name: value for name, value in (("Body", text), ("MediaUrl", image)) if value}
        if options.smart_encoded is not None:
            form["SmartEncoded"] = str(options.smart_encoded).lower()
        if options.max_price is not None:
            form["MaxPrice"] = str(options.max_price)
        if message.expires_at is not None:
            seconds = (message.expires_at - self._tools.clock()) // 1000
            if seconds < 1:
                return Rejected(Reason.EXPIRED, text="The message has expired before it was sent.")
            form["ValidityPeriod"] = str(min(seconds, LONGEST_VALIDITY_SECONDS))
        return form

    def _from(self, options: TwilioOptions) -> dict[str, str]:
        chosen = {
            "From": options.sender or self._settings.sender,
            "MessagingServiceSid": self._settings.messaging_service_sid,
        }
        return {name: value for name, value in chosen.items() if value}

    def _told_of(self, reference: str) -> dict[str, str]:
        url = self._tools.callback_url
        host = urlsplit(url).hostname or ""
        # Twilio refuses a message whose callback address is localhost or has an underscore.
        if "." not in host or "_" in host or host.startswith("127.") or len(reference) > _LONGEST_REFERENCE:
            return {}
        return {"StatusCallback": f"{url}{'&' if '?' in url else '?'}{urlencode({REFERENCE: reference})}"}


async def _request(
    settings: TwilioSettings, tools: Tools, method: str, **request: Any
) -> httpx.Response | Deferred | Unknown:
    user, secret = settings.account_sid, settings.auth_token
    if settings.key_sid:
        user, secret = settings.key_sid, settings.key_secret
    url = f"{settings.base_url.rstrip('/')}/2010-04-01/Accounts/{settings.account_sid}/Messages.json"
    return await exchange(tools, method, url, auth=(user, secret.get_secret_value()), **request)


def _outcome(answer: httpx.Response, now: Instant) -> Outcome:
    if answer.is_success:
        said = said_in(answer)
        sid, status = said.get("sid"), str(said.get("status") or "")
        if not isinstance(sid, str) or not sid:
            return Unknown(code=str(answer.status_code), text="Twilio's answer names no message.")
        # Mostly it is not known yet at this moment.
        return Accepted(sid, text=status, price=read_price(said.get("price"), said.get("price_unit")))
    code, text = _error(answer)
    if answer.status_code >= 500 or not code:
        return outcome_of_status(answer, now, code=code, text=text)
    reason = codes().reason(code)
    if answer.status_code == 429 or reason in _LATER:
        reason = reason if reason in _LATER else Reason.RATE_LIMITED
        return Deferred(retry_after(answer, now, _LATER[reason]), reason, code, text)
    return Rejected(reason, code, text)


def _error(answer: httpx.Response) -> tuple[str, str]:
    """Twilio's own code of a refusal, empty where it names none, and what it says about it."""
    said = said_in(answer)
    code, text = said.get("code"), said.get("message")
    named = str(code) if isinstance(code, int | str) and not isinstance(code, bool) else ""
    return named[:20], (text if isinstance(text, str) else answer.text)[:LONGEST_TEXT]


@hookimpl
def register_channels() -> Iterable[AnyChannel]:
    return [TwilioChannel()]
