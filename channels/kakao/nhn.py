"""Alimtalk through NHN Cloud (KakaoTalk Bizmessage, API v2.3).

NHN refuses a second request with the same idempotency key for ten minutes, and its list of messages can be
searched by our reference for 90 days. So a repeated key and a lost answer both end in the same way: ask.
Its callbacks carry a word that we choose: that proves who calls, and does not cover the body.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from channels.answers import an_object, objects, said_in
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
from channels.errors import PollFailed
from channels.hookspecs import hookimpl
from channels.http import exchange, outcome_of_status
from channels.kakao.alimtalk import CONTENT, LONGEST_REFERENCE, Alimtalk, send_each
from channels.kakao.batches import Answer
from channels.kakao.nhn_results import of_callback, of_row, provider_id_of, reason_of, table_of
from channels.kakao.nhn_wire import recipient, renders_it_itself
from channels.kakao.options import AlimtalkOptions
from channels.kakao.proof import is_one_of
from channels.kakao.results import OBSERVES
from channels.kakao.windows import DAY, korean, window_of
from channels.reasons import Reason

if TYPE_CHECKING:
    import httpx

MINUTES = "%Y-%m-%d %H:%M"
PAGE = 1000
KEY_USED_BEFORE = "-1005"
SEARCHED = 30 * DAY
"""How far back NHN lets one search reach."""


class NhnSettings(BaseModel):
    """The app at NHN Cloud, and the sender profile that the messages come from."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    app_key: str = Field(pattern=r"^[A-Za-z0-9_-]+$", description="Of the product KakaoTalk Bizmessage.")
    secret_key: SecretStr = Field(min_length=1)
    sender_key: str = Field(min_length=1, max_length=40, description="Of the sender profile, 40 characters.")
    signing_secret: SecretStr = Field(
        SecretStr(""), description="The signature that was entered with the webhook. Empty: no webhook."
    )
    previous_signing_secret: SecretStr = Field(SecretStr(""), description="Still good while it is changed.")
    base_url: str = Field("https://kakaotalk-bizmessage.api.nhncloudservice.com", pattern=r"^https?://")


class NhnSender:
    """Messages to NHN Cloud, up to `batch_size` a request."""

    def __init__(self, settings: NhnSettings, tools: Tools) -> None:
        self._settings = settings
        self._tools = tools

    async def send(self, message: Message) -> Outcome:
        return (await self.send_many([message]))[0]

    async def send_many(self, messages: Sequence[Message]) -> Sequence[Outcome]:
        outcomes = await send_each(
            messages, self._post, alike=lambda one: (one.template, renders_it_itself(one))
        )
        return [
            await self._found(message.reference) if _was_sent_before(outcome) else outcome
            for message, outcome in zip(messages, outcomes, strict=True)
        ]

    async def ask(self, reference: str) -> Outcome:
        """What NHN's list says of a message by our reference; `Unknown` while it is not there."""
        now = self._tools.clock()
        asked = {
            "startRequestDate": korean(now - SEARCHED + DAY, MINUTES),
            "endRequestDate": korean(now + DAY, MINUTES),
            "recipientGroupingKey": reference,
            "pageSize": 1,
        }
        answer = await _ask(self._settings, self._tools, "GET", "/messages", params=asked)
        if isinstance(answer, Deferred | Unknown):
            return Unknown(code=answer.code, text=answer.text)
        rows = objects(an_object(said_in(answer).get("messageSearchResultResponse")).get("messages"))
        for row in rows:
            if row.get("recipientGroupingKey") == reference and row.get("requestId"):
                return Accepted(provider_id_of(row))
        return Unknown(text=f"NHN's list does not have it ({answer.status_code}).")

    async def aclose(self) -> None:
        pass

    async def _found(self, reference: str) -> Outcome:
        found = await self.ask(reference)
        return found if isinstance(found, Accepted) else Unknown(code=KEY_USED_BEFORE, text=found.text)

    async def _post(self, group: Sequence[Alimtalk]) -> Answer:
        path = "/messages" if renders_it_itself(group[0]) else "/raw-messages"
        body = {
            "senderKey": self._settings.sender_key,
            "templateCode": group[0].template,
            "recipientList": [recipient(one) for one in group],
        }
        key = {"x-nc-api-idempotency-key": _key(group)}
        answer = await _ask(self._settings, self._tools, "POST", path, headers=key, json=body)
        if isinstance(answer, Deferred | Unknown):
            return answer
        said = said_in(answer)
        message = an_object(said.get("message"))
        if results := objects(message.get("sendResults")):
            return _outcomes(group, results, str(message.get("requestId") or ""))
        if not answer.is_success:
            return outcome_of_status(answer, self._tools.clock(), text=_code(said)[1])
        return _refusal(said, self._tools.clock())


def _key(group: Sequence[Alimtalk]) -> str:
    """The same for the same messages: our reference, or a digest of several."""
    if len(group) == 1 and len(group[0].reference) <= LONGEST_REFERENCE:
        return quote(group[0].reference, safe="")
    return sha256("\0".join(sorted(one.reference for one in group)).encode()).hexdigest()


def _was_sent_before(outcome: Outcome) -> bool:
    return isinstance(outcome, Rejected) and outcome.code == KEY_USED_BEFORE


