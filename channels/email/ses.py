"""Email through Amazon SES, API version 2. Letters go as raw MIME, with List-Unsubscribe as written.

SES has no idempotency: what left without an answer is sent again by nobody. Its events come through SNS.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from channels.answers import said_in, words
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
from channels.email.ses_events import REFERENCE_TAG, receipts_of
from channels.email.sigv4 import Signer
from channels.email.sns import is_in_time, read_certificate, verify_message
from channels.hookspecs import hookimpl
from channels.http import LONGEST_TEXT, exchange, outcome_of_status, retry_after
from channels.reasons import Reason

if TYPE_CHECKING:
    import httpx

_SEND, _ACCOUNT = "/v2/email/outbound-emails", "/v2/email/account"
_HOUR = 3600
_WARNED_MS = 30 * 24 * _HOUR * 1000
"""How long before its end a certificate is complained of."""
_TAG = re.compile(r"[A-Za-z0-9_-]{1,256}")
TagText = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,256}$")]
SetName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{0,64}$")]
Topic = Annotated[str, Field(pattern=r"^arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[A-Za-z0-9_-]{1,256}$")]


class SesSettings(BaseModel):
    """Which account of Amazon sends, and how its events are proved."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    region: str = Field(pattern=r"^[a-z]{2,4}(-[a-z]+)+-\d{1,2}$", description="E.g. ap-northeast-2.")
    access_key_id: str = Field(pattern=r"^[A-Za-z0-9]{4,128}$")
    secret_access_key: SecretStr = Field(min_length=1)
    session_token: SecretStr = Field(SecretStr(""), description="Only with temporary credentials.")
    from_address: Mailbox
    from_name: str = Field("", max_length=200)
    reply_to: Mailbox | None = None
    configuration_set: SetName = Field("", description="The one that publishes events to your SNS topic.")
    sns_topic_arns: tuple[Topic, ...] = Field((), description="The topics that may tell of our mails.")
    sns_certificates: tuple[str, ...] = Field(
        (), description="Amazon's certificates for SNS in this region, as PEM: the present one and the next."
    )
    base_url: str = Field(
        "", pattern=r"^(https?://[^\s?#@]+)?$", description="Amazon's own for the region when empty."
    )

    @property
    def url(self) -> str:
        ending = ".cn" if self.region.startswith("cn-") else ""
        return self.base_url.rstrip("/") or f"https://email.{self.region}.amazonaws.com{ending}"


