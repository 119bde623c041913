"""People are taken out of journeys by their ids."""

from typing import Any

import pytest

from server.aggregates import recount
from server.schema.ids import to_id
from tests.server.schema.api import Api
from tests.server.schema.test_changes import start
from tests.world import HOUR, MINUTE, NOON

pytestmark = pytest.mark.anyio

COUNTS = """... on RemoveFromJourneysPayload { people runs unknownUserIds unknownAnonymousIds }"""


async def remove(api: Api, **input: Any) -> dict[str, Any]:
    done = await api.change("removeFromJourneys", COUNTS, **input)
    await api.world.settle()
    return done


async def test_their_runs_end_and_who_is_unknown_is_told(api: Api) -> None:
    world, journey_id = api.world, await start(api)
    await world.live(*(world.event("add_to_cart", NOON, user=name) for name in ("kim", "lee", "park")))
    await world.live(world.event("add_to_cart", NOON, anonymous="phone"))
    done = await remove(api, userIds=["kim", "lee", "nobody"], anonymousIds=["phone", "tablet"])
    assert {name: done[name] for name in done if name != "__typename"} == {
        "people": 3,
        "runs": 3,
        "unknownUserIds": ["nobody"],
        "unknownAnonymousIds": ["tablet"],
    }
    assert sorted(run.end_reason or "" for run in await world.runs()) == ["", *["removed"] * 3]
    assert await world.counts("ended", "reason") == {"removed": 3}
    await world.live(world.event("add_to_cart", NOON + MINUTE, user="kim"))
    assert sum(run.wake_at is not None for run in await world.runs()) == 2
    async with world.db.read() as session:
        assert await recount.differences(session) == []
    assert journey_id


async def test_only_out_of_the_journeys_that_are_named(api: Api) -> None:
    world, first, second = api.world, await start(api), None
    world_second = await api.change("cloneJourney", "... on CloneJourneyPayload { journey { id } }", id=first)
    second = world_second["journey"]["id"]
    await api.change("publishJourney", id=second)
    await api.change("startJourney", id=second)
    await world.live(world.event("add_to_cart", NOON, user="kim"))
    done = await remove(api, userIds=["kim"], journeyIds=[second])
    assert (done["people"], done["runs"]) == (1, 1)
    assert [run.end_reason for run in sorted(await world.runs(), key=lambda run: run.journey_id)] == [
        None,
        "removed",
    ]


async def test_whoever_turned_out_to_be_another_is_found_under_both(api: Api) -> None:
    world, _ = api.world, await start(api)
    await world.live(world.event("view", NOON, user="kim"))
    await world.live(world.event("add_to_cart", NOON, anonymous="phone"))
    await world.live(world.event("view", NOON + MINUTE, user="kim", anonymous="phone"))
    done = await remove(api, anonymousIds=["phone"], userIds=["kim"])
    assert (done["people"], done["runs"]) == (1, 1)
    assert {run.end_reason for run in await world.runs()} == {"removed"}


async def test_a_merge_on_its_way_is_followed(api: Api) -> None:
    """The removal finds the nameless user; before the engine comes to it, the user is another's."""
    world, _ = api.world, await start(api)
    await world.live(world.event("view", NOON, user="kim"))
    await world.live(world.event("add_to_cart", NOON, anonymous="phone"))
    await world.send(world.event("view", NOON + MINUTE, user="kim", anonymous="phone"))
    await remove(api, anonymousIds=["phone"])
    await world.settle(NOON + 2 * HOUR)
    assert {run.end_reason for run in await world.runs()} == {"removed"}


@pytest.mark.parametrize(
    ("input", "path"),
    [
        ({}, ["input", "userIds"]),
        ({"userIds": [""]}, ["input", "userIds"]),
        ({"userIds": [f"user {n}" for n in range(1001)]}, ["input", "userIds"]),
        ({"userIds": ["kim"], "journeyIds": ["nonsense"]}, ["input", "journeyIds"]),
        ({"userIds": ["kim"], "journeyIds": [to_id("Journey", 1)] * 1001}, ["input", "journeyIds"]),
    ],
)
async def test_what_cannot_be_is_refused(small_api: Api, input: dict[str, Any], path: list[str]) -> None:
    refused = await small_api.change("removeFromJourneys", **input)
    assert refused["path"] == path
