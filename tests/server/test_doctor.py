"""What the doctor says of a database that is well, and of one that is not."""

from typing import Any

import pytest
from sqlalchemy import delete, update

from server.doctor import examine
from server.store.bulk import table_of
from server.store.tables import Journey, Message, Run
from tests.world import DAY, HOUR, MINUTE, NOON, World, abandoned_cart

pytestmark = pytest.mark.anyio


async def lived(world: World) -> int:
    """One run that is over, with a message, and one that waits."""
    await world.add_connection()
    journey_id = await world.add_journey(abandoned_cart())
    await world.live(world.event("", NOON, user="kim", type="identify", email="kim@example.com"))
    await world.live(world.event("add_to_cart", NOON, user="kim"), until=NOON + 2 * HOUR)
    await world.live(world.event("add_to_cart", NOON + 2 * HOUR, user="lee"))
    return journey_id


async def wrong(world: World, **more: Any) -> dict[str, str]:
    findings = await examine(world.db, world.clock.now(), **more)
    return {finding.about.partition(":")[2].strip(): finding.wrong for finding in findings if finding.wrong}


async def change(world: World, statement: Any) -> None:
    async with world.db.write() as session:
        await session.run(statement)


async def test_what_is_well_is_well(world: World) -> None:
    journey_id = await lived(world)
    assert await wrong(world) == {}
    await world.set_status(journey_id, "paused")
    await world.command("pause", journey_id=journey_id)
    assert await wrong(world) == {}
    await world.settle(NOON + DAY)
    assert await wrong(world) == {}


async def test_runs_without_a_future_are_found(world: World) -> None:
    journey_id = await lived(world)
    runs, journeys = table_of(Run), table_of(Journey)
    await change(world, update(journeys).values(status="finished"))
    assert "journey 1" in (await wrong(world))["none is open in a journey that is over"]
    await change(world, update(journeys).values(status="paused"))
    assert list(await wrong(world)) == [
        "none is held while its journey goes on, or goes on while it is paused"
    ]
    await change(world, update(journeys).values(status="running"))
    await change(world, update(runs).where(runs.c.wake_at.is_not(None)).values(step_key="gone"))
    found = await wrong(world)
    assert "which version 1 does not have" in found["each waits at a step of its version"]
    assert str(journey_id) in found["each waits at a step of its version"]


async def test_a_wait_that_has_been_over_for_long_is_found(sqlite_world: World) -> None:
    world = sqlite_world
    await lived(world)
    world.clock.reach(NOON + 3 * HOUR + 20 * MINUTE)
    assert list(await wrong(world)) == ["no wait has been over for long"]
    assert await wrong(world, overdue=HOUR) == {}


async def test_a_journey_that_did_not_start_and_one_that_is_not_over_are_found(sqlite_world: World) -> None:
    world = sqlite_world
    await lived(world)
    journeys = table_of(Journey)
    await change(world, update(journeys).values(status="scheduled", starts_at=NOON))
    assert (await wrong(world))["each has begun or ended when it should"] == "journey 1 is still scheduled"
    await change(world, update(journeys).values(status="running", ends_at=NOON))
    assert await wrong(world) == {}, "somebody is inside"
    await world.settle(NOON + DAY)
    await change(world, update(journeys).values(status="running", ends_at=NOON))
    assert (await wrong(world))["each has begun or ended when it should"] == "journey 1 is still running"


async def test_messages_without_a_run_are_found(world: World) -> None:
    await lived(world)
    [message] = await world.rows(Message)
    await change(world, delete(table_of(Run)).where(table_of(Run).c.id == message.run_id))
    assert (await wrong(world))["each belongs to a run and a journey"] == "1 of no run or no journey"


async def test_orders_whose_amount_cannot_be_read_are_named_for_a_week(sqlite_world: World) -> None:
    world = sqlite_world
    for n, total in enumerate(("a lot", 5, None)):
        about = {} if total is None else {"total": total}
        await world.live(world.event("Order Completed", NOON, user="kim", order_id=f"order {n}", **about))
    assert await wrong(world) == {
        "every amount can be read": "1 in the last week without one that can be read, such as 'order 0'"
    }
    await world.settle(NOON + 8 * DAY)
    assert await wrong(world) == {}
