"""Brand Messages through Naver Cloud SENS (Brand Message API v2).

SENS has no webhook and no idempotency key for them: results are asked for by the time at which they were
completed, and what is unknown is never sent again. Its fallback to SMS is switched off in every request.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, Field

from channels.alimtalk.brand import SENS_BRAND
from channels.answers import objects, said_in
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
    Tools,
    Unknown,
)
from channels.errors import PollFailed
from channels.hookspecs import hookimpl
from channels.kakao.batches import Answer
from channels.kakao.brand import CONTENT, PURPOSES, Brand, send_each
from channels.kakao.brand_options import BrandOptions
from channels.kakao.results import OBSERVES, receipt
from channels.kakao.sens_account import ACCEPTED, SensSettings, ask, outcomes, refusal
from channels.kakao.sens_brand_wire import BUBBLE_NAMES, in_their_words
from channels.kakao.windows import DAY, instant, korean, window_of
from channels.reasons import Reason

if TYPE_CHECKING:
    pass

SECONDS = "%Y-%m-%d %H:%M:%S"
PAGE = 100
API = "brandmessage"
DELIVERED = "0000"
QUOTA = "B004"


class SensBrandSettings(SensSettings):
    """The service at SENS, and the channel that the messages come from."""

    channel_id: str = Field(min_length=2, max_length=31, pattern=r"^@", description="@name of the channel.")


class SensBrandSender:
    """Messages to SENS, up to `batch_size` a request."""

    def __init__(self, settings: SensBrandSettings, tools: Tools) -> None:
        self._settings = settings
        self._tools = tools

    async def send(self, message: Message) -> Outcome:
        return (await self.send_many([message]))[0]

    async def send_many(self, messages: Sequence[Message]) -> Sequence[Outcome]:
        now = self._tools.clock()
        return await send_each(messages, SENS_BRAND, now, self._post, alike=_alike)

    async def aclose(self) -> None:
        pass

    async def _post(self, group: Sequence[Brand]) -> Answer:
        first = group[0]
        body = {
            "plusFriendId": self._settings.channel_id,
            "messageType": BUBBLE_NAMES[first.options.type],
            "targeting": first.options.targeting,
            "isAdult": first.options.adult,
            "messages": [in_their_words(one) for one in group],
        }
        if first.template:
            body["templateCode"] = first.template
        answer = await ask(self._settings, self._tools, "POST", "/messages", json=body, api=API)
        if isinstance(answer, Deferred | Unknown):
            return answer
        if answer.is_success:
            told = objects(said_in(answer).get("messages"))
            return outcomes([one.number for one in group], told, _reason)
        return refusal(answer, self._tools.clock())


def _alike(one: Brand) -> object:
    return one.template, one.options.type, one.options.targeting, one.options.adult


def _reason(code: str) -> Reason:
    if code == QUOTA:
        return Reason.QUOTA_EXCEEDED
    return load("channels.kakao", "kakao_codes.csv").reason(code)


class SensBrandChannel(BaseChannel[SensBrandSettings]):
    """Brand Messages through Naver Cloud SENS, with results by asking for what was completed."""

    key = "sens_brand"
    channel = "brand_message"
    title = "Brand Message (Naver Cloud SENS)"
    contract_version = CONTRACT_VERSION
    settings = SensBrandSettings
    options: type[BaseModel] | None = BrandOptions
    brand_can = SENS_BRAND
    capabilities = Capabilities(
        content=CONTENT, observes=OBSERVES, batch_size=100, purposes=PURPOSES, scheduled_send=True
    )

    def reason_of(self, code: str) -> Reason | None:
        return (
            Reason.QUOTA_EXCEEDED if code == QUOTA else load("channels.kakao", "kakao_codes.csv").listed(code)
        )

    def open(self, settings: SensBrandSettings, tools: Tools) -> SensBrandSender:
        return SensBrandSender(settings, tools)

    async def probe(self, settings: SensBrandSettings, tools: Tools) -> list[Problem]:
        query = {"plusFriendId": settings.channel_id, "pageSize": 1}
        answer = await ask(settings, tools, "GET", "/templates", query=query, api=API)
        if isinstance(answer, Deferred | Unknown):
            return [Problem("base_url", f"SENS cannot be reached: {answer.text}")]
        if answer.status_code == 200:
            return []
        path = "channel_id" if answer.status_code in (400, 404) else "access_key"
        return [Problem(path, f"SENS refuses: {answer.status_code} {answer.text}"[:500])]

    async def poll(
        self, settings: SensBrandSettings, tools: Tools, cursor: Cursor
    ) -> tuple[list[Receipt], Cursor]:
        window = window_of(cursor, tools.clock(), DAY)
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
        answer = await ask(settings, tools, "GET", "/messages", query=asked, api=API)
        if isinstance(answer, Deferred | Unknown):
            raise PollFailed(f"SENS cannot be asked: {answer.text}")
        said = said_in(answer)
        if answer.status_code == 404 and not answer.content:
            return [], window.onward("")  # how SENS says that there is none
        if answer.status_code != 200:
            raise PollFailed(f"SENS answered {answer.status_code} {answer.text[:200]}".rstrip())
        receipts = [one for row in objects(said.get("messages")) if (one := _receipt(row, tools.clock()))]
        return receipts, window.onward(str(said.get("nextToken") or ""))


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
    return [SensBrandChannel()]
