"""What operators have to be told: once for each cause, listed, and put away."""

from typing import Any

import pytest

from server.schema.ids import to_id
from server.store import notices, vouchers
from server.store.notices import Told
from tests.server.schema.api import Api
from tests.world import HOUR, NOON, abandoned_cart

pytestmark = pytest.mark.anyio

LIST = """query($filter: NoticeFilter, $first: Int, $after: String) {
    notices(filter: $filter, first: $first, after: $after) {
        edges { cursor node {
            id kind text at seenAt journey { title } connection { name } voucherPool { name left } } }
        pageInfo { hasNextPage } } }"""


async def tell(api: Api, *told: Told) -> int:
    async with api.world.db.write() as session:
        return await notices.tell(session, told)


def low(api: Api, cause: str, at: int = NOON, **more: Any) -> Told:
    return Told(api.world.project_id, "vouchers_low", cause, f"Because of {cause}.", at, **more)


async def listed(api: Api, **variables: Any) -> list[dict[str, Any]]:
    found = (await api.ask(LIST, **variables))["notices"]
    return [edge["node"] for edge in found["edges"]]


async def test_of_one_cause_is_told_once(api: Api) -> None:
    assert await tell(api, low(api, "a"), low(api, "b")) == 2
    assert await tell(api, low(api, "b", NOON + HOUR), low(api, "c")) == 1
    assert await tell(api) == 0
    assert sorted(one["text"] for one in await listed(api)) == [f"Because of {cause}." for cause in "abc"]


async def test_a_notice_says_what_it_is_about(api: Api) -> None:
    journey_id = await api.world.add_journey(abandoned_cart(), title="Cart")
    connection_id = await api.world.add_connection("mail")
    told = low(api, "a", journey_id=journey_id, connection_id=connection_id)
    await tell(api, told, low(api, "b"), Told(api.world.project_id, "of_tomorrow", "c", "New.", NOON))
    kinds = {one["text"]: one for one in await listed(api)}
    about = kinds["Because of a."]
    assert (about["kind"], about["seenAt"]) == ("VOUCHERS_LOW", None)
    assert (about["journey"], about["connection"]) == ({"title": "Cart"}, {"name": "mail"})
    assert kinds["New."]["kind"] == "OTHER"
    of_it = await listed(api, filter={"journeyId": to_id("Journey", journey_id)})
    assert [one["text"] for one in of_it] == ["Because of a."]


async def test_the_latest_comes_first_and_pages_follow(api: Api) -> None:
    await tell(api, *(low(api, str(number), NOON + number) for number in range(3)))
    found = (await api.ask(LIST, first=2))["notices"]
    assert [edge["node"]["text"] for edge in found["edges"]] == ["Because of 2.", "Because of 1."]
    assert found["pageInfo"] == {"hasNextPage": True}
    rest = await listed(api, first=2, after=found["edges"][-1]["cursor"])
    assert [one["text"] for one in rest] == ["Because of 0."]


async def test_what_was_seen_is_put_away(api: Api) -> None:
    await tell(api, low(api, "a"), low(api, "b", NOON + 1))
    latest = (await listed(api))[0]
    for _ in range(2):
        answer = await api.change(
            "dismissNotice", "... on DismissNoticePayload { notice { seenAt } }", id=latest["id"]
        )
        assert answer["notice"]["seenAt"] is not None
    assert [one["text"] for one in await listed(api, filter={"seen": False})] == ["Because of a."]
    assert [one["text"] for one in await listed(api, filter={"seen": True})] == ["Because of b."]
    refused = await api.change("dismissNotice", id=to_id("Journey", 1))
    assert refused["__typename"] == "NotFoundProblem"


async def test_how_many_wait_is_counted_by_kind(api: Api) -> None:
    await tell(api, low(api, "a"), low(api, "b"))
    async with api.world.db.read() as session:
        assert await notices.unseen(session) == {"vouchers_low": 2}


async def test_notices_take_the_same_statements_however_many(api: Api) -> None:
    journey_id = await api.world.add_journey(abandoned_cart())
    counts = []
    for number in (1, 4):
        async with api.world.db.write() as session:
            pool_id = await vouchers.create(session, api.world.project_id, f"pool {number}", 0, NOON)
        about: dict[str, Any] = {"journey_id": journey_id, "pool_id": pool_id}
        await tell(api, *(low(api, f"{number}-{n}", **about) for n in range(number)))
        with api.statements() as seen:
            await listed(api)
        counts.append(len(seen))
    assert counts[0] == counts[1]
