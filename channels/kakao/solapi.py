"""Alimtalk through SOLAPI (CoolSMS).

SOLAPI knows no idempotency key and cannot be asked by our reference, so what is unknown is never sent again;
it echoes the reference in its results, and a message whose answer was lost finds its end that way. Its
callbacks carry the SHA-1 of a secret that we choose: that proves who calls, and does not cover the body.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from hashlib import sha1
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from channels.codes import load
from channels.contract import (
    CONTRACT_VERSION,
    Accepted,
    AnyChannel,
    BaseChannel,
    Callback,
    Capabilities,
    Cursor,
    Deferred,
    Instant,
    Message,
    Outcome,
    Problem,
    Receipt,
    Refused,
    Rejected,
    Tools,
    Unknown,
    Verified,
)
from channels.errors import PollFailed
from channels.hookspecs import hookimpl
from channels.http import exchange, outcome_of_status
from channels.kakao.alimtalk import CONTENT, LONGEST_REFERENCE, Alimtalk, Answer, send_each
from channels.kakao.answers import objects, said_in
from channels.kakao.options import AlimtalkOptions, Button
from channels.kakao.proof import is_one_of
from channels.kakao.results import OBSERVES
from channels.kakao.solapi_auth import authorization, new_salt
from channels.kakao.solapi_results import (
    DONE,
    PENDING,
    REFERENCE,
    of_event,
    of_row,
    reference_of,
    unmapped,
    utc,
)
from channels.kakao.windows import window_of
from channels.reasons import Reason

if TYPE_CHECKING:
    import httpx

PAGE = 500


class SolapiSettings(BaseModel):
    """The account at SOLAPI, and the channel that the messages come from."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    api_key: SecretStr = Field(min_length=1)
    api_secret: SecretStr = Field(min_length=1)
    pf_id: str = Field(min_length=1, max_length=100, description="The channel, as SOLAPI names it: KA01PF…")
    signing_secret: SecretStr = Field(
        SecretStr(""), description="The secret that was given to SOLAPI with the webhook. Empty: no webhook."
    )
    previous_signing_secret: SecretStr = Field(SecretStr(""), description="Still good while it is changed.")
    base_url: str = Field("https://api.solapi.com", pattern=r"^https?://")


class SolapiSender:
    """Messages to SOLAPI, up to `batch_size` a request."""

    def __init__(self, settings: SolapiSettings, tools: Tools) -> None:
        self._settings = settings
        self._tools = tools

    async def send(self, message: Message) -> Outcome:
        return (await self.send_many([message]))[0]

    async def send_many(self, messages: Sequence[Message]) -> Sequence[Outcome]:
        return await send_each(messages, self._post, alike=lambda _: None)

    async def aclose(self) -> None:
        pass

    async def _post(self, group: Sequence[Alimtalk]) -> Answer:
        body = {
            "messages": [self._in_their_words(one) for one in group],
            # One person may well be sent two messages at the same moment.
            "allowDuplicates": True,
            "showMessageList": True,
        }
        answer = await _ask(self._settings, self._tools, "POST", "/messages/v4/send-many/detail", json=body)
        if isinstance(answer, Deferred | Unknown):
            return answer
        if answer.is_success:
            return _outcomes(group, said_in(answer))
        return _refusal(answer, self._tools.clock())

    def _in_their_words(self, one: Alimtalk) -> dict[str, Any]:
        kakao: dict[str, Any] = {
            "pfId": self._settings.pf_id,
            "templateId": one.template,
            "disableSms": True,
        }
        if one.variables:
            kakao["variables"] = {f"#{{{name}}}": value for name, value in one.variables.items()}
        if one.title:
            kakao["title"] = one.title
        if one.options.buttons:
            kakao["buttons"] = [_button(button) for button in one.options.buttons]
        said: dict[str, Any] = {"to": one.number, "type": "ATA", "country": "82", "kakaoOptions": kakao}
        if one.text and not one.variables:
            said["text"] = one.text
        if len(one.reference) <= LONGEST_REFERENCE:
            said["customFields"] = {REFERENCE: one.reference}
        return said


def _button(button: Button) -> dict[str, str]:
    said = {
        "buttonType": button.type,
        "buttonName": button.name,
        "linkMo": button.link_mobile,
        "linkPc": button.link_pc,
        "linkAnd": button.scheme_android,
        "linkIos": button.scheme_ios,
        "chatExtra": button.chat_extra,
        "targetOut": "true" if button.target else "",
    }
    return {name: value for name, value in said.items() if value}


def _outcomes(group: Sequence[Alimtalk], answer: dict[str, Any]) -> Answer:
    """What became of each, found by our reference; a number names it where SOLAPI left the reference out."""
    left = [*objects(answer.get("failedMessageList")), *objects(answer.get("messageList"))]
    outcomes: list[Outcome] = []
    for message in group:
        one = next((one for one in left if reference_of(one) == message.reference), None)
        one = one or next(
            (one for one in left if not reference_of(one) and one.get("to") == message.number), None
        )
        if one is None:
            outcomes.append(Unknown(text="SOLAPI's answer says nothing of this message."))
            continue
        left.remove(one)
        outcomes.append(_outcome(one))
    return outcomes


