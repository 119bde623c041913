"""Alimtalk through Naver Cloud SENS (API v2).

SENS has no idempotency key, takes no reference of ours and calls nobody back. Results are found by the time
at which they were complete, under SENS's own message id; a message whose answer was lost stays unknown.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from channels.answers import an_object, objects, read_json, said_in
from channels.codes import load
from channels.contract import (
    CONTRACT_VERSION,
    Accepted,
    AnyChannel,
    BaseChannel,
    Capabilities,
    Cursor,
    Deferred,
    Instant,
    Message,
    Outcome,
    Problem,
    Receipt,
    Rejected,
    Tools,
    Unknown,
)
from channels.errors import PollFailed
from channels.hookspecs import hookimpl
from channels.http import exchange, outcome_of_status
from channels.kakao.alimtalk import CONTENT, Alimtalk, send_each
from channels.kakao.batches import Answer
from channels.kakao.options import AlimtalkOptions, Button
from channels.kakao.results import OBSERVES, receipt
from channels.kakao.sens_auth import headers
from channels.kakao.windows import instant, korean, window_of
from channels.reasons import Reason

if TYPE_CHECKING:
    import httpx

SECONDS = "%Y-%m-%d %H:%M:%S"
PAGE = 100
ACCEPTED = "A000"
DELIVERED = "0000"
LONGEST_WINDOW = 24 * 60 * 60 * 1000 - 1000


class SensSettings(BaseModel):
    """The Biz Message service at Naver Cloud, and the channel that the messages come from."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    access_key: SecretStr = Field(min_length=1)
    secret_key: SecretStr = Field(min_length=1)
    service_id: str = Field(min_length=1, max_length=200, description="ncp:kkobizmsg:kr:…")
    channel_id: str = Field(min_length=2, max_length=31, pattern=r"^@", description="@name of the channel.")
    base_url: str = Field("https://sens.apigw.ntruss.com", pattern=r"^https?://")


class SensSender:
    """Messages to SENS, up to `batch_size` a request."""

    def __init__(self, settings: SensSettings, tools: Tools) -> None:
        self._settings = settings
        self._tools = tools

    async def send(self, message: Message) -> Outcome:
        return (await self.send_many([message]))[0]

    async def send_many(self, messages: Sequence[Message]) -> Sequence[Outcome]:
        return await send_each(messages, self._post, alike=lambda one: one.template)

    async def aclose(self) -> None:
        pass

    async def _post(self, group: Sequence[Alimtalk]) -> Answer:
        body = {
            "plusFriendId": self._settings.channel_id,
            "templateCode": group[0].template,
            "messages": [_in_their_words(one) for one in group],
        }
        answer = await _ask(self._settings, self._tools, "POST", "/messages", json=body)
        if isinstance(answer, Deferred | Unknown):
            return answer
        if answer.is_success:
            return _outcomes(group, objects(said_in(answer).get("messages")))
        return _refusal(answer, self._tools.clock())


def _in_their_words(one: Alimtalk) -> dict[str, Any]:
    """One entry of messages. SENS's own fallback to SMS is switched off, whatever its console says."""
    said: dict[str, Any] = {
        "countryCode": "82",
        "to": one.number,
        "content": one.text,
        "useSmsFailover": False,
    }
    said |= {"title": one.title} if one.title else {}
    said |= {"headerContent": one.options.header} if one.options.header else {}
    said |= {"buttons": [_button(button) for button in one.options.buttons]} if one.options.buttons else {}
    return said


def _button(button: Button) -> dict[str, str]:
    said = {
        "type": button.type,
        "name": button.name,
        "linkMobile": button.link_mobile,
        "linkPc": button.link_pc,
        "schemeAndroid": button.scheme_android,
        "schemeIos": button.scheme_ios,
    }
    return {name: value for name, value in said.items() if value}


def _outcomes(group: Sequence[Alimtalk], told: list[dict[str, Any]]) -> Answer:
    """One outcome each, in SENS's own order; by number where it says less than it was asked."""
    left = list(told)
    outcomes: list[Outcome] = []
    for message in group:
        one = next((one for one in left if one.get("to") == message.number), None)
        if one is None:
            outcomes.append(Unknown(text="SENS's answer says nothing of this message."))
        else:
            left.remove(one)
            outcomes.append(_outcome(one))
    return outcomes


def _outcome(one: dict[str, Any]) -> Outcome:
    code, text = str(one.get("requestStatusCode") or ""), str(one.get("requestStatusDesc") or "")
    if code == ACCEPTED and one.get("messageId"):
        return Accepted(str(one["messageId"]), code, text)
    return Rejected(_reason(code), code, text) if code else Unknown(text=text)


def _reason(code: str) -> Reason:
    return load("channels.kakao", "kakao_codes.csv").reason(code)


