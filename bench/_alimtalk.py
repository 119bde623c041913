"""A shop that sends an Alimtalk to a file of recipients, and SOLAPI as the fake relay plays it, who keeps a
ledger of its own: whom it was handed with which values, and what became of each."""

import json
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from channels.reasons import Reason
from channels.testing.providers import Life, Lives, lives_of
from channels.testing.providers.solapi import FakeSolapi
from server.clock import Instant
from server.demo.api import Api
from server.lists import audience
from server.runtime import Runtime

ADAPTER, PROFILE, TEMPLATE, LIST = "solapi_alimtalk", "KA01PF0001", "pickup", "픽업"
WON = 8
CONTENT = {
    "name": "픽업 안내",
    "category": "004001",
    "body": "[소전몰] #{이름}님, 주문하신 #{상품}이 #{지점}에 준비되었습니다.",
}
BRANCHES = ("성수점", "연남점", "서면점")
FAILED = {Reason.NOT_ON_CHANNEL: 0.04, Reason.UNREACHABLE: 0.03, Reason.UNKNOWN: 0.005}
"""No KakaoTalk; blocked, which SOLAPI tells no better than as unreachable; why, not even SOLAPI knows."""
REFUSED = {Reason.INVALID_RECIPIENT: 0.004}
SILENT_EVERY = 200
"""Of so many numbers in a row there is one of which SOLAPI never hears the end."""
BAD_EVERY = 1000
"""Of so many lines one has no value for a variable, and one no number."""
SAVED = """mutation ($input: SaveAlimtalkTemplateInput!) { answer: saveAlimtalkTemplate(input: $input) {
  __typename ... on SaveAlimtalkTemplatePayload { template { id } } ... on Problem { message } } }"""
SENDABLE = 'query { alimtalkTemplate(key: "pickup") { isSendable registrations { code } } }'
Trouble = Callable[[], Awaitable[None]]
SEND, ASK = "send", "ask"
BEFORE, AFTER = "before", "after"


class Relay(FakeSolapi):
    """Strict, and in trouble when it is told to be: before it takes a request up, or after it has."""

    def __init__(self, clock: Callable[[], Instant], lives: Lives) -> None:
        super().__init__(clock, pf_id=PROFILE, is_strict=True, lives=lives)
        self.trouble: dict[tuple[str, int, str], Trouble] = {}
        """By SEND or ASK, the number of such a request from 1 on, and BEFORE or AFTER. Of those
        that ask, the ones count that are told a result."""
        self.asked_from = 0
        """How many messages have to be there before those that ask are counted."""
        self.met: Counter[str] = Counter()
        self.values: dict[str, Mapping[str, str]] = {}
        """What each message was filled with, by its id."""
        self.unanswered: set[str] = set()
        """Messages that were taken up and whose answer got lost."""

    @property
    def settings(self) -> dict[str, str]:
        """Those of a connection to it. Without a secret for webhooks: it is asked."""
        ((key, secret),) = self.keys.items()
        return {"api_key": key, "api_secret": secret, "pf_id": PROFILE}

    async def answer(self, request: Request) -> Response:
        if request.url.path.endswith("send-many/detail"):
            return await self._answer_sending(request)
        answer = await super().answer(request)
        asks = request.url.path.endswith("messages/v4/list") and len(self.rows) >= self.asked_from
        if asks and _tells_results(answer):
            self.met[ASK] += 1
            await self._meet(ASK, self.met[ASK], AFTER)
        return answer

    async def _answer_sending(self, request: Request) -> Response:
        self.met[SEND] += 1
        number = self.met[SEND]
        await self._meet(SEND, number, BEFORE)
        before = len(self.rows)
        answer = await super().answer(request)
        if (SEND, number, AFTER) in self.trouble:
            self.unanswered.update(list(self.rows)[before:])
        await self._meet(SEND, number, AFTER)
        return answer

    async def _meet(self, kind: str, number: int, when: str) -> None:
        if (kind, number, when) in self.trouble:
            await self.trouble[kind, number, when]()

    def _take(self, message: dict[str, Any]) -> dict[str, Any]:
        row = super()._take(message)
        self.values[row["messageId"]] = message["kakaoOptions"].get("variables") or {}
        return row


def _tells_results(answer: Response) -> bool:
    listed = json.loads(bytes(answer.body)).get("messageList") or {}
    return any(row["statusCode"] != "2000" for row in listed.values())


def lives(seed: int, silent_every: int = SILENT_EVERY) -> Lives:
    """Those behind the numbers of `phone`."""
    drawn = lives_of(seed, failed=FAILED, refused=REFUSED)
    return lambda to: Life(delivered_after=None) if int(to) % silent_every == 7 else drawn(to)


def phone(number: int) -> str:
    return f"010{20_000_000 + number}"


def write_file(path: Path, count: int) -> int:
    """A file of so many lines, some of them bad, in EUC-KR as spreadsheets write it. Returns how many are."""
    lines, bad = ["phone,#{이름},#{상품},#{지점}"], 0
    for number in range(count):
        place = number % BAD_EVERY
        name = "" if place == 500 else f"고객 {number}"
        to = "번호 없음" if place == 700 else phone(number)
        bad += place in (500, 700)
        lines.append(f"{to},{name},상품 {number % 97},{BRANCHES[number % 3]}")
    path.write_bytes("\r\n".join(lines).encode("euc-kr"))
    return bad


async def upload(runtime: Runtime, api: Api, path: Path) -> audience.Upload:
    """As `sojourn audience upload` does."""
    wish = audience.Wish(LIST, creates_users=True)
    about = (api.keys.project_id, runtime.shards, wish, runtime.clock.now())
    return await audience.take_in(runtime.db, path, *about)


async def open_counter(api: Api, relay: Relay, **settings: str) -> None:
    """A connection, an approved template, and the price of a message."""
    await api.connect("카카오", ADAPTER, {**relay.settings, **settings})
    connection = {"connectionId": (await api.connections())["카카오"]["id"]}
    await api.change("syncAlimtalk", connection)
    saved = await api.answer(SAVED, {"key": TEMPLATE, "template": CONTENT})
    await api.change("requestAlimtalkReview", {"id": saved["template"]["id"], "comment": "픽업을 알립니다."})
    for code in list(relay.desk.templates):
        relay.desk.approve(code)
    await api.change("syncAlimtalk", connection)
    found = (await api.ask(SENDABLE))["alimtalkTemplate"]
    if not found["isSendable"]:
        raise RuntimeError(f"The template was not approved: {found}")
    await api.change("setPrice", {"channel": "kakao", "kind": "alimtalk", "amount": str(WON)})


async def send(api: Api) -> None:
    await api.change("sendAlimtalk", {"title": "픽업 안내", "template": TEMPLATE, "audience": {"list": LIST}})
