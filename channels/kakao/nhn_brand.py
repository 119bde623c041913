"""Brand Messages through NHN Cloud (KakaoTalk Bizmessage, Brand Message API v1.0).

NHN keeps what is shown once for a request and not for a recipient, so messages that differ by a name go out
one by one; a template is filled for each recipient. There is no idempotency key here: whose answer was lost
is looked for in NHN's list by our reference. That list knows the time of the request alone, so asking for
results goes back to the oldest message that is still on its way.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, Field

from channels.alimtalk.brand import NHN_BRAND
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
from channels.kakao.batches import Answer
from channels.kakao.brand import CONTENT, PURPOSES, Brand, send_each
from channels.kakao.brand_options import BrandOptions
from channels.kakao.brand_pictures import Pictures, refused_picture
from channels.kakao.nhn_account import BRAND, NO_PROFILE, NhnAccount, ask, code_of, lacking, probed, verified
from channels.kakao.nhn_answers import outcomes_of, refusal
from channels.kakao.nhn_brand_wire import recipient, shown
from channels.kakao.nhn_results import of_callback, of_row, provider_id_of, table_of
from channels.kakao.results import OBSERVES
from channels.kakao.windows import DAY, OVERLAP, PAUSE, instant, korean
from channels.reasons import Reason

MINUTES = "%Y-%m-%d %H:%M"
PAGE = 1000
SEARCHED = 30 * DAY
"""How far back NHN lets one search reach."""
WAITED_FOR = DAY
"""A message that has no end by then is no longer asked about: its webhook may still tell."""


KAKAO_PICTURES = "https://mud-kage.kakao.com/"
"""Where KakaoTalk keeps the pictures that were handed in."""
PICTURE_TYPES = {
    "image": "IMAGE",
    "wide": "WIDE_IMAGE",
    "first_item": "MAIN_WIDE_ITEMLIST_IMAGE",
    "item": "NORMAL_WIDE_ITEMLIST_IMAGE",
    "feed": "CAROUSEL_FEED_IMAGE",
    "commerce": "CAROUSEL_COMMERCE_IMAGE",
}


class NhnBrandSettings(NhnAccount):
    """The app at NHN Cloud, and the sender profile that the messages come from."""

    unsubscribe_number: str = Field(
        "",
        pattern=r"^$|^080-?[0-9]{3,4}-?[0-9]{4}$",
        description="The free 080 number. Empty: that of the profile.",
    )
    unsubscribe_code: str = Field("", pattern=r"^[0-9]{0,9}$", description="What proves that number.")


class NhnBrandSender:
    """Messages to NHN Cloud, up to `batch_size` a request."""

    def __init__(self, settings: NhnBrandSettings, tools: Tools) -> None:
        self._settings = settings
        self._tools = tools
        self._pictures = Pictures(tools, self._hand_over, own=(KAKAO_PICTURES,))

    async def send(self, message: Message) -> Outcome:
        return (await self.send_many([message]))[0]

    async def send_many(self, messages: Sequence[Message]) -> Sequence[Outcome]:
        now, settle = self._tools.clock(), self._pictures.settle
        return await send_each(messages, NHN_BRAND, now, self._post, _alike, settle)

    async def ask(self, reference: str) -> Outcome:
        """What NHN's list says of a message by our reference; `Unknown` while it is not there."""
        now = self._tools.clock()
        asked = {
            "startRequestDate": korean(now - SEARCHED + DAY, MINUTES),
            "endRequestDate": korean(now + DAY, MINUTES),
            "recipientGroupingKey": reference,
            "pageSize": 1,
        }
        answer = await ask(self._settings, self._tools, "GET", "/messages", root=BRAND, params=asked)
        if isinstance(answer, Deferred | Unknown):
            return Unknown(code=answer.code, text=answer.text)
        for row in _rows(said_in(answer)):
            if row.get("recipientGroupingKey") == reference and row.get("requestId"):
                return Accepted(provider_id_of(row))
        return Unknown(text=f"NHN's list does not have it ({answer.status_code}).")

    async def aclose(self) -> None:
        pass

    async def _hand_over(self, kind: str, file: str, content: bytes) -> str | Outcome:
        sent: dict[str, Any] = {"files": {"image": (file, content)}}
        sent["data"] = {"imageType": PICTURE_TYPES[kind]}
        answer = await ask(self._settings, self._tools, "POST", "/images", root=BRAND, **sent)
        if isinstance(answer, Deferred | Unknown):
            return self._pictures.later(f"NHN Cloud does not take the picture: {answer.text}")
        said = said_in(answer)
        url = an_object(said.get("image")).get("imageUrl")
        if isinstance(url, str) and url:
            return url
        return refused_picture(refusal(answer, self._tools.clock()), self._pictures)

    async def _post(self, group: Sequence[Brand]) -> Answer:
        if not self._settings.sender_key:
            return Rejected(Reason.SENDER_INVALID, "sender_key", NO_PROFILE)
        first = group[0]
        path = "/basic-messages" if first.template else "/freestyle-messages"
        body: dict[str, Any] = {"senderKey": self._settings.sender_key}
        if first.template:
            body |= {"templateCode": first.template, "pushAlarm": first.options.push_alarm}
        else:
            body |= shown(first)
        body |= self._unsubscribing()
        body["recipientList"] = [recipient(one) for one in group]
        answer = await ask(self._settings, self._tools, "POST", path, root=BRAND, json=body)
        if isinstance(answer, Deferred | Unknown):
            return answer
        return outcomes_of(group, answer, self._tools.clock())

    def _unsubscribing(self) -> dict[str, str]:
        if not self._settings.unsubscribe_number:
            return {}
        said = {"unsubscribeNo": self._settings.unsubscribe_number}
        return said | (
            {"unsubscribeAuthNo": self._settings.unsubscribe_code} if self._settings.unsubscribe_code else {}
        )