def _outcome(one: dict[str, Any]) -> Outcome:
    code, text = str(one.get("statusCode", "")), str(one.get("statusMessage", ""))
    if code in PENDING or code == DONE:
        return Accepted(str(one["messageId"]), code, text) if one.get("messageId") else Unknown(text=text)
    return Rejected(load("channels.kakao", "solapi_codes.csv").reason(code), code, text)


def _refusal(answer: httpx.Response, now: Instant) -> Outcome:
    said = said_in(answer)
    code, text = str(said.get("errorCode") or ""), str(said.get("errorMessage") or "")
    table = load("channels.kakao", "solapi_codes.csv")
    if answer.status_code >= 500 or not table.knows(code):
        return outcome_of_status(answer, now, code=code, text=text)
    if table.reason(code) is Reason.RATE_LIMITED:
        return Deferred(now, Reason.RATE_LIMITED, code, text)
    return Rejected(table.reason(code), code, text)


async def _ask(
    settings: SolapiSettings, tools: Tools, method: str, path: str, **request: Any
) -> httpx.Response | Deferred | Unknown:
    key, secret = settings.api_key.get_secret_value(), settings.api_secret.get_secret_value()
    headers = {"authorization": authorization(key, secret, tools.clock(), new_salt())}
    return await exchange(tools, method, settings.base_url.rstrip("/") + path, headers=headers, **request)


class SolapiAlimtalkChannel(BaseChannel[SolapiSettings]):
    """Alimtalk through SOLAPI, with results by webhook and by asking for what changed."""

    key = "solapi_alimtalk"
    channel = "kakao"
    title = "Alimtalk (SOLAPI)"
    contract_version = CONTRACT_VERSION
    settings = SolapiSettings
    options: type[BaseModel] | None = AlimtalkOptions
    capabilities = Capabilities(
        content=CONTENT, observes=OBSERVES, batch_size=500, needs_template=True, scheduled_send=True
    )

    def open(self, settings: SolapiSettings, tools: Tools) -> SolapiSender:
        return SolapiSender(settings, tools)

    async def probe(self, settings: SolapiSettings, tools: Tools) -> list[Problem]:
        answer = await _ask(settings, tools, "GET", "/messages/v4/list", params={"limit": 1})
        if isinstance(answer, Deferred | Unknown):
            return [Problem("base_url", f"SOLAPI cannot be reached: {answer.text}")]
        if answer.status_code == 200:
            return []
        said = said_in(answer)
        return [
            Problem("api_key", f"SOLAPI refuses: {said.get('errorCode')} {said.get('errorMessage')}"[:500])
        ]

    def verify(self, settings: SolapiSettings, callback: Callback, now: Instant) -> Verified | Refused:
        secrets = (settings.signing_secret, settings.previous_signing_secret)
        known = [one.get_secret_value().encode() for one in secrets if one.get_secret_value()]
        expected = [sha1(one).hexdigest() for one in known]
        if is_one_of(callback.headers.get("x-solapi-secret", "").strip().lower(), expected):
            return Verified(callback, now)
        return Refused("x-solapi-secret is missing or wrong" if expected else "signing_secret is not set")

    def parse(self, settings: SolapiSettings, verified: Verified) -> list[Receipt]:
        body = verified.callback.body.decode("utf-8", "replace")
        try:
            events = json.loads(body)
        except (ValueError, RecursionError):
            events = None
        if not isinstance(events, list):
            return [unmapped(body, verified.received_at)]
        return [one for event in events if (one := of_event(event, verified.received_at))]

    async def poll(
        self, settings: SolapiSettings, tools: Tools, cursor: Cursor
    ) -> tuple[list[Receipt], Cursor]:
        window = window_of(cursor, tools.clock())
        if window is None:
            return [], cursor
        asked = {
            "type": "ATA",
            "dateType": "UPDATED",
            "startDate": utc(window.start_at),
            "endDate": utc(window.end_at),
            "limit": PAGE,
        }
        if window.page:
            asked["startKey"] = window.page
        answer = await _ask(settings, tools, "GET", "/messages/v4/list", params=asked)
        if isinstance(answer, Deferred | Unknown):
            raise PollFailed(f"SOLAPI cannot be asked: {answer.text}")
        said = said_in(answer)
        if answer.status_code != 200 or not isinstance(said.get("messageList"), dict):
            raise PollFailed(f"SOLAPI answered {answer.status_code} {said.get('errorCode') or ''}".rstrip())
        rows = objects(list(said["messageList"].values()))
        receipts = [one for row in rows if (one := of_row(row, tools.clock()))]
        return receipts, window.onward(str(said.get("nextKey") or ""))


@hookimpl
def register_channels() -> Iterable[AnyChannel]:
    return [SolapiAlimtalkChannel()]
