"""The shop's Alimtalk: a sender profile, templates and their review, notices, a coupon, and a file.

All of it goes the way that a shop would go: over GraphQL, to a relay whose reviewer takes days, and with a
list as a spreadsheet writes it. Docs: alimtalk.md, alimtalk-sending.md, alimtalk-audiences.md.
"""

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from channels.testing.providers.nhn import FakeNhn
from server.clock import DAY, SECOND, to_datetime
from server.lists import audience
from server.runtime import Runtime
from server.schema.file_form import read_journey

from . import order
from .api import Api
from .coupons import CART20
from .drawing import Data
from .people import Person
from .shop import SEOUL, Shop

CONNECTION = "카카오 알림톡"
CHANNEL, COMPANY, CATEGORY = "@샘플상점", "샘플 상점", "00100010001"
SENDER_KEY = f"{2:040d}"
"""What the relay of the sample gives the first profile that is registered there."""
NOTICES = {"signed-up": "sign_up", "order-paid": "purchase", "order-shipped": "order_shipped"}
"""Ready Alimtalks that the shop takes over, and how it calls their events."""
COUPON, PICKUP = "cart-coupon", "pickup"
PAID = "결제 완료 안내"
"""The title of the ready journey, as journeys are found by it."""
COUPON_CAMPAIGN = "장바구니 20% 쿠폰 만료 사흘 전"
PICKUP_CAMPAIGN = "매장 픽업 안내"
LIST = "매장 픽업 12월"
MOST_PICKUPS = 60
LONGEST_REVIEW = 2 * DAY
SOON = 5 * SECOND
"""How long a visitor's own template is at review."""
WHY = "변수 #{지점}과 #{날짜}에 어떤 값이 들어가는지 예시를 알려 주시기 바랍니다."
ANSWER = "#{지점}은 매장 이름(예: 성수점), #{날짜}는 찾아갈 마지막 날(예: 12월 3일)입니다."
BRANCHES = ("성수점", "연남점", "서면점")
PAID_TEXT = f"[{COMPANY}] {{{{ user.name }}}}님, {{{{ event.total | money }}}}원 결제가 완료되었습니다."
SHIPPED_TEXT = f"[{COMPANY}] 주문하신 상품이 출발했습니다. 운송장 {{{{ event.tracking_number }}}}"
TEXTS = {"order-paid": PAID_TEXT, "order-shipped": SHIPPED_TEXT}
"""What goes out as a text message to whoever has no KakaoTalk."""
PRICES = (("kakao", "alimtalk", "8"), ("sms", "sms", "9"), ("sms", "lms", "27"))

TAKE = """
mutation ($input: TakeReadyAlimtalksInput!) {
  answer: takeReadyAlimtalks(input: $input) {
    __typename
    ... on TakeReadyAlimtalksPayload { taken { name template { id } journey { id } } }
    ... on Problem { message }
  }
}"""
SAVE = """
mutation ($input: SaveAlimtalkTemplateInput!) {
  answer: saveAlimtalkTemplate(input: $input) {
    __typename
    ... on SaveAlimtalkTemplatePayload { template { id } }
    ... on Problem { message }
  }
}"""
REQUEST = """
mutation ($input: RequestAlimtalkReviewInput!) {
  answer: requestAlimtalkReview(input: $input) {
    __typename
    ... on AlimtalkProblems { findings { rule message(language: KO) } }
    ... on Problem { message }
  }
}"""
REJECTED = """
{ alimtalkTemplates(first: 100) { edges { node { id registrations { inspection } } } } }"""
PROFILES = "{ senderProfiles { id searchId } }"
FILES = "{ readyAlimtalks { name file } }"


@dataclass(slots=True)
class Reviewer:
    """Wants one thing explained first, and approves everything else."""

    has_asked: bool = False

    def __call__(self, said: dict[str, Any]) -> str:
        if self.has_asked or said["templateName"] != _PICKUP["name"]:
            return ""
        self.has_asked = True
        return WHY


