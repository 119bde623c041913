"""Lists come in pages, forwards and backwards, and nothing is shown twice or left out."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.errors import BadInput
from server.schema.ids import key_in, read_id, to_id
from server.store.tables import Journey
from tests.server.schema.api import Api
from tests.world import DAY, HOUR, NOON, abandoned_cart

LIST = """query($filter: JourneyFilter, $orderBy: JourneyOrder, $first: Int, $after: String, $last: Int,
                $before: String) {
  journeys(filter: $filter, orderBy: $orderBy, first: $first, after: $after, last: $last, before: $before) {
    edges { cursor node { title } }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  } }"""


async def listed(api: Api, **variables: Any) -> tuple[list[str], dict[str, Any]]:
    found = (await api.ask(LIST, **variables))["journeys"]
    return [edge["node"]["title"] for edge in found["edges"]], found["pageInfo"]


async def add(api: Api, *titles: str, **more: Any) -> None:
    for title in titles:
        await api.change("createJourney", title=title, **more)


@pytest.mark.anyio
async def test_pages_forwards_and_backwards_show_everything_once(api: Api) -> None:
    await add(api, *"abcde")
    order = {"by": "TITLE", "direction": "ASCENDING"}
    seen, cursor, more = [], None, True
    while more:
        titles, info = await listed(api, orderBy=order, first=2, after=cursor)
        assert info["hasPreviousPage"] is (cursor is not None)
        seen.append(titles)
        cursor, more = info["endCursor"], info["hasNextPage"]
    assert seen == [["a", "b"], ["c", "d"], ["e"]]
    titles, info = await listed(api, orderBy=order, last=2)
    assert (titles, info["hasPreviousPage"], info["hasNextPage"]) == (["d", "e"], True, False)
    titles, info = await listed(api, orderBy=order, last=2, before=info["startCursor"])
    assert (titles, info["hasPreviousPage"], info["hasNextPage"]) == (["b", "c"], True, True)


@pytest.mark.anyio
async def test_a_cursor_keeps_its_place_while_journeys_come_in_before_it(api: Api) -> None:
    await add(api, "a", "b")
    titles, info = await listed(api, first=1)
    await add(api, "c", "d")
    assert (titles, (await listed(api, first=9, after=info["endCursor"]))[0]) == (["b"], ["a"])


@pytest.mark.anyio
async def test_filters_go_together(api: Api) -> None:
    await add(api, "Winter Sale", "Summer sale", category="Shop")
    await add(api, "Sale 100%", "Hello")
    titles, _ = await listed(api, filter={"text": "SALE"})
    assert sorted(titles) == [
        "Sale 100%",
        "Summer sale",
        "Winter Sale",
    ]
    assert (await listed(api, filter={"text": "0%"}))[0] == ["Sale 100%"]
    assert (await listed(api, filter={"text": "winter", "category": "Shop"}))[0] == ["Winter Sale"]
    assert (await listed(api, filter={"status": ["RUNNING", "PAUSED"]}))[0] == []
    assert len((await listed(api, filter={"status": ["DRAFT"]}))[0]) == 4
    assert sorted((await listed(api, filter={"category": [""]}))[0]) == ["Hello", "Sale 100%"]
    assert len((await listed(api, filter={"category": ["", "Shop"], "text": "sale"}))[0]) == 3


@pytest.mark.anyio
async def test_a_list_of_ids_is_those_and_no_others(api: Api) -> None:
    await add(api, "a", "b", "c")
    ids = [to_id("Journey", one.id) for one in await api.world.rows(Journey, "id")]
    assert sorted((await listed(api, filter={"ids": ids[:2]}))[0]) == ["a", "b"]
    assert (await listed(api, filter={"ids": ids, "text": "c"}))[0] == ["c"]
    assert (await listed(api, filter={"ids": []}))[0] == []


@pytest.mark.anyio
@pytest.mark.parametrize("text", ["Über", "ÜBER", "über"])
async def test_a_text_is_found_whatever_its_case_in_any_alphabet(api: Api, text: str) -> None:
    await add(api, "Über uns")
    assert (await listed(api, filter={"text": text}))[0] == ["Über uns"]


@pytest.mark.anyio
@pytest.mark.parametrize(
    "asked",
    [
        {"first": 0},
        {"first": 101},
        {"last": -1},
        {"first": 1, "last": 1},
        {"first": 1, "before": "abc"},
        {"first": 1, "after": "nonsense"},
        {"first": 1, "after": "WzEsMl0"},
    ],
)
async def test_a_page_that_cannot_be_is_refused(small_api: Api, asked: dict[str, Any]) -> None:
    assert (await small_api.error(LIST, **asked))["extensions"]["code"] == "BAD_USER_INPUT"


@pytest.mark.anyio
async def test_a_cursor_of_one_order_is_refused_by_another(small_api: Api) -> None:
    await add(small_api, "a", "b")
    _, info = await listed(small_api, first=1)
    error = await small_api.error(LIST, first=1, after=info["endCursor"], orderBy={"by": "TITLE"})
    assert "another order" in error["message"]


@pytest.mark.anyio
async def test_runs_come_in_pages_and_can_be_filtered(api: Api) -> None:
    world = api.world
    await world.add_connection()
    journey_id = await world.add_journey(abandoned_cart())
    await world.live(*(world.event("add_to_cart", NOON + n, user=f"user {n}") for n in range(5)))
    await world.live(until=NOON + HOUR + 1)
    await world.live(world.event("add_to_cart", NOON + 2 * HOUR, user="late"))
    text = """query($id: ID!, $filter: RunFilter, $first: Int, $after: String, $last: Int) {
      journey(id: $id) {
        runs(filter: $filter, first: $first, after: $after, last: $last) {
            edges { node { id state user { userId } version { number } } }
            pageInfo { endCursor hasNextPage } } } }"""

    async def page(**asked: Any) -> tuple[list[str], dict[str, Any]]:
        found = (await api.ask(text, id=to_id("Journey", journey_id), **asked))["journey"]["runs"]
        return [edge["node"]["user"]["userId"] for edge in found["edges"]], found["pageInfo"]

    first, info = await page(first=4)
    rest, _ = await page(first=4, after=info["endCursor"])
    assert first + rest == ["late", "user 4", "user 3", "user 2", "user 1", "user 0"]
    assert (await page(last=2))[0] == ["user 1", "user 0"]
    assert (await page(filter={"state": "ENDED"}))[0][:2] == ["user 4", "user 3"]
    assert (await page(filter={"endReasons": ["GOAL"]}))[0] == []
    assert len((await page(filter={"state": "INSIDE", "version": 1}))[0]) == 1
    await world.settle(NOON + DAY)
    assert (await page(filter={"state": "INSIDE"}))[0] == []


@given(st.integers(0, 2**63 - 1), st.integers(0, 2**63 - 1))
def test_an_id_leads_back_to_its_key(one: int, other: int) -> None:
    assert key_in(to_id("Run", one), "Run") == (one,)
    assert key_in(to_id("Message", one, other), "Message") == (one, other)


@given(st.text(max_size=60))
@settings(max_examples=300)
def test_whatever_is_not_an_id_is_refused_in_words(text: str) -> None:
    try:
        found = read_id(text)
    except BadInput:
        return
    assert to_id(found.kind, *found.key) == text
