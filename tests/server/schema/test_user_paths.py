"""The way of one person: every run, on the version it travelled, with what became of each message."""

from typing import Any

import orjson
import pytest

from server.schema.ids import to_id
from server.store import setup
from server.store.tables import Journey, Message, Version
from tests.server.schema.api import Api, hear
from tests.world import DAY, HOUR, MINUTE, NOON, abandoned_cart

pytestmark = pytest.mark.anyio

PATHS = """query($id: ID!, $identity: IdentityInput!) { journey(id: $id) { userPaths(identity: $identity) {
  __typename
  ... on UnknownIdentity { message }
  ... on NeverEntered { user { userId } }
  ... on UserPaths {
    user { userId attributes identities { kind value } endpoints { channel address state isCurrent } }
    runs {
      id state isPaused endReason endedBecauseOf editedSince enteredAt endedAt waitingUntil
      version { number } lastStep { key } eventName eventProperties
      conversions { goalKey occurredAt amount }
      visits { step { key title } arrivedAt leftAt output because endReason message {
        id channel status reason address
        engagements { kind count firstAt lastAt byActor { actor count } }
        receipts { kind occurredAt actor }
      } }
    }
  }
} } }"""


async def paths(api: Api, journey_id: int, **identity: str) -> dict[str, Any]:
    answer = await api.ask(PATHS, id=to_id("Journey", journey_id), identity=identity)
    return dict(answer["journey"]["userPaths"])


async def lived(api: Api) -> int:
    world = api.world
    await world.add_connection()
    goals = [{"key": "bought", "event": "purchase", "amount_property": "total", "ends_journey": True}]
    journey_id = await world.add_journey(abandoned_cart(goals=goals))
    await world.live(
        world.event("", NOON, user="kim", type="identify", email="kim@example.com", plan="gold"),
        world.event("add_to_cart", NOON + 1, user="kim", anonymous="phone", sku="shoe"),
        until=NOON + 2 * HOUR,
    )
    await world.live(world.event("add_to_cart", NOON + 3 * HOUR, user="kim"))
    return journey_id


async def test_a_path_shows_every_run_with_every_step_and_where_it_waits(api: Api) -> None:
    found = await paths(api, await lived(api), userId="kim")
    assert found["user"]["attributes"] == {"email": "kim@example.com", "plan": "gold"}
    assert {one["value"] for one in found["user"]["identities"]} == {"kim", "phone"}
    assert found["user"]["endpoints"] == [
        {"channel": "EMAIL", "address": "kim@example.com", "state": "USABLE", "isCurrent": True}
    ]
    first, second = found["runs"]
    assert [(visit["step"]["key"], visit["output"]) for visit in first["visits"]] == [
        ("cart", "next"),
        ("hour", "next"),
        ("bought", "otherwise"),
        ("mail", "next"),
        ("done", None),
    ]
    assert (first["state"], first["endReason"], first["lastStep"]["key"]) == ("ENDED", "COMPLETED", "done")
    assert first["eventProperties"] == {"sku": "shoe"}
    assert first["visits"][3]["message"]["status"] == "QUEUED"
    assert [visit["step"]["key"] for visit in second["visits"]] == ["cart", "hour"]
    assert (second["state"], second["waitingUntil"]) == ("INSIDE", "2024-03-13T15:00:00+00:00")
    assert second["visits"][1]["leftAt"] is None


async def test_a_run_that_a_goal_ended_names_the_goal_and_its_worth(api: Api) -> None:
    journey_id = await lived(api)
    await api.world.live(api.world.event("purchase", NOON + 3 * HOUR + MINUTE, user="kim", total=5))
    second = (await paths(api, journey_id, userId="kim"))["runs"][1]
    assert (second["endReason"], second["endedBecauseOf"]) == ("GOAL", "bought")
    assert second["conversions"] == [
        {"goalKey": "bought", "occurredAt": "2024-03-13T14:01:00+00:00", "amount": "5"}
    ]


async def test_every_identity_leads_to_the_same_person(api: Api) -> None:
    journey_id = await lived(api)
    wanted = await paths(api, journey_id, userId="kim")
    assert await paths(api, journey_id, anonymousId="phone") == wanted
    assert await paths(api, journey_id, email="kim@example.com") == wanted


async def test_nobody_and_somebody_who_never_came_are_two_answers(api: Api) -> None:
    journey_id = await lived(api)
    await api.world.live(api.world.event("", NOON, user="lee", type="identify"))
    assert (await paths(api, journey_id, userId="nobody"))["__typename"] == "UnknownIdentity"
    assert await paths(api, journey_id, userId="lee") == {
        "__typename": "NeverEntered",
        "user": {"userId": "lee"},
    }


@pytest.mark.parametrize("goals", [[], [{"key": "bought", "event": "purchase"}]])
async def test_a_path_has_the_runs_of_everybody_who_turned_out_to_be_the_person(
    api: Api, goals: list[dict[str, str]]
) -> None:
    """With goals to come runs move to the person; without, they stay under the number that they had."""
    world = api.world
    await world.add_connection()
    journey_id = await world.add_journey(abandoned_cart(goals=goals))
    for n in range(6):
        at = NOON + n * 3 * HOUR
        await world.live(world.event("add_to_cart", at, anonymous=f"device {n}"), until=at + 2 * HOUR)
    await world.live(world.event("", NOON + DAY, user="kim", type="identify"))
    for n in range(6):
        at = NOON + DAY + n
        await world.live(world.event("", at, user="kim", anonymous=f"device {n}", type="identify"))
    found = await paths(api, journey_id, userId="kim")
    assert [run["endReason"] for run in found["runs"]] == ["COMPLETED"] * 6
    assert all(len(run["visits"]) == 5 for run in found["runs"])
    text = "query($i: IdentityInput!) { user(identity: $i) { userId runs { edges { node { id } } } } }"
    user = (await api.ask(text, i={"anonymousId": "device 3"}))["user"]
    assert (user["userId"], len(user["runs"]["edges"])) == ("kim", 6)


