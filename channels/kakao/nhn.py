"""Alimtalk through NHN Cloud (KakaoTalk Bizmessage, API v2.3).

NHN refuses a second request with the same idempotency key for ten minutes, and its list of messages can be
searched by our reference for 90 days. So a repeated key and a lost answer both end in the same way: ask.
Its callbacks carry a word that we choose: that proves who calls, and does not cover the body.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import sha256
from urllib.parse import quote

from pydantic import BaseModel, Field

from channels.alimtalk.desk import Registered
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
from channels.kakao.alimtalk import CONTENT, LONGEST_REFERENCE, Alimtalk, send_each
from channels.kakao.batches import Answer
from channels.kakao.nhn_account import NO_PROFILE, NhnAccount, ask, code_of, lacking, probed, verified
from channels.kakao.nhn_answers import outcomes_of
from channels.kakao.nhn_desk import NHN_DESK_CAN, NhnDesk
from channels.kakao.nhn_desk_words import news_in
from channels.kakao.nhn_results import of_callback, of_row, provider_id_of, table_of
from channels.kakao.nhn_wire import recipient, renders_it_itself
from channels.kakao.options import AlimtalkOptions
from channels.kakao.results import OBSERVES
from channels.kakao.windows import DAY, korean, window_of
from channels.reasons import Reason

MINUTES = "%Y-%m-%d %H:%M"
PAGE = 1000
KEY_USED_BEFORE = "-1005"
SEARCHED = 30 * DAY
"""How far back NHN lets one search reach."""


class NhnSettings(NhnAccount):
    """The app at NHN Cloud, and the sender profile that the messages come from."""

    sender_groups: tuple[str, ...] = Field(
        (), max_length=20, description="Sender keys of groups of profiles: NHN Cloud lists none by itself."
    )


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
        answer = await ask(self._settings, self._tools, "GET", "/messages", params=asked)
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
        if not self._settings.sender_key:
            return Rejected(Reason.SENDER_INVALID, "sender_key", NO_PROFILE)
        path = "/messages" if renders_it_itself(group[0]) else "/raw-messages"
        body = {
            "senderKey": self._settings.sender_key,
            "templateCode": group[0].template,
            "recipientList": [recipient(one) for one in group],
        }
        key = {"x-nc-api-idempotency-key": _key(group)}
        answer = await ask(self._settings, self._tools, "POST", path, headers=key, json=body)
        if isinstance(answer, Deferred | Unknown):
            return answer
        return outcomes_of(group, answer, self._tools.clock())


def _key(group: Sequence[Alimtalk]) -> str:
    """The same for the same messages: our reference, or a digest of several."""
    if len(group) == 1 and len(group[0].reference) <= LONGEST_REFERENCE:
        return quote(group[0].reference, safe="")
    return sha256("\0".join(sorted(one.reference for one in group)).encode()).hexdigest()


def _was_sent_before(outcome: Outcome) -> bool:
    return isinstance(outcome, Rejected) and outcome.code == KEY_USED_BEFORE


class NhnAlimtalkChannel(BaseChannel[NhnSettings]):
    """Alimtalk through NHN Cloud, with results by webhook and by asking for what changed, and its desk."""

    key = "nhn_alimtalk"
    channel = "kakao"
    title = "Alimtalk (NHN Cloud)"
    contract_version = CONTRACT_VERSION
    settings = NhnSettings
    options: type[BaseModel] | None = AlimtalkOptions
    desk_can = NHN_DESK_CAN
    capabilities = Capabilities(
        content=CONTENT,
        observes=OBSERVES,
        # KakaoTalk may confirm for three days that a message was shown (3005).
        unknown_settles_after_days=3,
        on_unknown=OnUnknown.ASK,
        batch_size=1000,
        needs_template=True,
        scheduled_send=True,
    )

    def reason_of(self, code: str) -> Reason | None:
        return table_of(code).listed(code)

    def open(self, settings: NhnSettings, tools: Tools) -> NhnSender:
        return NhnSender(settings, tools)

    def open_desk(self, settings: NhnSettings, tools: Tools) -> NhnDesk:
        return NhnDesk(settings, tools, settings.sender_groups)

    def template_news(self, settings: NhnSettings, verified: Verified) -> list[Registered]:
        return news_in(verified.callback.body, settings.sender_key, verified.received_at)

    def problems(self, settings: NhnSettings) -> list[Problem]:
        return lacking(settings)

    async def probe(self, settings: NhnSettings, tools: Tools) -> list[Problem]:
        return await probed(settings, tools)

    def verify(self, settings: NhnSettings, callback: Callback, now: Instant) -> Verified | Refused:
        return verified(settings, callback, now)

    def parse(self, settings: NhnSettings, verified: Verified) -> list[Receipt]:
        return of_callback(verified.callback.body, verified.received_at, "ALIMTALK")

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
        answer = await ask(settings, tools, "GET", "/message-results", params=asked)
        if isinstance(answer, Deferred | Unknown):
            raise PollFailed(f"NHN Cloud cannot be asked: {answer.text}")
        said = said_in(answer)
        if answer.status_code != 200 or code_of(said)[0] != "0":
            raise PollFailed(f"NHN Cloud answered {answer.status_code} {' '.join(code_of(said))}".rstrip())
        rows = objects(said.get("messages"))
        receipts = [of_row(row, tools.clock()) for row in rows]
        return receipts, window.onward(str(page + 1) if len(rows) == PAGE else "")


@hookimpl
def register_channels() -> Iterable[AnyChannel]:
    return [NhnAlimtalkChannel()]
