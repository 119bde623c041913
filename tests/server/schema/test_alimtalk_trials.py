"""A template tried: rehearsed before it is approved, sent once, and told of where a message is explained."""

from dataclasses import replace
from typing import Any

import pytest

from channels import Host
from channels.alimtalk.desk import DeskCan, Does
from channels.contract import Accepted, Capabilities, ContentField, Message
from channels.kakao.options import AlimtalkOptions
from channels.testing.fake import FakeChannel
from server.schema.ids import to_id
from server.schema.to_data import to_variables
from server.store.tables import AlimtalkRegistration, User
from tests.server.delivery.relays import (
    BINDINGS,
    BY_TERMS,
    COUPON,
    COUPON_BINDINGS,
    PAID,
    change,
    open_relays,
    put_template,
    sign_up,
)
from tests.server.schema.api import Api, open_api
from tests.world import NOON, World, reaching, step

pytestmark = pytest.mark.anyio
FIELDS = {name: ContentField() for name in ("template", "text", "title")}
TALK = step("talk", "alimtalk", template="paid")
ASKED = """query($input: SimulateInput!) { simulate(input: $input) {
  __typename
  ... on Problem { message }
  ... on GraphProblems { problems { message path } }
  ... on Simulation { notes troubles messages { stepKey status reason count }
    traces(first: 1) { runs { visits { messages { content { name value } } } } } }
} }"""
MESSAGES = """{ journeys(first: 1) { edges { node { runs(first: 5) { edges { node { visits { message {
    status reason template templateVersion evidence explain { code text }
} } } } } } } } }"""
SENT = """... on SendTestAlimtalkPayload {
    reference version content { body buttons { linkMobile } } outcome { __typename } }"""


class Taking:
    def __init__(self, relay: "Relay") -> None:
        self._relay = relay

    async def send(self, message: Message) -> Accepted:
        self._relay.attempts.append(message)
        return Accepted("1")

    async def aclose(self) -> None:
        """Nothing is open."""


class Relay(FakeChannel):
    """A relay whose desk says what it can."""

    options = AlimtalkOptions

    def __init__(self, **more: Any) -> None:
        super().__init__(key="relay", channel="kakao", capabilities=Capabilities(content=FIELDS))
        self.desk_can = DeskCan(does=frozenset[Does](), more=more)

    def open(self, settings: Any, tools: Any) -> Any:
        return Taking(self)

    def open_desk(self, settings: Any, tools: Any) -> Any:
        raise NotImplementedError

    def template_news(self, settings: Any, verified: Any) -> Any:
        return []


async def simulate(api: Api, **input: Any) -> dict[str, Any]:
    times = {"start": "2024-03-13T11:00:00Z", "until": "2024-03-14T11:00:00Z"}
    return dict((await api.ask(ASKED, input={**times, "people": [{"name": "kim"}], **input}))["simulate"])


def said(told: dict[str, Any]) -> dict[str, str]:
    visits = told["traces"][0]["runs"][0]["visits"]
    [message] = [one for visit in visits for one in visit["messages"]]
    return {one["name"]: one["value"] for one in message["content"]}


async def test_a_rehearsal_plays_what_was_written_last_and_says_that_it_is_not_approved(
    sqlite_world: World,
) -> None:
    async with open_api(sqlite_world, Host({"relay": Relay()}, {})) as api:
        first = await sqlite_world.add_connection("a", "relay", channel="kakao")
        drawn = to_variables(reaching(TALK))
        came = {"event": "sign_up", "properties": {"product": "꽃신", "order_id": "A-1"}}
        people = [{"name": "kim", "attributes": {"name": "김"}, "events": [{**came, "afterSeconds": 1}]}]
        await put_template(sqlite_world, "paid", PAID, BINDINGS, first)
        told = await simulate(api, graph=drawn, people=people)
        assert (told["notes"], told["troubles"]) == ([], [])
        assert said(told)["text"] == "김님, 주문하신 꽃신의 결제가 완료되었습니다."
        newer = {**PAID, "body": "#{이름}님, 새 문구입니다."}
        await put_template(sqlite_world, "paid", newer, BINDINGS, first, number=2, inspection="draft")
        told = await simulate(api, graph=drawn, people=people)
        assert said(told)["text"] == "김님, 새 문구입니다."
        assert "version 2, which is not approved; what goes out now is version 1" in told["notes"][0]
        [one] = [row for row in await sqlite_world.rows(AlimtalkRegistration) if row.number == 1]
        await change(sqlite_world, AlimtalkRegistration, one.id, operation="stopped")
        told = await simulate(api, graph=drawn, people=people)
        assert "nothing of it may be sent now" in told["notes"][0]
        # Published, it is played as it goes out.
        await change(sqlite_world, AlimtalkRegistration, one.id, operation="active")
        journey = await sqlite_world.add_journey(reaching(TALK))
        told = await simulate(api, journey=to_id("Journey", journey), people=people)
        assert (told["notes"], "결제가 완료" in said(told)["text"]) == ([], True)