async def test_a_run_that_moved_to_another_shard_keeps_its_visits(api: Api) -> None:
    world = api.world
    await world.add_connection()
    journey_id = await world.add_journey(abandoned_cart())
    devices = [f"device {n}" for n in range(5)]
    for n, device in enumerate(devices):
        await world.live(world.event("", NOON, user=f"user {n}", type="identify"))
        await world.live(world.event("add_to_cart", NOON + 1, anonymous=device))
        await world.live(world.event("", NOON + 2, user=f"user {n}", anonymous=device, type="identify"))
    await world.settle(NOON + 2 * HOUR)
    for n in range(5):
        [run] = (await paths(api, journey_id, userId=f"user {n}"))["runs"]
        assert [visit["step"]["key"] for visit in run["visits"]] == ["cart", "hour", "bought", "mail", "done"]
        assert run["visits"][3]["message"]["reason"] == "NO_ADDRESS"


async def test_a_message_tells_who_did_it_by_all_hits_and_each_receipt_by_itself(api: Api) -> None:
    await lived(api)
    [message] = await api.world.rows(Message)
    at = NOON + 2 * HOUR
    urls = [f"https://shop.example/{n}" for n in range(3)]
    burst = [("clicked", at + n, {"actor": "human", "url": url}) for n, url in enumerate(urls)]
    later = ("clicked", at + HOUR, {"actor": "human", "url": urls[0]})
    trap = ("trapped", at + 2, {"actor": "machine", "actor_why": "honeypot"})
    await hear(api.world, message.id, ("accepted", at, {}), *burst, later)
    asked = """query($id: ID!) { node(id: $id) { ... on Message {
      engagements { kind count byActor { actor count why } } receipts { kind actor }
    } } }"""
    node_id = to_id("Message", message.shard, message.id)
    shown = (await api.ask(asked, id=node_id))["node"]
    assert shown["engagements"][0]["byActor"] == [
        {"actor": "HUMAN", "count": 1, "why": None},
        {"actor": "MACHINE", "count": 3, "why": "burst"},
    ]
    assert [one["actor"] for one in shown["receipts"]] == [None, *["HUMAN"] * 4]
    await hear(api.world, message.id, trap)
    shown = (await api.ask(asked, id=node_id))["node"]
    [clicked] = shown["engagements"]
    assert (clicked["kind"], clicked["count"]) == ("CLICKED", 4)
    assert clicked["byActor"][1] == {"actor": "MACHINE", "count": 3, "why": "honeypot"}
    assert "TRAPPED" in [one["kind"] for one in shown["receipts"]]


async def test_a_message_tells_all_that_was_heard_and_who_did_it(api: Api) -> None:
    journey_id = await lived(api)
    [message] = await api.world.rows(Message)
    at = NOON + 2 * HOUR
    await hear(
        api.world,
        message.id,
        ("accepted", at, {}),
        ("clicked", at + 1000, {"actor": "human"}),
        ("clicked", at + 2000, {"actor": "machine"}),
    )
    shown = (await paths(api, journey_id, userId="kim"))["runs"][0]["visits"][3]["message"]
    assert (shown["status"], shown["reason"]) == ("ACCEPTED", None)
    [clicked] = shown["engagements"]
    assert (clicked["kind"], clicked["count"]) == ("CLICKED", 2)
    assert clicked["byActor"] == [
        {"actor": "HUMAN", "count": 1},
        {"actor": "MACHINE", "count": 1},
    ]
    assert [one["kind"] for one in shown["receipts"]] == ["ACCEPTED", "CLICKED", "CLICKED"]
    node = "query($id: ID!) { node(id: $id) { __typename id ... on Message { status } } }"
    assert (await api.ask(node, id=shown["id"]))["node"] == {
        "__typename": "Message",
        "id": shown["id"],
        "status": "ACCEPTED",
    }


async def test_a_run_is_drawn_on_the_version_that_it_travelled(api: Api) -> None:
    journey_id = await lived(api)
    graph = abandoned_cart()
    graph["steps"][1]["title"] = "An hour, renamed"
    async with api.world.db.write() as session:
        session.add(
            Version(journey_id=journey_id, number=2, graph=orjson.dumps(graph).decode(), published_at=NOON)
        )
        journey = await session.get(Journey, journey_id)
        journey.version = 2
        await setup.touch_catalog(session)
    [first, _] = (await paths(api, journey_id, userId="kim"))["runs"]
    assert (first["version"]["number"], first["editedSince"]) == (1, True)
    assert first["visits"][1]["step"]["title"] == "One hour"


async def test_ten_runs_take_as_many_statements_as_one(api: Api) -> None:
    world = api.world
    await world.add_connection()
    journey_id = await world.add_journey(abandoned_cart())
    counts = []
    for n in range(4):
        at = NOON + n * 3 * HOUR
        await world.live(world.event("add_to_cart", at, user="kim"), until=at + 2 * HOUR)
        with api.statements() as seen:
            found = await paths(api, journey_id, userId="kim")
        assert len(found["runs"]) == n + 1
        counts.append(len([statement for statement in seen if "SELECT" in statement]))
    assert len(set(counts)) == 1