def _refusal(answer: httpx.Response, now: Instant) -> Outcome:
    """The gateway wraps its errors; SENS itself tells status and text beside each other."""
    said = said_in(answer)
    by_gateway = an_object(said.get("error"))
    error = by_gateway or said
    code = str(error.get("errorCode") or error.get("status") or "")
    text = str(error.get("message") or error.get("errorMessage") or "")
    outcome = outcome_of_status(answer, now, code=code, text=text)
    table = load("channels.kakao", "sens_codes.csv")
    if by_gateway and isinstance(outcome, Rejected) and table.knows(code):
        return replace(outcome, reason=table.reason(code))
    return outcome


async def _ask(
    settings: SensSettings,
    tools: Tools,
    method: str,
    path: str,
    *,
    query: dict[str, Any] | None = None,
    **request: Any,
) -> httpx.Response | Deferred | Unknown:
    target = f"/alimtalk/v2/services/{quote(settings.service_id, safe=':')}{path}"
    # Encoded here and not by the client: the signature covers the query as it travels.
    target += f"?{urlencode(query, quote_via=quote, safe='')}" if query else ""
    keys = settings.access_key.get_secret_value(), settings.secret_key.get_secret_value()
    signed = headers(*keys, method, target, tools.clock())
    return await exchange(tools, method, settings.base_url.rstrip("/") + target, headers=signed, **request)


class SensAlimtalkChannel(BaseChannel[SensSettings]):
    """Alimtalk through Naver Cloud SENS, with results by asking for what was completed."""

    key = "sens_alimtalk"
    channel = "kakao"
    title = "Alimtalk (Naver Cloud SENS)"
    contract_version = CONTRACT_VERSION
    settings = SensSettings
    options: type[BaseModel] | None = AlimtalkOptions
    capabilities = Capabilities(
        content={**CONTENT, "text": replace(CONTENT["text"], required=True)},
        observes=OBSERVES,
        # KakaoTalk may confirm for three days that a message was shown (3005).
        unknown_settles_after_days=3,
        batch_size=100,
        needs_template=True,
        scheduled_send=True,
    )

    def reason_of(self, code: str) -> Reason | None:
        return load("channels.kakao", "kakao_codes.csv").listed(code)

    def open(self, settings: SensSettings, tools: Tools) -> SensSender:
        return SensSender(settings, tools)

    async def probe(self, settings: SensSettings, tools: Tools) -> list[Problem]:
        answer = await _ask(settings, tools, "GET", "/channels")
        if isinstance(answer, Deferred | Unknown):
            return [Problem("base_url", f"SENS cannot be reached: {answer.text}")]
        if answer.status_code != 200:
            return [Problem("access_key", f"SENS refuses: {answer.status_code} {answer.text}"[:500])]
        states = {one.get("channelId"): one.get("channelStatus") for one in _channels(answer)}
        if settings.channel_id not in states:
            return [Problem("channel_id", "is no channel of this service")]
        if states[settings.channel_id] != "ACTIVE":
            return [Problem("channel_id", f"is not active: {states[settings.channel_id]}")]
        return []

    async def poll(
        self, settings: SensSettings, tools: Tools, cursor: Cursor
    ) -> tuple[list[Receipt], Cursor]:
        window = window_of(cursor, tools.clock(), LONGEST_WINDOW)
        if window is None:
            return [], cursor
        asked = {
            "plusFriendId": settings.channel_id,
            "completeStartTime": korean(window.start_at, SECONDS),
            "completeEndTime": korean(window.end_at, SECONDS),
            "pageSize": PAGE,
        }
        if window.page:
            asked["nextToken"] = window.page
        answer = await _ask(settings, tools, "GET", "/messages", query=asked)
        if isinstance(answer, Deferred | Unknown):
            raise PollFailed(f"SENS cannot be asked: {answer.text}")
        said = said_in(answer)
        if answer.status_code == 404 and not answer.content:
            return [], window.onward("")  # how SENS says that there is none
        if answer.status_code != 200:
            raise PollFailed(f"SENS answered {answer.status_code} {answer.text[:200]}".rstrip())
        receipts = [one for row in objects(said.get("messages")) if (one := _receipt(row, tools.clock()))]
        return receipts, window.onward(str(said.get("nextToken") or ""))


def _channels(answer: httpx.Response) -> list[dict[str, Any]]:
    return objects(read_json(answer.content))


def _receipt(row: dict[str, Any], now: Instant) -> Receipt | None:
    """None while the message is on its way. A row that SENS itself had refused has only the first code."""
    refused = str(row.get("requestStatusCode") or ACCEPTED) != ACCEPTED
    code = str(row.get("requestStatusCode" if refused else "messageStatusCode") or "")
    if not code or not row.get("messageId") or row.get("messageStatusName") == "processing":
        return None
    reason = None if code == DELIVERED else _reason(code)
    text = str(row.get("messageStatusDesc") or row.get("requestStatusDesc") or "")
    return receipt(str(row["messageId"]), code, reason, instant(row.get("completeTime"), now), row, text=text)


@hookimpl
def register_channels() -> Iterable[AnyChannel]:
    return [SensAlimtalkChannel()]
