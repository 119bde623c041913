"""The list of a journey's runs: found by any identity and by how they stand, in pages."""

from typing import Any

import pytest
from sqlalchemy import text

from server.schema.ids import to_id
from server.store import runs
from server.store.paging import Page
from server.store.runs import EVERY_STATE, Wanted
from server.store.tables import Message
from tests.server.schema.api import Api, hear
from tests.world import DAY, HOUR, NOON, World, abandoned_cart, saying, statements, step

pytestmark = pytest.mark.anyio

RUNS = """query($id: ID!, $filter: RunFilter, $first: Int, $after: String, $last: Int, $before: String) {
  journey(id: $id) {
    runs(filter: $filter, first: $first, after: $after, last: $last, before: $before) {
      edges { cursor node {
        mark endReason endedBecauseOf enteredAt endedAt lastStep { key }
        user { userId identities { kind value } }
      } }
      pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    }
  }
}"""


async def listed(api: Api, journey_id: int, *, page: dict[str, Any] | None = None, **filter: Any) -> Any:
    answer = await api.ask(RUNS, id=to_id("Journey", journey_id), filter=filter, **(page or {}))
    return answer["journey"]["runs"]


async def who(api: Api, journey_id: int, **filter: Any) -> list[str]:
    edges = (await listed(api, journey_id, **filter))["edges"]
    return sorted(edge["node"]["user"]["userId"] for edge in edges)


