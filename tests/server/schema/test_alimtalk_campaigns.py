"""Campaigns: a template to an audience, as a journey of one step that whatever holds of journeys holds of."""

from typing import Any

import orjson
import pytest

from server.store.tables import Message
from tests.server.delivery.relays import PAID, put_template
from tests.server.schema.api import Api, open_api
from tests.world import DAY, NOON, World

from .test_alimtalk_steps import HOST, connected

pytestmark = pytest.mark.anyio
MADE = "... on SendAlimtalkPayload { journey { id title status } }"
CSV = "phone,#{이름},#{상품},#{주문번호},비고\n010-1234-5678,김철수,코트,77,\n010-9999-0000,이영희,모자,78,\n"


async def ready(api: Api, bindings: dict[str, str] | None = None) -> None:
    world = api.world
    first, _ = await connected(world)
    await put_template(world, "paid", PAID, bindings or {}, first)
    await world.live(world.event("", NOON, user="kim", type="identify", name="김철수", phone="010-1234-5678"))


async def send(api: Api, **more: Any) -> dict[str, Any]:
    given = {"title": "3월 안내", "template": "paid", **more}
    return await api.change("sendAlimtalk", MADE, **given)


async def test_a_file_with_kakaos_variables_becomes_a_campaign_with_its_values(sqlite_world: World) -> None:
    async with open_api(sqlite_world, HOST) as api:
        await ready(api)
        told = "... on UploadUserListPayload { taken created badLines userList { columns } }"
        found = await api.change("uploadUserList", told, name="march", csv=CSV, createUsers=True)
        columns = ["이름", "상품", "주문번호", "비고"]
        assert (found["taken"], found["created"], found["userList"]["columns"]) == (2, 1, columns)
        await sqlite_world.settle()
        answer = await send(api, audience={"list": "march"}, idempotencyKey="k")
        assert answer["journey"]["status"] == "RUNNING", answer
        assert await send(api, audience={"list": "march"}, idempotencyKey="k") == answer
        await sqlite_world.settle()
        lists = (await api.ask("{ userLists(first: 1) { edges { node { preview } } } }"))["userLists"]
        preview = lists["edges"][0]["node"]["preview"]
        assert sorted(one["상품"] for one in preview) == ["모자", "코트"]
        events = [orjson.loads(row.event) for row in await sqlite_world.rows(Message)]
        assert sorted(one["properties"]["row"]["이름"] for one in events) == ["김철수", "이영희"]
        listed = await api.ask(
            "{ alimtalkCampaigns(first: 5) { edges { node { title } } } "
            "journeys(first: 5) { edges { cursor } } }"
        )
        titles = [one["node"]["title"] for one in listed["alimtalkCampaigns"]["edges"]]
        assert (titles, len(listed["journeys"]["edges"])) == (["3월 안내"], 1)


async def test_what_cannot_be_sent_makes_nothing(sqlite_world: World) -> None:
    async with open_api(sqlite_world, HOST) as api:
        await ready(api)
        answer = await send(api, audience={"members": True})
        assert answer["__typename"] == "InputProblem"
        assert "#{상품}" in answer["message"]
        assert (await send(api, audience={}, template="none"))["__typename"] == "NotFoundProblem"
        both = await send(api, audience={"list": "a", "segment": "b"})
        assert both["path"] == ["input", "audience", "list"]
        assert (await send(api, audience={"list": "none"}))["__typename"] == "InputProblem"
        assert (await api.ask("{ journeys(first: 5) { edges { cursor } } }"))["journeys"]["edges"] == []


async def test_one_that_is_planned_is_stopped_before_it_goes(sqlite_world: World) -> None:
    async with open_api(sqlite_world, HOST) as api:
        said = {"이름": "{{ user.name }}", "상품": "코트", "주문번호": "1"}
        await ready(api, said)
        once = {"once": {"date": "2024-03-15", "at": "09:00"}}
        answer = await send(api, audience={"members": True}, when=once)
        await sqlite_world.settle(NOON + DAY // 2)
        assert await sqlite_world.rows(Message) == []
        await api.change("stopJourney", id=answer["journey"]["id"])
        await sqlite_world.settle(NOON + 4 * DAY)
        assert await sqlite_world.rows(Message) == []
        assert answer["journey"]["title"] == "3월 안내"
        await send(api, title="다음", audience={"members": True})
        await sqlite_world.settle(NOON + 4 * DAY)
        assert len(await sqlite_world.rows(Message)) == 1


ESTIMATE = """query($input: EstimateAlimtalkInput!) { estimateAlimtalk(input: $input) {
    __typename ... on Problem { message path }
    ... on AlimtalkEstimate {
        audience recipients leftOut { reason count } sampled withoutValue unfit example
        price { amount currency } cost { amount } fallbackCost { amount } dailyCap lastDay
    } } }"""


async def test_an_estimate_says_to_how_many_and_to_whom_not_and_what_it_costs(sqlite_world: World) -> None:
    world = sqlite_world
    async with open_api(world, HOST) as api:
        await ready(api)
        tell = world.event
        await world.live(
            tell("", NOON, user="lee", type="identify", name="이영희"),
            tell("", NOON, user="park", type="identify", phone="010-7777-0000"),
            tell("view", NOON, anonymous="phone"),
        )
        csv = "user_id,#{이름},#{상품},주문번호\nkim,김철수,코트,77\nlee,이영희,모자,\npark,박민수,컵,\n"
        await api.change("uploadUserList", name="march", csv=csv)
        await world.settle()
        given = {"template": "paid", "audience": {"list": "march"}}
        found = (await api.ask(ESTIMATE, input=given))["estimateAlimtalk"]
        assert (found["audience"], found["recipients"]) == (3, 2), found
        assert found["leftOut"] == [{"reason": "NO_PHONE", "count": 1}]
        assert (found["sampled"], found["withoutValue"], found["unfit"]) == (2, 1, 0)
        assert found["example"] == "김철수님, 주문하신 코트의 결제가 완료되었습니다."
        assert (found["cost"], found["lastDay"]) == (None, "2024-03-13")
        everybody = {"template": "paid", "audience": {"members": True}}
        found = (await api.ask(ESTIMATE, input=everybody))["estimateAlimtalk"]
        assert (found["audience"], found["recipients"]) == (4, 2)
        left = {one["reason"]: one["count"] for one in found["leftOut"]}
        assert left == {"NOT_MEMBER": 1, "NO_PHONE": 1}
        none = {"template": "paid", "audience": {"list": "none"}}
        assert (await api.ask(ESTIMATE, input=none))["estimateAlimtalk"]["path"] == [
            "input",
            "audience",
            "list",
        ]
