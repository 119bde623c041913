"""The three walks of a shop's developer through Alimtalk, through the whole application, with a relay that
reviews: to the first message, to coupons that lapse, and to a file of recipients."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio.to_thread
import httpx
import pytest
from click.testing import CliRunner

from channels.testing.providers import nhn
from server.cli import cli
from server.clock import DAY, HOUR, Instant, to_datetime
from server.config import Settings
from server.demo.api import Api, api_of
from server.runtime import Runtime, open_runtime
from server.store import projects
from tests.world import NOON

pytestmark = pytest.mark.anyio

WHO = {"searchId": "@소전몰", "phone": "01012345678", "category": "00100010001"}
COUPON = {
    "key": "expiring",
    "template": {
        "name": "쿠폰 소멸 안내",
        "body": "[소전몰] 쿠폰 소멸 안내\n\n#{이름}님, 장바구니 담기 고객님께 지급된 쿠폰이 곧 소멸됩니다.\n"
        "쿠폰명: #{쿠폰명}\n유효기간: #{만료일}까지\n\n"
        "※ 이 메시지는 쿠폰 소멸 안내를 받기로 동의하신 고객님께 지급된 쿠폰의 소멸 예정 안내입니다.",
    },
    "bindings": [
        {"name": "이름", "value": "{{ user.name }}"},
        {"name": "쿠폰명", "value": "{{ coupon.name }} {{ coupon.code }}"},
        {"name": "만료일", "value": "{{ coupon.last_day }}"},
    ],
    "declaration": {
        **{"noticeOf": "COUPON", "ground": "CONSENT", "issueCondition": "장바구니 담기"},
        **{"isExpiryNotice": True, "company": "소전몰"},
    },
}
PICKUP = {
    "key": "pickup",
    "template": {"name": "픽업 안내", "body": "[소전몰] #{이름}님, #{상품}이 #{지점}에 준비되었습니다."},
}
PROBLEM = "... on Problem { message code ... on GraphProblems { problems { code message } } }"
SAVED = "... on SaveAlimtalkTemplatePayload { template { id } }"
DRAWN = "... on CreateJourneyPayload { journey { id } }"
CAMPAIGN = "... on SendAlimtalkPayload { journey { id } }"
STANDING = "query($key: String!) { alimtalkTemplate(key: $key) { isSendable registrations { inspection } } }"
MESSAGES = """query($id: ID!) { journey(id: $id) { runs(first: 50) { edges { node {
  user { userId }
  visits { message { status reason template templateVersion evidence costSource
    cost { amount } } } } } } } }"""
ESTIMATE = """query($input: EstimateAlimtalkInput!) { estimateAlimtalk(input: $input) {
  ... on AlimtalkEstimate { audience recipients leftOut { reason count } example cost { amount } } } }"""


@dataclass
class Walk:
    runtime: Runtime
    api: Api
    relay: "Relay"
    connection: str = ""

    async def change(self, mutation: str, selection: str = "", /, **input: Any) -> dict[str, Any]:
        kind = SHARED.get(mutation, mutation[0].upper() + mutation[1:])
        text = f"mutation($input: {kind}Input!) {{ answer: {mutation}(input: $input) {{ __typename "
        found = await self.api.ask(f"{text} {PROBLEM} {selection} }} }}", input=input)
        return dict(found["answer"])

    async def settle(self, until: Instant | None = None) -> None:
        """Works everything in, and hears the relay, up to this instant."""
        for at in (self.runtime.clock.now(), until or self.runtime.clock.now()):
            self.runtime.clock.reach(at)
            await self._work()
            await self.runtime.dispatcher.until_idle()
            await self.runtime.keeper.look_once()
        await self._hear()
        await self._work()

    async def _work(self) -> None:
        await self.runtime.engine.take_shards()
        while await self.runtime.engine.work_once():
            pass

    async def _hear(self) -> None:
        """What became of messages, told by webhook a minute later."""
        self.runtime.clock.reach(self.runtime.clock.now() + HOUR)
        now = self.runtime.clock.now()
        hook = (await self.api.connections())["카카오"]["callbackUrl"]
        if reports := self.relay.due(now):
            told = self.relay.callback(reports, now)
            path = httpx.URL(hook).path
            answer = await self.api.client.post(path, content=told.body, headers=dict(told.headers))
            assert answer.status_code == 200

    async def tell(self, *messages: dict[str, Any]) -> None:
        stamp = to_datetime(self.runtime.clock.now()).isoformat()
        await self.api.send([{"timestamp": stamp, **one} for one in messages])
        await self.settle()

    async def approve(self, template: dict[str, Any]) -> None:
        """Saves a template and has it reviewed."""
        id = (await self.change("saveAlimtalkTemplate", SAVED, **template))["template"]["id"]
        await self.change("requestAlimtalkReview", id=id)
        self.relay.desk.approve(f"{template['key']}_1")
        await self.settle(self.runtime.clock.now() + HOUR)

    async def messages(self, journey: str) -> dict[str, list[dict[str, Any]]]:
        """Of each user, by their id."""
        edges = (await self.api.ask(MESSAGES, id=journey))["journey"]["runs"]["edges"]
        found: dict[str, list[dict[str, Any]]] = {}
        for run in (edge["node"] for edge in edges):
            told = [one["message"] for one in run["visits"] if one["message"]]
            found.setdefault(run["user"]["userId"], []).extend(told)
        return found

    def texts(self) -> list[dict[str, Any]]:
        """What the relay was handed of each message: to whom, and the values."""
        return [{"to": one["recipientNo"], **one["templateParameter"]} for one in self.relay.handed]


SHARED = dict.fromkeys(("startJourney",), "JourneyAction")


@asynccontextmanager
async def walk(url: str) -> AsyncIterator[Walk]:
    """A shop whose connection has no sender profile yet."""
    now: list[Runtime] = []
    relay = Relay(lambda: now[0].clock.now() if now else NOON)
    settings = Settings(database_url=url, discover_plugins=False)
    mounts = {relay.base_url: httpx.ASGITransport(relay)}
    async with open_runtime(settings, parts=(), follow_events=True, mounts=mounts) as runtime:
        now.append(runtime)
        runtime.clock.reach(NOON)
        async with runtime.db.write() as session:
            keys = await projects.create(session, "소전몰", "Asia/Seoul", NOON)
        async with api_of(runtime, keys) as api:
            found = Walk(runtime, api, relay)
            about = {"app_key": relay.app_key, "secret_key": relay.secret_key}
            about["signing_secret"] = relay.signing_secret
            await api.connect("카카오", "nhn_alimtalk", about)
            found.connection = (await api.connections())["카카오"]["id"]
            yield found
            await runtime.dispatcher.aclose()
            await runtime.engine.let_go()


class Relay(nhn.FakeNhn):
    """Strict, and remembers what it was handed."""

    def __init__(self, now: Any) -> None:
        super().__init__(now, is_strict=True)
        self.handed: list[dict[str, Any]] = []

    def _take(self, path: str, request_id: str, number: int, recipient: Any, body: Any) -> dict[str, Any]:
        self.handed.append(recipient)
        return super()._take(path, request_id, number, recipient, body)


async def register(one: Walk) -> None:
    """Prerequisites: the profile, its company, the prices."""
    about = {"connectionId": one.connection, **WHO}
    asked = await one.change("requestProfileToken", **about)
    assert asked["__typename"] == "RequestProfileTokenPayload", asked
    token = str(one.relay.desk.tokens["@소전몰"][0])
    told = "... on RegisterSenderProfilePayload { profile { id state } }"
    profile = (await one.change("registerSenderProfile", told, **about, token=token))["profile"]
    assert profile["state"] == "ACTIVE"
    await one.change("setSenderProfile", id=profile["id"], company="소전몰")
    for row in one.relay.desk.profiles.values():
        row["initialUserRestriction"] = False
    await one.change("setPrice", channel="kakao", kind="alimtalk", amount="8")


def person(name: str, phone: str, *, agrees: bool = True) -> list[dict[str, Any]]:
    """A member, with a telephone."""
    consent = {"channel": "kakao", "purpose": "benefit_notice", "granted": True, "source": "회원가입"}
    told: list[dict[str, Any]] = [
        {"type": "identify", "userId": name, "traits": {"name": name, "phone": phone}}
    ]
    if agrees:
        told.append({"type": "track", "userId": name, "event": "Consent Changed", "properties": consent})
    return told


def coupon(who: dict[str, str], code: str, days: int, name: str = "장바구니 20%") -> dict[str, Any]:
    ends = to_datetime(NOON + 9 * HOUR + days * DAY).date().isoformat()
    about = {"code": code, "name": name, "expires_at": ends}
    return {"type": "track", **who, "event": "Coupon Issued", "properties": about}


GRAPH: dict[str, Any] = {
    "steps": [
        {"entryEvent": {"key": "in", "event": "Coupon Issued"}},
        {"alimtalk": {"key": "talk", "template": "expiring"}},
        {"exit": {"key": "out"}},
    ],
    "edges": [{"from": "in", "to": "talk"}, {"from": "talk", "to": "out"}],
}


async def test_from_nothing_to_a_notice_that_was_delivered_and_paid_for(sqlite_url: str) -> None:
    async with walk(sqlite_url) as one:
        template = (await one.change("saveAlimtalkTemplate", SAVED, **COUPON))["template"]["id"]
        early = await one.change("requestAlimtalkReview", id=template)
        assert "profile" in early["message"], early
        await register(one)
        # Nothing leaves by a draft.
        made = await one.change("createJourney", DRAWN, title="쿠폰", graph=GRAPH)
        journey = made["journey"]["id"]
        refused = await one.change("publishJourney", id=journey)
        assert [problem["code"] for problem in refused["problems"]] == ["TEMPLATE_NOT_SENDABLE"]
        asked = await one.change("requestAlimtalkReview", id=template)
        assert asked["__typename"] == "RequestAlimtalkReviewPayload", asked
        one.relay.desk.reject("expiring_1", "변수 예시를 적어 주세요.")
        await one.settle(NOON + DAY)
        assert (await one.api.ask(STANDING, key="expiring"))["alimtalkTemplate"] == {
            "isSendable": False,
            "registrations": [{"inspection": "REJECTED"}],
        }
        await one.change("requestAlimtalkReview", id=template, comment="쿠폰명 예: 장바구니 20%")
        one.relay.desk.approve("expiring_1")
        await one.settle(NOON + 2 * DAY)
        published = await one.change("publishJourney", id=journey)
        assert published["__typename"] == "PublishJourneyPayload", published
        await one.change("startJourney", id=journey)
        await one.tell(*person("kim", "010-1234-5678"))
        await one.tell(coupon({"userId": "kim"}, "C1", 5))
        [message] = (await one.messages(journey))["kim"]
        assert (message["status"], message["template"]) == ("DELIVERED", "expiring")
        assert message["templateVersion"] == 1
        assert (message["cost"], message["costSource"]) == ({"amount": "8"}, "PRICE_LIST")
        evidence = message["evidence"]
        assert evidence["coupon"] == "C1", evidence
        assert evidence["declaration"]["issue_condition"] == "장바구니 담기"
        assert evidence["consent"]["source"] == "회원가입"
        [handed] = one.texts()
        assert (handed["쿠폰명"], handed["만료일"]) == ("장바구니 20% C1", "2024-03-18")


async def test_a_coupon_that_lapses_within_three_days_is_told_of_once(sqlite_url: str) -> None:
    async with walk(sqlite_url) as one:
        await register(one)
        await one.approve(COUPON)
        await one.tell(
            *person("kim", "010-1234-5678"),
            *person("lee", "010-2345-6789", agrees=False),
            *person("park", "010-3456-7890"),
            coupon({"userId": "kim"}, "K1", 2),
            coupon({"userId": "kim"}, "K2", 4),
            coupon({"userId": "kim"}, "OTHER", 2, "생일 쿠폰"),
            coupon({"userId": "lee"}, "L1", 2),
            coupon({"userId": "park"}, "P1", 20),
            {"type": "identify", "anonymousId": "web", "traits": {"phone": "010-4567-8901"}},
            coupon({"anonymousId": "web"}, "W1", 2),
        )
        lapsing = {"coupons": ["장바구니 20%"], "expiresWithinDays": 3}
        wish = {"template": "expiring", "audience": {"members": False, "coupon": lapsing}}
        estimate = (await one.api.ask(ESTIMATE, input=wish))["estimateAlimtalk"]
        assert (estimate["audience"], estimate["recipients"], estimate["cost"]) == (3, 1, {"amount": "8"})
        left = {row["reason"]: row["count"] for row in estimate["leftOut"]}
        assert left == {"NOT_MEMBER": 1, "NO_CONSENT": 1}
        assert "장바구니 20% K1" in estimate["example"]
        nobody = {"template": "expiring", "audience": {"coupon": {"coupons": ["없는 쿠폰"]}}}
        assert (await one.api.ask(ESTIMATE, input=nobody))["estimateAlimtalk"]["audience"] == 0
        start = to_datetime(NOON + DAY).date().isoformat()
        daily = {"everyDays": {"start": start, "at": "10:00"}}
        made = await one.change("sendAlimtalk", CAMPAIGN, title="소멸", when=daily, **wish)
        for day in range(1, 5):
            await one.settle(NOON + day * DAY)
        told = await one.messages(made["journey"]["id"])
        assert [(row["쿠폰명"], row["만료일"]) for row in one.texts()] == [
            ("장바구니 20% K1", "2024-03-15"),
            ("장바구니 20% K2", "2024-03-17"),
        ]
        assert {row["to"] for row in one.texts()} == {"01012345678"}
        assert [row["status"] for row in told["kim"]] == ["DELIVERED", "DELIVERED"]
        assert {row["reason"] for row in told["lee"]} == {"NO_CONSENT"}
        assert "park" not in told


async def test_a_file_with_kakaos_variables_in_euc_kr_is_sent_line_by_line(
    sqlite_url: str, tmp_path: Path
) -> None:
    file = tmp_path / "픽업.csv"
    rows = ["phone,#{이름},#{상품},#{지점}", "010-1234-5678,김하나,코트,성수점", "010-2345-6789,,모자,서면점"]
    rows += ["번호 없음,박셋,컵,연남점", "010-4567-8901,최넷,컵,연남점"]
    file.write_bytes("\r\n".join(rows).encode("euc-kr"))
    async with walk(sqlite_url) as one:
        await register(one)
        await one.approve(PICKUP)
        runner = CliRunner(env={"SOJOURN_DATABASE_URL": sqlite_url})
        words = ["audience", "upload", str(file), "--create-users"]
        done = await anyio.to_thread.run_sync(lambda: runner.invoke(cli, words))
        assert "2 user(s) put on the list, 0 named twice, 2 line(s) refused." in done.output, done
        assert "line 3" in done.output
        assert "이름" in done.output
        assert "line 4" in done.output
        await one.settle()
        wish = {"title": "픽업", "template": "pickup", "audience": {"list": "픽업"}}
        made = await one.change("sendAlimtalk", CAMPAIGN, **wish)
        assert made["__typename"] == "SendAlimtalkPayload", made
        await one.settle()
        assert sorted((row["to"], row["이름"], row["상품"], row["지점"]) for row in one.texts()) == [
            ("01012345678", "김하나", "코트", "성수점"),
            ("01045678901", "최넷", "컵", "연남점"),
        ]
