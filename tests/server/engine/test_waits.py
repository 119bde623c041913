"""Waiting for a trigger: it takes effect at once, in whatever order it reaches us."""

from typing import Any

import pytest

from server.aggregates import recount
from server.store.tables import Run, Visit
from tests.world import DAY, HOUR, MINUTE, NOON, World, step

from .flows import fan

pytestmark = pytest.mark.anyio

ENTRY = step("cart", "entry_event", event="add_to_cart")


def waiting(*branches: dict[str, Any], longest: int = 7 * DAY, **more: Any) -> dict[str, Any]:
    outputs = [branch["output"] for branch in branches]
    wait = step("wait", "wait", longest_ms=longest, branches=list(branches))
    wait.update(more.pop("config", {}))
    return fan(ENTRY, wait, *outputs, "not_triggered", **more)


def branch(output: str, *events: str, **more: Any) -> dict[str, Any]:
    return {"output": output, "events": [{"event": event} for event in events], **more}


async def ways(world: World) -> list[tuple[str, int]]:
    """By which output each run left the wait, and how long it was there."""
    visits = await world.rows(Visit, "run_id", "seq")
    return [
        (visit.output or visit.end_reason, visit.left_at - visit.arrived_at)
        for visit in visits
        if visit.step_key == "wait"
    ]


async def agrees(world: World) -> None:
    async with world.db.read() as session:
        assert await recount.differences(session) == []


async def test_what_is_waited_for_takes_effect_at_once(world: World) -> None:
    await world.add_journey(waiting(branch("bought", "purchase")))
    await world.live(world.event("add_to_cart", NOON, user="kim"))
    await world.live(world.event("purchase", NOON + HOUR, user="kim"))
    assert await ways(world) == [("bought", HOUR)]
    (run,) = await world.rows(Run)
    assert run.end_reason == "completed"
    assert run.ended_at == NOON + HOUR
    await agrees(world)


async def test_if_nothing_of_it_happens_the_run_leaves_when_the_time_is_over(world: World) -> None:
    await world.add_journey(waiting(branch("bought", "purchase")))
    await world.live(world.event("add_to_cart", NOON, user="kim"), until=NOON + 8 * DAY)
    assert await ways(world) == [("not_triggered", 7 * DAY)]
    await agrees(world)


async def test_what_came_before_the_arrival_or_fails_the_condition_opens_nothing(world: World) -> None:
    graph = waiting(
        {
            "output": "bought",
            "events": [
                {"event": "purchase", "where": [{"name": "total", "operator": "at_least", "value": 10}]}
            ],
        }
    )
    await world.add_journey(graph)
    await world.live(world.event("purchase", NOON - 1, user="kim", total=50))
    await world.live(world.event("add_to_cart", NOON, user="kim"))
    await world.live(world.event("purchase", NOON, user="kim", total=50))
    await world.live(world.event("purchase", NOON + HOUR, user="kim", total=9))
    assert await ways(world) == []
    await world.live(world.event("purchase", NOON + 2 * HOUR, user="kim", total=10))
    assert await ways(world) == [("bought", 2 * HOUR)]


async def test_a_branch_of_all_events_opens_with_the_last_of_them_whatever_their_order(world: World) -> None:
    await world.add_journey(waiting(branch("both", "view", "review", match="all")))
    await world.live(
        world.event("add_to_cart", NOON, user="kim"),
        world.event("review", NOON + MINUTE, user="kim"),
        world.event("review", NOON + 2 * MINUTE, user="kim"),
    )
    assert await ways(world) == []
    await world.live(world.event("view", NOON + HOUR, user="kim"))
    assert await ways(world) == [("both", HOUR)]


async def test_with_always_full_everybody_waits_and_takes_the_branch_that_was_complete_first(
    world: World,
) -> None:
    graph = waiting(
        branch("viewed", "view"), branch("bought", "purchase"), longest=DAY, config={"always_full": True}
    )
    await world.add_journey(graph)
    await world.live(
        world.event("add_to_cart", NOON, user="kim"),
        world.event("purchase", NOON + HOUR, user="kim"),
        world.event("view", NOON + 2 * HOUR, user="kim"),
    )
    assert await ways(world) == []
    await world.settle(NOON + DAY)
    assert await ways(world) == [("bought", DAY)]


async def test_during_a_pause_it_moves_nobody_and_takes_effect_with_the_resumption(world: World) -> None:
    journey = await world.add_journey(waiting(branch("bought", "purchase")))
    await world.live(world.event("add_to_cart", NOON, user="kim"))
    await world.settle(NOON + HOUR)
    await world.pause(journey)
    await world.live(world.event("purchase", NOON + 2 * HOUR, user="kim"))
    await world.settle(NOON + 3 * HOUR)
    assert await ways(world) == []
    await world.resume(journey)
    assert await ways(world) == [("bought", 3 * HOUR)]
    await agrees(world)


async def test_a_cancel_event_ends_the_run_in_the_middle_of_a_wait_and_says_which_it_was(
    world: World,
) -> None:
    graph = waiting(
        branch("bought", "purchase"),
        longest=30 * DAY,
        cancel_events=[
            {"event": "unfollow", "where": [{"name": "why", "operator": "not_equals", "value": "error"}]}
        ],
    )
    await world.add_journey(graph)
    await world.live(world.event("add_to_cart", NOON, user="kim"))
    await world.live(world.event("unfollow", NOON + MINUTE, user="kim", why="error"))
    assert await ways(world) == []
    await world.live(world.event("unfollow", NOON + HOUR, user="kim", why="bored"))
    assert await ways(world) == [("cancel_event", HOUR)]
    (visit,) = [one for one in await world.rows(Visit) if one.step_key == "wait"]
    assert visit.because == "unfollow"
    await agrees(world)
