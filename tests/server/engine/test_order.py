"""Time and order: what arrived before a timer was due comes before it, however much has piled up."""

from collections.abc import Iterator

import pytest

from server.engine import shard as shards
from server.store.ids import shard_of
from tests.world import DAY, HOUR, MINUTE, NOON, World, abandoned_cart

from .divided import divided_world, without_complaint

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    with without_complaint():
        yield


async def test_a_timer_waits_for_what_arrived_before_it_was_due(
    sqlite_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = sqlite_world
    monkeypatch.setattr(shards, "MOST_ROWS", 2)
    await world.add_connection()
    await world.add_journey(abandoned_cart())
    await world.live(world.event("add_to_cart", NOON, user="kim"))
    others = [world.event("view", NOON + MINUTE, user=f"user {n}") for n in range(5)]
    await world.send(*others, world.event("purchase", NOON + 30 * MINUTE, user="kim"))
    # The engine comes back after two hours and finds more than one batch.
    await world.settle(NOON + 2 * HOUR)
    [run] = await world.runs()
    assert ("bought", "yes") in await world.path(run.id)


async def test_a_pause_and_its_end_in_one_backlog_shift_the_wait_before_anything_that_came_later(
    sqlite_world: World,
) -> None:
    world = sqlite_world
    await world.add_connection()
    journey = await world.add_journey(abandoned_cart())
    await world.live(world.event("add_to_cart", NOON, user="kim"))
    world.clock.reach(NOON + 10 * MINUTE)
    await world.command("pause", journey_id=journey)
    world.clock.reach(NOON + 30 * MINUTE)
    await world.command("resume", journey_id=journey, shift_ms=20 * MINUTE)
    await world.live(
        world.event("add_to_cart", NOON + 40 * MINUTE, user="lee"),
        world.event("purchase", NOON + 70 * MINUTE, user="kim"),
    )
    by_wait = {run.entered_at: run for run in await world.runs()}
    assert by_wait[NOON].wake_at == NOON + 80 * MINUTE
    assert by_wait[NOON + 40 * MINUTE].wake_at == NOON + 100 * MINUTE
    await world.settle(NOON + 2 * HOUR)
    assert ("bought", "yes") in await world.path(by_wait[NOON].id)


@pytest.mark.parametrize("at_once", [True, False])
async def test_what_happens_at_the_very_instant_of_a_decision_comes_after_it(
    sqlite_world: World, at_once: bool
) -> None:
    world = sqlite_world
    await world.add_connection()
    await world.add_journey(abandoned_cart(goals=[]))
    await world.live(world.event("add_to_cart", NOON, user="kim"))
    if not at_once:
        await world.settle(NOON + HOUR)
    await world.live(world.event("purchase", NOON + HOUR, user="kim"))
    [run] = await world.runs()
    assert ("bought", "otherwise") in await world.path(run.id)


async def test_a_goal_in_the_batch_in_which_a_run_moves_counts_for_it(
    sqlite_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = sqlite_world
    await world.add_connection()
    await world.add_journey(abandoned_cart())
    await world.live(
        world.event("", NOON, user="kim", type="identify"),
        world.event("add_to_cart", NOON, anonymous="phone"),
    )
    await world.send(
        world.event("", NOON + MINUTE, user="kim", anonymous="phone", type="identify"),
        world.event("view", NOON + MINUTE, user="kim"),
        world.event("purchase", NOON + 2 * MINUTE, user="kim"),
    )
    # The first turn sees only that the two are one; the run then arrives behind the purchase. Batches
    # grow again from one row to two, so that the two come together.
    with monkeypatch.context() as patch:
        patch.setattr(shards, "MOST_ROWS", 1)
        await world.engine.work_once()
    await world.settle(NOON + 2 * HOUR)
    [run] = await world.runs()
    assert await world.total("reached") == 1
    assert ("bought", "yes") in await world.path(run.id)


async def test_a_shard_whose_clock_is_ahead_does_not_wake_the_runs_of_one_that_is_behind(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(shards, "MOST_ROWS", 2)
    async with divided_world(4) as world:
        await world.add_connection()
        await world.add_journey(abandoned_cart())
        names = [f"user {n}" for n in range(100)]
        behind = [name for name in names if shard_of(world.project_id, name, 4) == 0][:12]
        ahead = next(name for name in names if shard_of(world.project_id, name, 4) == 1)
        carts = [world.event("add_to_cart", NOON, user=name) for name in behind]
        views = [world.event("view", NOON + 2 * MINUTE, user=name) for name in behind]
        bought = [world.event("purchase", NOON + 30 * MINUTE, user=name) for name in behind]
        last = world.event("view", NOON + 30 * DAY, user=ahead)
        # History is replayed today: when it arrived says nothing of when it happened.
        today = NOON + 1000 * DAY
        await world.live(*(one._replace(received_at=today) for one in (*carts, *views, *bought, last)))
        runs = await world.runs()
        assert len(runs) == 12
        for run in runs:
            assert ("bought", "yes") in await world.path(run.id)
