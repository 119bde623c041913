"""Several workers: each shard is worked by one at a time, and what an old holder writes is refused."""

import pytest

from server.engine import leases
from server.engine.leases import LostLease
from server.engine.loop import Engine
from tests.world import NOON, World, abandoned_cart

pytestmark = pytest.mark.anyio


def another_engine(world: World) -> Engine:
    return Engine(world.db, world.clock, world.shards, strict=True)


async def test_two_workers_share_the_shards_and_together_do_everything(world: World) -> None:
    await world.add_connection()
    await world.add_journey(abandoned_cart())
    first, second = world.engine, another_engine(world)
    await first.take_shards()
    for _ in range(2):
        await second.take_shards()
        await first.take_shards()
    held = {*first.mine, *second.mine}
    assert held == set(range(world.shards))
    assert not set(first.mine) & set(second.mine)
    await world.send(*(world.event("add_to_cart", NOON + n, user=f"user-{n}") for n in range(30)))
    while await first.work_once() or await second.work_once():
        pass
    assert await world.total("entries") == 30


async def test_a_worker_that_lost_its_lease_writes_nothing(world: World) -> None:
    await world.add_connection()
    await world.add_journey(abandoned_cart())
    await world.engine.take_shards()
    async with world.db.write() as session:
        await leases.forget(session)
    thief = another_engine(world)
    await thief.take_shards()
    await world.send(world.event("add_to_cart", NOON, user="kim"))
    while await world.engine.work_once():
        pass
    assert await world.total("entries") == 0
    await thief.until_idle()
    assert await world.total("entries") == 1


async def test_the_token_goes_up_with_every_new_holder_and_only_then(world: World) -> None:
    async with world.db.write() as session:
        first = await leases.acquire(session, "engine", 0, "one")
        again = await leases.acquire(session, "engine", 0, "one")
        refused = await leases.acquire(session, "engine", 0, "two")
        await leases.release(session, "engine", "one")
        second = await leases.acquire(session, "engine", 0, "two")
    assert (first, again, refused, second) == (1, 1, None, 2)
    async with world.db.write() as session:
        with pytest.raises(LostLease):
            await leases.prove(session, "engine", 0, 1)


async def test_a_change_of_a_journey_in_the_middle_of_a_batch_is_seen_before_anything_is_written(
    world: World,
) -> None:
    await world.add_connection()
    journey_id = await world.add_journey(abandoned_cart())
    await world.engine.take_shards()
    await world.engine.work_once()
    await world.set_status(journey_id, "paused")
    await world.live(world.event("add_to_cart", NOON, user="kim"))
    assert await world.total("entries") == 0
    assert await world.counts("refused", "reason") == {"paused": 1}