async def lived(api: Api) -> int:
    """One waits, one finished, one bought, one emptied the cart, one could not be written to."""
    world = api.world
    await world.add_connection()
    graph = abandoned_cart(cancel_events=[{"event": "cart_emptied"}])
    graph["goals"][0]["ends_journey"] = True
    graph["steps"][3] = saying("email", "mail", connection="mail", if_not_sent="end")
    journey_id = await world.add_journey(graph)
    for name in ("done", "buys", "empties", "waits"):
        address = {"email": f"{name}@example.com", "phone": "010-1234-5678" if name == "buys" else None}
        await world.live(world.event("", NOON, user=name, type="identify", **address))
    await world.live(world.event("", NOON, user="drops", type="identify"))
    for n, name in enumerate(("done", "buys", "empties", "drops")):
        await world.live(world.event("add_to_cart", NOON + n, user=name, anonymous=f"device {name}"))
    await world.live(world.event("purchase", NOON + HOUR // 2, user="buys"))
    await world.live(world.event("cart_emptied", NOON + HOUR // 2, user="empties"), until=NOON + 2 * HOUR)
    done, _ = await world.rows(Message, "created_at", "id")
    await hear(world, done.id, ("accepted", NOON + 2 * HOUR, {}))
    await world.live(world.event("add_to_cart", NOON + 2 * HOUR, user="waits"))
    return journey_id


async def test_runs_are_found_by_whatever_leads_to_the_person(api: Api) -> None:
    journey_id = await lived(api)
    for search in ("buys", "device buys", "buys@example.com", "010-1234-5678", "+821012345678"):
        assert await who(api, journey_id, search=search) == ["buys"]
    assert await who(api, journey_id, search="nobody") == []
    assert await who(api, journey_id, identity={"anonymousId": "device buys"}) == ["buys"]
    assert await who(api, journey_id, identity={"userId": "buys"}, search="done") == []
    assert await who(api, journey_id, search="done", state="INSIDE") == []


async def test_runs_are_found_by_how_they_stand(api: Api) -> None:
    journey_id = await lived(api)
    marks = {
        "IN_PROGRESS": ["waits"],
        "FINISHED": ["done"],
        "LEFT_EARLY": ["buys", "empties"],
        "DROPPED_OFF": ["drops"],
        "TAKEN_OUT": [],
    }
    for mark, names in marks.items():
        assert await who(api, journey_id, marks=[mark]) == names
    assert await who(api, journey_id, marks=["IN_PROGRESS", "DROPPED_OFF"]) == ["drops", "waits"]
    assert await who(api, journey_id, marks=[]) == []
    assert await who(api, journey_id, endReasons=["CANCEL_EVENT"]) == ["empties"]
    assert await who(api, journey_id, marks=["FINISHED"], endReasons=["GOAL"]) == []
    assert await who(api, journey_id, state="ENDED") == ["buys", "done", "drops", "empties"]
    assert await who(api, journey_id, lastSteps=["hour"]) == ["buys", "empties", "waits"]
    assert await who(api, journey_id, lastSteps=["hour"], marks=["IN_PROGRESS"]) == ["waits"]
    assert await who(api, journey_id, version=1, marks=["FINISHED"]) == ["done"]
    assert await who(api, journey_id, version=2) == []


async def test_runs_are_found_by_when_they_entered_and_ended(api: Api) -> None:
    journey_id = await lived(api)
    assert await who(api, journey_id, enteredFrom="2024-03-13T12:00:00Z") == ["waits"]
    assert len(await who(api, journey_id, enteredUntil="2024-03-13T12:00:00Z")) == 4
    assert await who(api, journey_id, endedUntil="2024-03-13T12:00:00Z") == ["buys", "empties"]
    assert await who(api, journey_id, endedFrom="2024-03-13T12:00:00Z") == ["done", "drops"]
    error = await api.error(
        RUNS, id=to_id("Journey", journey_id), filter={"enteredFrom": "2024-03-13T12:00:00"}
    )
    assert "zone" in error["message"]


async def test_a_run_shows_whose_it_is_and_where_and_by_what_it_ended(api: Api) -> None:
    journey_id = await lived(api)
    [edge] = (await listed(api, journey_id, search="empties"))["edges"]
    run = edge["node"]
    assert run["user"]["identities"] == [
        {"kind": "USER_ID", "value": "empties"},
        {"kind": "ANONYMOUS_ID", "value": "device empties"},
    ]
    assert (run["mark"], run["endReason"], run["endedBecauseOf"]) == (
        "LEFT_EARLY",
        "CANCEL_EVENT",
        "cart_emptied",
    )
    assert (run["lastStep"]["key"], run["endedAt"]) == ("hour", "2024-03-13T11:30:00+00:00")


@pytest.mark.parametrize("filter", [{}, {"marks": ["FINISHED", "LEFT_EARLY", "DROPPED_OFF", "IN_PROGRESS"]}])
async def test_pages_go_both_ways_and_say_what_follows(api: Api, filter: dict[str, Any]) -> None:
    journey_id = await lived(api)
    names = [edge["node"]["user"]["userId"] for edge in (await listed(api, journey_id, **filter))["edges"]]
    assert names == ["waits", "drops", "empties", "buys", "done"]
    seen: list[str] = []
    after = None
    while True:
        found = await listed(api, journey_id, page={"first": 2, "after": after}, **filter)
        seen += [edge["node"]["user"]["userId"] for edge in found["edges"]]
        if not found["pageInfo"]["hasNextPage"]:
            break
        after = found["pageInfo"]["endCursor"]
    assert seen == names
    back = await listed(api, journey_id, page={"last": 2, "before": after}, **filter)
    assert [edge["node"]["user"]["userId"] for edge in back["edges"]] == names[1:3]
    assert (back["pageInfo"]["hasPreviousPage"], back["pageInfo"]["hasNextPage"]) == (True, True)
    last = await listed(api, journey_id, page={"last": 2}, **filter)
    assert [edge["node"]["user"]["userId"] for edge in last["edges"]] == names[-2:]


async def test_a_run_of_somebody_who_turned_out_to_be_another_shows_the_other(api: Api) -> None:
    world = api.world
    graph = {
        "steps": [step("cart", "entry_event", event="add_to_cart"), step("done", "exit")],
        "edges": [{"from": "cart", "output": "next", "to": "done"}],
    }
    journey_id = await world.add_journey(graph)
    await world.live(world.event("add_to_cart", NOON, anonymous="phone"))
    await world.live(world.event("", NOON + 1, user="kim", type="identify"))
    await world.live(world.event("", NOON + DAY, user="kim", anonymous="phone", type="identify"))
    assert await who(api, journey_id) == ["kim"]
    assert await who(api, journey_id, search="phone") == ["kim"]
    assert await who(api, journey_id, identity={"userId": "kim"}) == ["kim"]


async def test_as_many_statements_for_four_runs_as_for_one(api: Api) -> None:
    journey_id = await lived(api)
    counts = []
    for first in (1, 4):
        with api.statements() as seen:
            found = await listed(api, journey_id, page={"first": first}, state="ENDED")
        assert len(found["edges"]) == first
        counts.append(len([one for one in seen if "SELECT" in one]))
    assert counts[0] == counts[1]


@pytest.mark.parametrize(
    ("wanted", "index"),
    [
        (Wanted(), "run_by_journey"),
        (Wanted(ends=(None,)), "run_inside"),
        (Wanted(ends=("send_error",)), "run_ended"),
        (Wanted(ends=("send_error",), last_steps=("mail",)), "COVERING INDEX run_ended"),
        (Wanted(ends=("goal",), ended=(NOON, NOON + DAY)), "COVERING INDEX run_ended"),
        (Wanted(ends=tuple(EVERY_STATE - {None}), version=2), "COVERING INDEX run_ended"),
        (Wanted(users=((0, 7),)), "run_by_user"),
    ],
)
async def test_every_list_is_read_along_an_index_of_its_own(
    sqlite_world: World, wanted: Wanted, index: str
) -> None:
    world = sqlite_world
    await world.live(world.event("x", NOON, user="kim"))
    with statements(world.db) as seen:
        async with world.db.read() as session:
            await runs.page(session, world.project_id, 1, wanted, Page(20))
    asked = [text(f"EXPLAIN QUERY PLAN {one.replace('?', '1')}") for one in seen if "SELECT" in one]
    assert len(asked) == (len(wanted.ends) if wanted.ends else 1)
    for one in asked:
        async with world.db.read() as session:
            plan = " ".join(row[3] for row in await session.rows(one))
        assert index in plan
        assert "SCAN" not in plan
        assert "TEMP B-TREE" not in plan or wanted.users