def _outcomes(group: Sequence[Alimtalk], results: list[dict[str, Any]], request_id: str) -> Answer:
    """One outcome each, found by our reference; by its place where NHN left the reference out."""
    by_reference = {result.get("recipientGroupingKey"): result for result in results}
    by_place = results if len(results) == len(group) else [{}] * len(group)
    return [
        _outcome(by_reference.get(one.reference, result), request_id)
        for one, result in zip(group, by_place, strict=True)
    ]


def _outcome(result: dict[str, Any], request_id: str) -> Outcome:
    if "resultCode" not in result:
        return Unknown(text="NHN's answer says nothing of this message.")
    code, text = str(result["resultCode"]), str(result.get("resultMessage") or "")
    if code == "0" and not request_id:
        return Unknown(code=code, text="NHN took it and did not say under which id.")
    if code == "0":
        return Accepted(provider_id_of({"requestId": request_id, **result}), code, text)
    return Rejected(reason_of(code), code, text)


def _refusal(said: dict[str, Any], now: Instant) -> Outcome:
    code, text = _code(said)
    if code in ("", "0"):
        return Unknown(code=code, text="NHN's answer says nothing of these messages.")
    if reason_of(code) is Reason.PROVIDER_ERROR:
        return Deferred(now, Reason.PROVIDER_ERROR, code, text)
    return Rejected(reason_of(code), code, text)


def _code(said: dict[str, Any]) -> tuple[str, str]:
    header = an_object(said.get("header"))
    return str(header.get("resultCode", "")), str(header.get("resultMessage") or "")


async def _ask(
    settings: NhnSettings,
    tools: Tools,
    method: str,
    path: str,
    *,
    headers: dict[str, str] | None = None,
    **request: Any,
) -> httpx.Response | Deferred | Unknown:
    url = f"{settings.base_url.rstrip('/')}/alimtalk/v2.3/appkeys/{settings.app_key}{path}"
    secret = {"x-secret-key": settings.secret_key.get_secret_value()}
    return await exchange(tools, method, url, headers={**secret, **(headers or {})}, **request)


class NhnAlimtalkChannel(BaseChannel[NhnSettings]):
    """Alimtalk through NHN Cloud, with results by webhook and by asking for what changed."""

    key = "nhn_alimtalk"
    channel = "kakao"
    title = "Alimtalk (NHN Cloud)"
    contract_version = CONTRACT_VERSION
    settings = NhnSettings
    options: type[BaseModel] | None = AlimtalkOptions
    capabilities = Capabilities(
        content=CONTENT,
        observes=OBSERVES,
        on_unknown=OnUnknown.ASK,
        batch_size=1000,
        needs_template=True,
        scheduled_send=True,
    )

    def reason_of(self, code: str) -> Reason | None:
        return table_of(code).listed(code)

    def open(self, settings: NhnSettings, tools: Tools) -> NhnSender:
        return NhnSender(settings, tools)

    async def probe(self, settings: NhnSettings, tools: Tools) -> list[Problem]:
        answer = await _ask(settings, tools, "GET", f"/senders/{quote(settings.sender_key, safe='')}")
        if isinstance(answer, Deferred | Unknown):
            return [Problem("base_url", f"NHN Cloud cannot be reached: {answer.text}")]
        code, text = _code(said_in(answer))
        if code == "0":
            return []
        path = "sender_key" if reason_of(code) is Reason.SENDER_INVALID else "secret_key"
        return [Problem(path, f"NHN Cloud refuses: {code or answer.status_code} {text}"[:500].rstrip())]

    def verify(self, settings: NhnSettings, callback: Callback, now: Instant) -> Verified | Refused:
        secrets = (settings.signing_secret, settings.previous_signing_secret)
        expected = [one.get_secret_value() for one in secrets]
        if is_one_of(callback.headers.get("x-toast-webhook-signature", ""), expected):
            return Verified(callback, now)
        return Refused("x-toast-webhook-signature is missing or wrong, or signing_secret is not set")

    def parse(self, settings: NhnSettings, verified: Verified) -> list[Receipt]:
        return of_callback(verified.callback.body, verified.received_at)

    async def poll(self, settings: NhnSettings, tools: Tools, cursor: Cursor) -> tuple[list[Receipt], Cursor]:
        window = window_of(cursor, tools.clock(), SEARCHED)
        if window is None:
            return [], cursor
        page = int(window.page or 1)
        asked = {
            "startUpdateDate": korean(window.start_at, MINUTES),
            "endUpdateDate": korean(window.end_at, MINUTES),
            "pageNum": page,
            "pageSize": PAGE,
        }
        answer = await _ask(settings, tools, "GET", "/message-results", params=asked)
        if isinstance(answer, Deferred | Unknown):
            raise PollFailed(f"NHN Cloud cannot be asked: {answer.text}")
        said = said_in(answer)
        if answer.status_code != 200 or _code(said)[0] != "0":
            raise PollFailed(f"NHN Cloud answered {answer.status_code} {' '.join(_code(said))}".rstrip())
        rows = objects(said.get("messages"))
        receipts = [of_row(row, tools.clock()) for row in rows]
        return receipts, window.onward(str(page + 1) if len(rows) == PAGE else "")


@hookimpl
def register_channels() -> Iterable[AnyChannel]:
    return [NhnAlimtalkChannel()]