async def test_made_up_people_are_members_who_have_agreed(sqlite_world: World) -> None:
    async with open_api(sqlite_world, Host({"relay": Relay()}, {})) as api:
        first = await sqlite_world.add_connection("a", "relay", channel="kakao")
        await put_template(sqlite_world, "paid", COUPON, COUPON_BINDINGS, first, declaration=BY_TERMS)
        drawn = to_variables(reaching(TALK, event="Coupon Issued"))
        told = await simulate(
            api, graph=drawn, arrivals={"event": "Coupon Issued", "properties": {"code": "A1"}}
        )
    assert told["messages"] == [{"stepKey": "talk", "status": "DELIVERED", "reason": None, "count": 1}]
    assert "쿠폰: A1" in said(told)["text"]


async def test_a_template_is_sent_once_to_try_it(sqlite_world: World) -> None:
    relay = Relay()
    async with open_api(sqlite_world, Host({"relay": relay}, {})) as api:
        first = await sqlite_world.add_connection("a", "relay", channel="kakao")
        await put_template(sqlite_world, "paid", PAID, BINDINGS, first)
        await put_template(sqlite_world, "paid", PAID, BINDINGS, first, number=2, inspection="in_review")
        await sign_up(sqlite_world, "kim")
        await sqlite_world.settle()
        [user] = await sqlite_world.rows(User)
        about: dict[str, Any] = {
            "template": "paid",
            "connectionId": to_id("Connection", first),
            "to": "010-1111-2222",
            "userId": to_id("User", user.shard, user.number),
            "event": "purchase",
            "properties": {"product": "꽃신", "order_id": "A 1"},
        }
        told = await api.change("sendTestAlimtalk", SENT, **about, values={"#{주문번호}": "B-2"})
        assert told["content"] == {
            "body": "Kim님, 주문하신 꽃신의 결제가 완료되었습니다.",
            "buttons": [{"linkMobile": "https://shop.example/o/B-2"}],
        }
        assert (told["version"], told["outcome"]["__typename"]) == (1, "SendAccepted")
        [sent] = relay.attempts
        assert (sent.to, sent.variables["이름"]) == ("+821011112222", "Kim")
        assert sent.content["template"] == f"paid-1-{first}"
        assert sent.options["buttons"][0]["link_mobile"] == "https://shop.example/o/B-2"
        problems = {
            "in review": {"version": 2},
            "not registered": {"version": 3},
            "no template": {"template": "none"},
            "no variable": {"values": {"금액": "1"}},
            "no such user": {"userId": to_id("User", 0, 99)},
            "no such connection": {"connectionId": to_id("Connection", 99)},
        }
        for words, more in problems.items():
            told = await api.change("sendTestAlimtalk", SENT, **{**about, **more})
            assert words in told["message"], told
        assert len(relay.attempts) == 1
        # A relay may take what is not approved yet.
        relay.desk_can = replace(relay.desk_can, more={"sends_drafts": True})
        told = await api.change("sendTestAlimtalk", SENT, **about, version=2)
        assert told["version"] == 2


async def test_a_message_tells_of_its_template_and_its_evidence(sqlite_world: World) -> None:
    declaration = {**BY_TERMS, "ground": "event_prize"}
    async with open_relays(sqlite_world) as relays:
        about = {"declaration": declaration}
        await put_template(sqlite_world, "paid", COUPON, COUPON_BINDINGS, relays.by_solapi, **about)
        await sqlite_world.add_journey(reaching(TALK))
        await sign_up(sqlite_world, "kim", coupon={"code": "A1"})
        await relays.settle()
        for row in await sqlite_world.rows(AlimtalkRegistration):
            await change(sqlite_world, AlimtalkRegistration, row.id, is_blocked=True)
        await sign_up(sqlite_world, "lee", coupon={"code": "B2"}, at=NOON + 1)
        sqlite_world.clock.reach(NOON + 1)
        await relays.settle()
    async with open_api(sqlite_world) as api:
        told = await api.ask(MESSAGES)
    edges = told["journeys"]["edges"][0]["node"]["runs"]["edges"]
    found = [visit["message"] for edge in edges for visit in edge["node"]["visits"] if visit["message"]]
    sent, skipped = sorted(found, key=lambda one: str(one["status"]))
    assert (sent["template"], sent["templateVersion"], sent["evidence"]["coupon"]) == ("paid", 1, "A1")
    texts = " ".join(one["text"] for one in sent["explain"])
    assert "made of the template 'paid', in its version 1" in texts
    assert "declared as a notice about coupon, on the ground of event prize" in texts
    assert (skipped["reason"], skipped["templateVersion"]) == ("TEMPLATE_UNAVAILABLE", None)
    assert "no version of its template may be sent" in skipped["explain"][-1]["text"]