@dataclass(slots=True)
class Counter:
    """Who sees to the shop's Alimtalk."""

    runtime: Runtime
    api: Api
    shop: Shop
    relay: FakeNhn
    settings: dict[str, Any]
    """Of its connection; they grow by the key of the profile."""
    connection_id: str = ""
    journeys: dict[str, str] = field(default_factory=dict)
    """The ready ones, by their names."""

    async def open(self) -> None:
        """The profile, templates and journeys, and the prices by which their messages will be booked."""
        self.relay.desk.review_after = min(LONGEST_REVIEW, self.shop.days * DAY // 9)
        self.connection_id = (await self.api.connections())[CONNECTION]["id"]
        await self._register()
        for channel, kind, amount in PRICES:
            await self.api.change("setPrice", {"channel": channel, "kind": kind, "amount": amount})
        taken = (await self.api.answer(TAKE, {"names": list(NOTICES)}))["taken"]
        self.journeys = {one["name"]: one["journey"]["id"] for one in taken}
        ids = [one["template"]["id"] for one in taken]
        ids += [(await self.api.answer(SAVE, one))["template"]["id"] for one in (_coupon(), _pickup())]
        for id in ids:
            await self._request(id)

    async def _register(self) -> None:
        """The profile proves itself by a token."""
        who = {"connectionId": self.connection_id, "searchId": CHANNEL, "phone": "01000000000"}
        who["category"] = CATEGORY
        await self.api.change("requestProfileToken", who)
        token = str(self.relay.desk.tokens[CHANNEL][0])
        await self.api.change("registerSenderProfile", {**who, "token": token})
        verify(self.relay)
        self.settings["sender_key"] = SENDER_KEY
        shown = (await self.api.ask(PROFILES))["senderProfiles"]
        (id,) = (one["id"] for one in shown if one["searchId"] == CHANNEL)
        await self.api.change("setSenderProfile", {"id": id, "company": COMPANY})

    async def answer(self) -> None:
        """What was rejected is explained, and reviewed once more."""
        edges = (await self.api.ask(REJECTED))["alimtalkTemplates"]["edges"]
        for one in (edge["node"] for edge in edges):
            if any(there["inspection"] == "REJECTED" for there in one["registrations"]):
                await self._request(one["id"], comment=ANSWER)

    async def _request(self, id: str, **more: Any) -> None:
        await self.api.answer(REQUEST, {"id": id, "connectionIds": [self.connection_id], **more})

    async def start(self) -> None:
        """What was approved goes out: the ready journeys with the shop's own events, and the coupons."""
        shown = (await self.api.ask(FILES))["readyAlimtalks"]
        drawn = {one["name"]: read_journey(one["file"]).variables for one in shown}
        for name, id in self.journeys.items():
            await self.api.redraw(id, {"graph": _of_our_own(name, drawn[name]["graph"])})
            await self.api.move_on("start", id)
        await self._start_coupons()

    async def _start_coupons(self) -> None:
        """Every day those whose coupon lapses within three days, each coupon once."""
        start = to_datetime(self.runtime.clock.now() + SEOUL + DAY).date().isoformat()
        coupon = {"coupons": [CART20], "expiresWithinDays": 3}
        wish: Data = {"title": COUPON_CAMPAIGN, "template": COUPON}
        wish |= {"audience": {"members": True, "coupon": coupon}}
        await self.api.change(
            "sendAlimtalk", {**wish, "when": {"everyDays": {"start": start, "at": "10:00"}}}
        )

    async def upload(self) -> None:
        """The list of the branches, as `sojourn audience upload` takes it: in EUC-KR, one line of it bad."""
        wish = audience.Wish(LIST, creates_users=True)
        about = (self.api.keys.project_id, self.runtime.shards, wish, self.runtime.clock.now())
        with TemporaryDirectory() as folder:
            path = Path(folder) / "pickups.csv"
            path.write_bytes(_sheet(self.shop.persons()).encode("euc-kr"))
            await audience.take_in(self.runtime.db, path, *about)

    async def send(self) -> None:
        """Everybody on that list is told."""
        wish = {"title": PICKUP_CAMPAIGN, "template": PICKUP, "audience": {"list": LIST}}
        await self.api.change("sendAlimtalk", wish)

    def scenes(self) -> list[tuple[float, Callable[[], Awaitable[None]]]]:
        """What is done, and at which share of the sample's time."""
        return [
            (0, self.open),
            (0.14, self.answer),
            (0.16, self.start),
            (0.28, self.upload),
            (0.3, self.send),
        ]


def verify(relay: FakeNhn) -> None:
    """The business behind the channel is verified: values may be as long as texts allow."""
    relay.desk.profiles[SENDER_KEY]["initialUserRestriction"] = False


def _of_our_own(name: str, graph: Data) -> Data:
    for step in graph["steps"]:
        if "entryEvent" in step:
            step["entryEvent"] |= {"event": NOTICES[name], "title": NOTICES[name], **_where(name)}
        if "alimtalk" in step:
            step["alimtalk"] |= {"connection": CONNECTION, "expiresAfterSeconds": 3 * DAY // SECOND}
            if name in TEXTS:
                step["alimtalk"]["fallback"] = _text_of(name)
    return graph


def _text_of(name: str) -> Data:
    return {"channel": "sms", "connection": order.TEXTS, "text": TEXTS[name]}


def _where(name: str) -> Data:
    """Of dearer parcels the journey on every channel tells."""
    cheaper = {"name": "total", "operator": "LESS", "value": order.LEAST}
    return {"where": [cheaper]} if name == "order-shipped" else {}


def _coupon() -> Data:
    declaration = {"noticeOf": "COUPON", "ground": "CONSENT", "issueCondition": "장바구니 담기"}
    return {
        "key": COUPON,
        "template": _COUPON,
        "bindings": [
            {"name": "이름", "value": "{{ user.name | default: '고객' | truncate: 20 }}"},
            {"name": "쿠폰명", "value": "{{ coupon.name }}"},
            {"name": "만료일", "value": "{{ coupon.last_day }}"},
        ],
        "declaration": {**declaration, "isExpiryNotice": True, "company": COMPANY},
    }


def _pickup() -> Data:
    """Without bindings: the columns of the list fill it."""
    return {"key": PICKUP, "template": _PICKUP}


def _sheet(persons: Iterator[Person]) -> str:
    lines = ["phone,#{이름},#{상품},#{지점},#{날짜},메모"]
    reached = [one for one in persons if "phone" in one.traits and not one.is_new]
    for number, one in enumerate(reached[:MOST_PICKUPS]):
        branch = BRANCHES[number % len(BRANCHES)]
        lines.append(f"{one.traits['phone']},{one.traits['name']},제주 감귤 5kg,{branch},12월 3일,")
    lines.append("010-0009-9998,처음온손님,호두 파이,성수점,12월 3일,전화 주문")
    lines.append("010-0009-9997,,호두 파이,연남점,12월 3일,이름을 못 받음")
    return "\r\n".join(lines)


_COUPON: Data = {
    "name": "장바구니 쿠폰 소멸 안내",
    "body": f"""[{COMPANY}] 쿠폰 소멸 안내

#{{이름}}님, 장바구니 담기 고객님께 지급된 쿠폰이 곧 소멸됩니다.

▶ 쿠폰명: #{{쿠폰명}}
▶ 유효기간: #{{만료일}}까지

※ 이 메시지는 쿠폰 소멸 안내를 받기로 동의하신 고객님께 지급된 쿠폰의 소멸 예정 안내입니다.""",
    "buttons": [{"type": "WL", "name": "쿠폰함 보기", "linkMobile": "https://shop.example/coupons"}],
}
_PICKUP: Data = {
    "name": "매장 픽업 안내",
    "body": f"""[{COMPANY}] #{{이름}}님, 주문하신 상품이 매장에 준비되었습니다.

▶ 상품: #{{상품}}
▶ 매장: #{{지점}}
▶ 찾아가실 날: #{{날짜}}까지

신분증을 가지고 오시면 바로 드립니다.""",
}
