"""What is told when a journey is published whose Alimtalk is made of a template of the project."""

from typing import Any

import pytest

from channels import Host
from channels.kakao.sens import SensAlimtalkChannel
from channels.kakao.solapi import SolapiAlimtalkChannel
from server.store.tables import AlimtalkRegistration, SenderProfile
from tests.server.delivery.relays import BINDINGS, COUPON, COUPON_BINDINGS, PAID, change, put_template
from tests.server.schema.api import Api, open_api
from tests.world import World

pytestmark = pytest.mark.anyio
HOST = Host({"solapi_alimtalk": SolapiAlimtalkChannel(), "sens_alimtalk": SensAlimtalkChannel()}, {})

GIVEN_ELSE = {"name": "금액", "value": "1"}


def graph(entries: list[dict[str, Any]] | None = None, **more: Any) -> dict[str, Any]:
    entries = entries or [{"entryEvent": {"key": "in", "event": "buy"}}]
    steps = [*entries, {"alimtalk": {"key": "talk", "template": "paid", **more}}, {"exit": {"key": "out"}}]
    edges = [{"from": next(iter(one.values()))["key"], "to": "talk"} for one in entries]
    return {"steps": steps, "edges": [*edges, {"from": "talk", "to": "out"}]}


async def problems(api: Api, drawn: dict[str, Any]) -> dict[str, tuple[str, str]]:
    """What keeps this from being published: by the last two parts of its path, its code and what is said."""
    made = await api.change(
        "createJourney", "... on CreateJourneyPayload { journey { id } }", title="J", graph=drawn
    )
    answer = await api.change("publishJourney", id=made["journey"]["id"])
    assert answer["__typename"] in ("PublishJourneyPayload", "GraphProblems")
    return {".".join(one["path"][-2:]): (one["code"], one["message"]) for one in answer.get("problems", ())}


async def connected(world: World) -> tuple[int, int]:
    first = await world.add_connection("a", "solapi_alimtalk", channel="kakao")
    return first, await world.add_connection("b", "sens_alimtalk", channel="kakao", preference=200)


async def test_a_step_needs_only_the_key_of_a_template_that_may_be_sent(sqlite_world: World) -> None:
    async with open_api(sqlite_world, HOST) as api:
        _, second = await connected(sqlite_world)
        await put_template(sqlite_world, "paid", PAID, BINDINGS, second)
        assert await problems(api, graph()) == {}
        # SENS wants the whole text, and the template has it.
        assert await problems(api, graph(connection="b")) == {}
        assert await problems(api, graph(template="KA01PF0001TP", connection="a")) == {}
        [(_, message)] = (await problems(api, graph(template="of SENS", connection="b"))).values()
        assert "needs `text`" in message
        own = [{"name": "#{이름}", "value": "{{ user.nick }}"}]
        assert await problems(api, graph(variables=own)) == {}


async def test_what_does_not_fit_the_template_is_named(sqlite_world: World) -> None:
    async with open_api(sqlite_world, HOST) as api:
        first, _ = await connected(sqlite_world)
        await put_template(sqlite_world, "paid", PAID, {"이름": "{{ user.name }}"}, first)
        variables = [{"name": "금액", "value": "1"}, {"name": "상품", "value": " "}]
        about = {"text": "다른 말", "messageTitle": "제목", "options": {"header": "x"}}
        found = await problems(api, graph(variables=variables, purpose="ADVERTISEMENT", **about))
    said = {path.rpartition(".")[2]: told for path, told in found.items()}
    assert said["text"][0] == said["messageTitle"][0] == said["options"][0] == "INVALID"
    assert "brand message" in said["purpose"][1]
    assert said["value"][0] == "UNKNOWN_VARIABLE"
    assert "'금액'" in said["value"][1]
    assert "이름, 상품, 주문번호" in said["value"][1]
    assert said["variables"][0] == "MISSING"
    assert "#{주문번호}" in said["variables"][1]


STANDINGS = [
    ({"inspection": "draft"}, "is a draft: ask for its review"),
    ({"inspection": "in_review"}, "is in review"),
    ({"inspection": "rejected"}, "was rejected: read the comments"),
    ({"operation": "stopped"}, "is stopped"),
    ({"is_dormant": True}, "is dormant"),
    ({"is_blocked": True}, "is blocked by KakaoTalk"),
]