class SesOptions(BaseModel):
    """What only SES understands."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    configuration_set: SetName = Field("", description="Instead of the connection's.")
    tags: dict[TagText, TagText] = Field({}, max_length=49, description="Tags that events carry as well.")


class SesChannel(BaseChannel[SesSettings]):
    """Mail through one account of Amazon SES."""

    key = "ses"
    channel = "email"
    title = "Amazon SES"
    contract_version = CONTRACT_VERSION
    settings = SesSettings
    options: type[BaseModel] | None = SesOptions
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
        return load("channels.email", "ses_codes.csv").listed(code) if "/" in code else None

    def problems(self, settings: SesSettings) -> list[Problem]:
        found = []
        for at, pem in enumerate(settings.sns_certificates):
            if read_certificate(pem) is None:
                found.append(Problem(f"sns_certificates.{at}", "is no certificate of an RSA key in PEM form"))
        if settings.sns_topic_arns and not settings.sns_certificates:
            found.append(Problem("sns_certificates", "is empty, so nothing that a topic tells can be proved"))
        if settings.sns_certificates and not settings.sns_topic_arns:
            found.append(Problem("sns_topic_arns", "is empty, so no topic may tell us anything"))
        if settings.sns_topic_arns and not settings.configuration_set:
            found.append(Problem("configuration_set", "is empty: events name our messages only with one"))
        return found

    def observes(self, settings: SesSettings) -> frozenset[ReceiptKind]:
        return self.capabilities.observes if settings.sns_certificates else frozenset()

    async def probe(self, settings: SesSettings, tools: Tools) -> list[Problem]:
        now = tools.clock()
        found = [
            Problem(f"sns_certificates.{at}", f"is good until {certificate.not_valid_after_utc:%F} only")
            for at, pem in enumerate(settings.sns_certificates)
            if (certificate := read_certificate(pem)) and not is_in_time(certificate, now + _WARNED_MS)
        ]
        answer = await _request(settings, tools, "GET", _ACCOUNT)
        if isinstance(answer, Deferred | Unknown):
            return [*found, Problem("base_url", answer.text)]
        told = said_in(answer)
        if answer.status_code != 200:
            code, text = _error(answer)
            return [*found, Problem("", f"{code or answer.status_code}: {text}")]
        if told.get("SendingEnabled") is False:
            found.append(Problem("", "Amazon has switched sending off for this account"))
        if told.get("ProductionAccessEnabled") is False:
            found.append(Problem("", "the account is in the sandbox: it reaches verified addresses only"))
        return found

    def open(self, settings: SesSettings, tools: Tools) -> SesSender:
        return SesSender(settings, tools)

    def verify(self, settings: SesSettings, callback: Callback, now: Instant) -> Verified | Refused:
        return verify_message(callback, now, settings.sns_certificates, settings.sns_topic_arns)

    def parse(self, settings: SesSettings, verified: Verified) -> list[Receipt]:
        return receipts_of(verified)


class SesSender:
    """Sends with one request a letter, over the connections that the server lends."""

    def __init__(self, settings: SesSettings, tools: Tools) -> None:
        self._settings, self._tools = settings, tools

    async def send(self, message: Message) -> Outcome:
        try:
            options = options_of(SesOptions, message)
            letter = letter_of(message, self._settings)
        except Unwritable as error:
            return Rejected(error.reason, text=str(error))
        asked = json.dumps(self._request(message, letter, options)).encode()
        answer = await _request(self._settings, self._tools, "POST", _SEND, asked)
        if isinstance(answer, Deferred | Unknown):
            return answer
        return _outcome(answer, self._tools.clock())

    async def aclose(self) -> None:
        pass

    def _request(self, message: Message, letter: Letter, options: SesOptions) -> dict[str, object]:
        tags = dict(options.tags)
        if _TAG.fullmatch(message.reference):
            tags[REFERENCE_TAG] = message.reference
        asked: dict[str, object] = {
            "Content": {"Raw": {"Data": base64.b64encode(letter.data).decode()}},
            "Destination": {"ToAddresses": [letter.recipient]},
            "EmailTags": [{"Name": name, "Value": value} for name, value in tags.items()],
        }
        if name := options.configuration_set or self._settings.configuration_set:
            asked["ConfigurationSetName"] = name
        return asked


async def _request(
    settings: SesSettings, tools: Tools, method: str, path: str, body: bytes = b""
) -> httpx.Response | Deferred | Unknown:
    signer = Signer(
        settings.access_key_id,
        settings.secret_access_key.get_secret_value(),
        settings.region,
        "ses",
        settings.session_token.get_secret_value(),
    )
    url = settings.url + path
    headers = {"Content-Type": "application/json"} if body else {}
    signed = signer.sign(method, url, body, tools.clock(), headers)
    return await exchange(tools, method, url, content=body, headers=signed)


def _outcome(answer: httpx.Response, now: Instant) -> Outcome:
    if answer.is_success:
        provider_id = words(said_in(answer).get("MessageId"))
        return Accepted(provider_id) if provider_id else Unknown(text="an answer without a MessageId")
    code, text = _error(answer)
    if not code or answer.status_code in (502, 504):
        return outcome_of_status(answer, now, text=text)
    reason = load("channels.email", "ses_codes.csv").reason(f"{code}: {text}")
    if reason is Reason.UNKNOWN and answer.status_code >= 500:
        return outcome_of_status(answer, now, code=code, text=text)
    if reason in (Reason.RATE_LIMITED, Reason.PROVIDER_ERROR):
        return Deferred(retry_after(answer, now), reason, code, text)
    if reason is Reason.QUOTA_EXCEEDED:
        return Deferred(retry_after(answer, now, _HOUR), reason, code, text)
    return Rejected(reason, code, text)


def _error(answer: httpx.Response) -> tuple[str, str]:
    """The type of an error without its address, and what Amazon says about it."""
    told = said_in(answer)
    kind = answer.headers.get("x-amzn-errortype") or words(told.get("__type") or told.get("code"))
    text = words(told.get("message") or told.get("Message")) or answer.text
    return kind.partition(":")[0].rpartition("#")[2].strip()[:100], text[:LONGEST_TEXT]


@hookimpl
def register_channels() -> Iterable[AnyChannel]:
    return [SesChannel()]