def _alike(one: Brand) -> object:
    if one.template:
        return one.template, one.options.push_alarm
    return json.dumps(shown(one), sort_keys=True)


def _rows(said: dict[str, Any]) -> list[dict[str, Any]]:
    return objects(an_object(said.get("messageSearchResultResponse")).get("messages"))


@dataclass(frozen=True, slots=True)
class Asking:
    """Where asking for results goes on: messages that were requested since `start`."""

    start: Instant
    end: Instant
    page: int = 1
    oldest: Instant | None = None
    """Of the messages seen on the pages before that have no end yet."""

    def onward(self, rows: list[dict[str, Any]]) -> Cursor:
        waiting = [at for row in rows if (at := instant(row.get("requestDate"), 0)) and not _is_over(row)]
        oldest = min([*waiting, *([self.oldest] if self.oldest else [])], default=None)
        if len(rows) == PAGE:
            kept = {"start": self.start, "end": self.end, "page": self.page + 1, "oldest": oldest}
            return json.dumps(kept)
        start = min(oldest or self.end, self.end - OVERLAP)
        return json.dumps({"start": max(start, self.end - WAITED_FOR), "asked": self.end})


def _is_over(row: dict[str, Any]) -> bool:
    return row.get("messageStatus") in ("COMPLETED", "FAILED") and bool(row.get("resultCode"))


def asking_of(cursor: Cursor, now: Instant) -> Asking | None:
    """What to ask for next; None when it was asked a moment ago."""
    if not cursor:
        return Asking(now - DAY, now)
    kept: dict[str, Any] = json.loads(cursor)
    if "page" in kept:
        return Asking(kept["start"], kept["end"], kept["page"], kept["oldest"])
    return None if now - kept["asked"] < PAUSE else Asking(kept["start"], now)


class NhnBrandChannel(BaseChannel[NhnBrandSettings]):
    """Brand Messages through NHN Cloud, with results by webhook and by asking."""

    key = "nhn_brand"
    channel = "brand_message"
    title = "Brand Message (NHN Cloud)"
    contract_version = CONTRACT_VERSION
    settings = NhnBrandSettings
    options: type[BaseModel] | None = BrandOptions
    brand_can = NHN_BRAND
    capabilities = Capabilities(
        content=CONTENT,
        observes=OBSERVES,
        on_unknown=OnUnknown.ASK,
        batch_size=1000,
        purposes=PURPOSES,
        scheduled_send=True,
    )

    def reason_of(self, code: str) -> Reason | None:
        return table_of(code).listed(code)

    def open(self, settings: NhnBrandSettings, tools: Tools) -> NhnBrandSender:
        return NhnBrandSender(settings, tools)

    def problems(self, settings: NhnBrandSettings) -> list[Problem]:
        return lacking(settings)

    async def probe(self, settings: NhnBrandSettings, tools: Tools) -> list[Problem]:
        return await probed(settings, tools, BRAND)

    def verify(self, settings: NhnBrandSettings, callback: Callback, now: Instant) -> Verified | Refused:
        return verified(settings, callback, now)

    def parse(self, settings: NhnBrandSettings, verified: Verified) -> list[Receipt]:
        return of_callback(verified.callback.body, verified.received_at, "BRAND_MESSAGE")

    async def poll(
        self, settings: NhnBrandSettings, tools: Tools, cursor: Cursor
    ) -> tuple[list[Receipt], Cursor]:
        asking = asking_of(cursor, tools.clock())
        if asking is None:
            return [], cursor
        asked = {
            "startRequestDate": korean(asking.start, MINUTES),
            "endRequestDate": korean(asking.end, MINUTES),
            "pageNum": asking.page,
            "pageSize": PAGE,
        }
        answer = await ask(settings, tools, "GET", "/messages", root=BRAND, params=asked)
        if isinstance(answer, Deferred | Unknown):
            raise PollFailed(f"NHN Cloud cannot be asked: {answer.text}")
        said = said_in(answer)
        if answer.status_code != 200 or code_of(said)[0] != "0":
            raise PollFailed(f"NHN Cloud answered {answer.status_code} {' '.join(code_of(said))}".rstrip())
        rows = _rows(said)
        receipts = [of_row(row, tools.clock()) for row in rows if _is_over(row)]
        return receipts, asking.onward(rows)


@hookimpl
def register_channels() -> Iterable[AnyChannel]:
    return [NhnBrandChannel()]