async def test_a_template_that_nobody_may_send_is_told_with_its_standing_everywhere(
    sqlite_world: World,
) -> None:
    async with open_api(sqlite_world, HOST) as api:
        first, _ = await connected(sqlite_world)
        await put_template(sqlite_world, "paid", PAID, BINDINGS, first)
        [registration] = await sqlite_world.rows(AlimtalkRegistration)
        for standing, words in STANDINGS:
            as_was = {"inspection": "approved", "operation": "ready", "is_dormant": False}
            await change(sqlite_world, AlimtalkRegistration, registration.id, **{**as_was, **standing})
            [(code, message)] = (await problems(api, graph())).values()
            assert code == "TEMPLATE_NOT_SENDABLE"
            assert words in message
            assert "at 'b' it is not registered" in message
        await change(sqlite_world, AlimtalkRegistration, registration.id, is_blocked=False)
        async with sqlite_world.db.write() as session:
            about = {"project_id": sqlite_world.project_id, "created_at": 0, "changed_at": 0}
            profile = SenderProfile(connection_id=first, search_id="@a", state="blocked", **about)
            session.add(profile)
        [(_, message)] = (await problems(api, graph())).values()
        assert "sender profile may not send" in message
        # A step that names its connection is told of that one alone.
        [(_, message)] = (await problems(api, graph(connection="b"))).values()
        assert "'a'" not in message


async def test_a_coupon_is_declared_and_brought_along_by_every_entry(sqlite_world: World) -> None:
    async with open_api(sqlite_world, HOST) as api:
        first, _ = await connected(sqlite_world)
        await put_template(sqlite_world, "paid", COUPON, COUPON_BINDINGS, first)
        entries = [
            {"entryEvent": {"key": "in", "event": "Coupon Issued"}},
            {"entryEvent": {"key": "other", "event": "sign_up"}},
        ]
        found = await problems(api, graph(entries[:1]))
        assert [code for code, _ in found.values()] == ["DECLARATION"]
        incomplete = {"kind": "coupon", "ground": "event_prize", "company": "소전몰"}
        await put_template(
            sqlite_world, "paid", COUPON, COUPON_BINDINGS, first, number=2, declaration=incomplete
        )
        [(code, message)] = (await problems(api, graph(entries[:1]))).values()
        assert (code, "issue_condition" in message) == ("DECLARATION", True)
        whole = {**incomplete, "issue_condition": "회원가입"}
        await put_template(sqlite_world, "paid", COUPON, COUPON_BINDINGS, first, number=3, declaration=whole)
        assert await problems(api, graph(entries[:1])) == {}
        [(code, message)] = (await problems(api, graph(entries))).values()
        assert (code, "'other'" in message) == ("UNBOUND", True)


async def test_what_goes_out_in_its_place_is_looked_at_like_itself(sqlite_world: World) -> None:
    async with open_api(sqlite_world, HOST) as api:
        first, _ = await connected(sqlite_world)
        await sqlite_world.add_connection("texts", channel="sms")
        await put_template(
            sqlite_world, "paid", PAID, BINDINGS, first, declaration={"kind": "authentication"}
        )
        [(code, message)] = (await problems(api, graph(fallback={"channel": "sms", "text": "1"}))).values()
        assert (code, "somebody else" in message) == ("INVALID", True)
        answered_for = {"channel": "sms", "text": "1", "mustArrive": True}
        assert await problems(api, graph(fallback=answered_for)) == {}
        await put_template(sqlite_world, "paid", PAID, BINDINGS, first, number=2)
        coupon = {"channel": "sms", "text": "{{ coupon.code }}"}
        told = await problems(api, graph(fallback=coupon))
        assert {code for code, _ in told.values()} <= {"DECLARATION", "UNBOUND"}
        assert told


async def test_a_step_that_means_the_relays_own_code_is_published_again_once_it_is_adopted(
    sqlite_world: World,
) -> None:
    async with open_api(sqlite_world, HOST) as api:
        _, second = await connected(sqlite_world)
        await put_template(sqlite_world, "W1", PAID, {}, second, code="W1")
        assert await problems(api, graph(template="W1", connection="b", text="{{ user.name }}님")) == {}
        given = [{"name": name, "value": "1"} for name in BINDINGS]
        assert await problems(api, graph(template="W1", connection="a", variables=given)) == {}
        found = await problems(api, graph(template="W1", connection="b", variables=[*given, GIVEN_ELSE]))
        assert [code for code, _ in found.values()] == ["UNKNOWN_VARIABLE"]
