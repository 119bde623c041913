"""Alimtalk through Naver Cloud SENS (API v2).

SENS has no idempotency key, takes no reference of ours and calls nobody back. Results are found by the time
at which they were complete, under SENS's own message id; a message whose answer was lost stays unknown.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from channels.alimtalk.desk import Registered
from channels.answers import objects, read_json, said_in
from channels.codes import load
from channels.contract import (
    CONTRACT_VERSION,
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
    Verified,
)
from channels.errors import PollFailed
from channels.hookspecs import hookimpl
from channels.kakao import batches
from channels.kakao.alimtalk import CONTENT, Alimtalk
from channels.kakao.batches import Answer
from channels.kakao.options import AlimtalkOptions
from channels.kakao.results import OBSERVES, receipt
from channels.kakao.sens_account import ACCEPTED, NO_PROFILE, SensSettings, ask, outcomes, refusal
from channels.kakao.sens_desk import SENS_DESK_CAN, SensDesk
from channels.kakao.sens_wire import in_their_words, readable
from channels.kakao.windows import instant, korean, window_of
from channels.reasons import Reason

if TYPE_CHECKING:
    import httpx

SECONDS = "%Y-%m-%d %H:%M:%S"
PAGE = 100
DELIVERED = "0000"
LONGEST_WINDOW = 24 * 60 * 60 * 1000 - 1000


class SensSender:
    """Messages to SENS, up to `batch_size` a request."""

    def __init__(self, settings: SensSettings, tools: Tools) -> None:
        self._settings = settings
        self._tools = tools

    async def send(self, message: Message) -> Outcome:
        return (await self.send_many([message]))[0]

    async def send_many(self, messages: Sequence[Message]) -> Sequence[Outcome]:
        return await batches.send_each(messages, readable, self._post, alike=lambda one: one.template)

    async def aclose(self) -> None:
        pass

    async def _post(self, group: Sequence[Alimtalk]) -> Answer:
        if not self._settings.channel_id:
            return Rejected(Reason.SENDER_INVALID, "channel_id", NO_PROFILE)
        body = {
            "plusFriendId": self._settings.channel_id,
            "templateCode": group[0].template,
            "messages": [in_their_words(one) for one in group],
        }
        answer = await ask(self._settings, self._tools, "POST", "/messages", json=body)
        if isinstance(answer, Deferred | Unknown):
            return answer
        if answer.is_success:
            told = objects(said_in(answer).get("messages"))
            return outcomes([one.number for one in group], told, _reason)
        return refusal(answer, self._tools.clock())


def _reason(code: str) -> Reason:
    return load("channels.kakao", "kakao_codes.csv").reason(code)


class SensAlimtalkChannel(BaseChannel[SensSettings]):
    """Alimtalk through Naver Cloud SENS, with results by asking for what was completed."""

    key = "sens_alimtalk"
    channel = "kakao"
    title = "Alimtalk (Naver Cloud SENS)"
    contract_version = CONTRACT_VERSION
    settings = SensSettings
    options: type[BaseModel] | None = AlimtalkOptions
    desk_can = SENS_DESK_CAN
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

    def open_desk(self, settings: SensSettings, tools: Tools) -> SensDesk:
        return SensDesk(settings, tools)

    def template_news(self, settings: SensSettings, verified: Verified) -> list[Registered]:
        """SENS calls nobody back."""
        return []

    def problems(self, settings: SensSettings) -> list[Problem]:
        return [] if settings.channel_id else [Problem("channel_id", NO_PROFILE)]

    async def probe(self, settings: SensSettings, tools: Tools) -> list[Problem]:
        if lacking := self.problems(settings):
            return lacking
        answer = await ask(settings, tools, "GET", "/channels")
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
        if window is None or not settings.channel_id:
            return [], cursor
        asked = {
            "plusFriendId": settings.channel_id,
            "completeStartTime": korean(window.start_at, SECONDS),
            "completeEndTime": korean(window.end_at, SECONDS),
            "pageSize": PAGE,
        }
        if window.page:
            asked["nextToken"] = window.page
        answer = await ask(settings, tools, "GET", "/messages", query=asked)
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
