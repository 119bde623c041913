"""The adapter: sends through one business phone number, and hears what Meta calls back.

The Cloud API knows no idempotency key and cannot be asked about a message, so what left without an answer is
never sent again. It is not lost either: our reference travels as `biz_opaque_callback_data`, comes back with
every status, and `sent` then tells that the message was taken over.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from channels import (
    CONTRACT_VERSION,
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
    Reason,
    Receipt,
    Refused,
    Rejected,
    Tools,
    Unknown,
    Verified,
)
from channels.answers import said_in
from channels.http import exchange
from pydantic import BaseModel

from sojourn_whatsapp.answers import codes, outcome_of, reason_of, text_of
from sojourn_whatsapp.inbound import inbound_of
from sojourn_whatsapp.proof import is_challenge, prove_challenge, prove_signature
from sojourn_whatsapp.receipts import OBSERVES, receipts_of
from sojourn_whatsapp.settings import WhatsAppOptions, WhatsAppSettings
from sojourn_whatsapp.wire import LONGEST_TEXT, body_of

if TYPE_CHECKING:
    import httpx

_ASKED = "display_phone_number,verified_name,status,quality_rating"
_MEDIA = ("image/jpeg", "image/png", "video/mp4", "video/3gpp", "application/pdf")


class WhatsAppSender:
    """Messages from one business phone number, one a request."""

    def __init__(self, settings: WhatsAppSettings, tools: Tools) -> None:
        self._settings, self._tools = settings, tools

    async def send(self, message: Message) -> Outcome:
        body = body_of(message, self._settings)
        if isinstance(body, Rejected):
            return body
        answer = await _ask(self._settings, self._tools, "POST", "/messages", json.dumps(body).encode())
        if isinstance(answer, Deferred | Unknown):
            return answer
        return outcome_of(answer, self._tools.clock())

    async def aclose(self) -> None:
        """Nothing of ours is open: the HTTP client is the server's."""


async def _ask(
    settings: WhatsAppSettings, tools: Tools, method: str, path: str, body: bytes | None = None
) -> httpx.Response | Deferred | Unknown:
    url = f"{settings.base_url.rstrip('/')}/{settings.api_version}/{settings.phone_number_id}{path}"
    headers = {"authorization": f"Bearer {settings.access_token.get_secret_value()}"}
    if body is None:
        return await exchange(tools, method, url, headers=headers, params={"fields": _ASKED})
    headers["content-type"] = "application/json"
    return await exchange(tools, method, url, headers=headers, content=body)


class WhatsAppCloudChannel(BaseChannel[WhatsAppSettings]):
    """WhatsApp through Meta's Cloud API: templates at any time, texts and media within 24 hours after the
    person wrote. Whether that window is open only WhatsApp knows; outside it a message fails with
    `window_closed`."""

    key = "whatsapp_cloud"
    channel = "whatsapp"
    title = "WhatsApp (Meta Cloud API)"
    contract_version = CONTRACT_VERSION
    settings = WhatsAppSettings
    options: type[BaseModel] | None = WhatsAppOptions
    capabilities = Capabilities(
        content={
            "template": ContentField(max_length=512),
            "language": ContentField(),
            "text": ContentField(max_length=LONGEST_TEXT),
            "media_url": ContentField(),
        },
        observes=OBSERVES,
        on_unknown=OnUnknown.NEVER_RESEND,
        rate_per_second=80,
        inbound=True,
        media=frozenset(_MEDIA),
    )

    def reason_of(self, code: str) -> Reason | None:
        return codes().listed(code)

    def open(self, settings: WhatsAppSettings, tools: Tools) -> WhatsAppSender:
        return WhatsAppSender(settings, tools)

    def problems(self, settings: WhatsAppSettings) -> list[Problem]:
        signed, asked = settings.app_secret.get_secret_value(), settings.verify_token.get_secret_value()
        if asked and not signed:
            return [Problem("app_secret", "is empty: the address can be registered, but no callback counts")]
        if signed and not asked:
            return [Problem("verify_token", "is empty: Meta cannot register the callback address")]
        return []

    async def probe(self, settings: WhatsAppSettings, tools: Tools) -> list[Problem]:
        answer = await _ask(settings, tools, "GET", "")
        if isinstance(answer, Deferred | Unknown):
            return [Problem("base_url", f"Meta cannot be reached: {answer.text}")]
        told = said_in(answer)
        if answer.is_success and told:
            return _problems_of(told.get("status"))
        error = told.get("error")
        if not isinstance(error, dict):
            return [Problem("base_url", f"this is not the Cloud API: it answers {answer.status_code}")]
        unproved = reason_of(str(error.get("code"))) is Reason.AUTH_FAILED
        where = "access_token" if unproved else "phone_number_id"
        return [Problem(where, f"Meta refuses: {error.get('code')} {text_of(error)}"[:500])]

    def verify(self, settings: WhatsAppSettings, callback: Callback, now: Instant) -> Verified | Refused:
        if callback.method == "GET":
            return prove_challenge(settings, callback, now)
        return prove_signature(settings, callback, now)

    def parse(self, settings: WhatsAppSettings, verified: Verified) -> list[Receipt]:
        if is_challenge(verified.callback):
            return []
        return receipts_of(verified.callback.body, settings.phone_number_id, verified.received_at)

    def parse_inbound(self, settings: WhatsAppSettings, verified: Verified) -> list[Inbound]:
        if is_challenge(verified.callback):
            return []
        return inbound_of(verified.callback.body, settings.phone_number_id, verified.received_at)


def _problems_of(status: object) -> list[Problem]:
    """Of the state in which Meta says that the number is; only a connected one sends."""
    if status in (None, "CONNECTED"):
        return []
    return [Problem("phone_number_id", f"the number is {str(status)[:50]} at Meta; it should be CONNECTED")]
