"""Events move runs."""

import pytest

from tests.world import DAY, HOUR, MINUTE, NOON, World, abandoned_cart

pytestmark = pytest.mark.anyio


async def test_a_run_walks_from_entry_over_a_wait_to_its_end(world: World) -> None:
    await world.add_connection()
    await world.add_journey(abandoned_cart())
    await world.live(world.event("add_to_cart", NOON, user="kim"))
    [run] = await world.runs()
    assert (run.step_key, run.wake_at) == ("hour", NOON + HOUR)
    await world.settle(NOON + HOUR)
    [run] = await world.runs()
    assert await world.path(run.id) == [
        ("cart", "next"),
        ("hour", "next"),
        ("bought", "otherwise"),
        ("mail", "next"),
        ("done", "completed"),
    ]
    assert run.ended_at == NOON + HOUR


async def test_a_purchase_before_the_wait_ends_takes_the_other_branch_and_counts(
    world: World,
) -> None:
    await world.add_connection()
    await world.add_journey(abandoned_cart())
    await world.live(
        world.event("add_to_cart", NOON, user="kim"),
        world.event("purchase", NOON + 5 * MINUTE, user="kim"),
        until=NOON + DAY,
    )
    [run] = await world.runs()
    assert (await world.path(run.id))[2:] == [("bought", "yes"), ("done", "completed")]
    assert await world.total("reached") == 1
    assert await world.total("queued") == 0


async def test_the_same_message_id_counts_once_however_often_it_comes(world: World) -> None:
    await world.add_connection()
    await world.add_journey(abandoned_cart())
    cart = world.event("add_to_cart", NOON, user="kim", message_id="one")
    bought = world.event("purchase", NOON + MINUTE, user="kim", message_id="two")
    await world.live(cart, cart, bought, bought)
    await world.live(cart, bought, until=NOON + DAY)
    assert (await world.total("entries"), await world.total("hits")) == (1, 1)


async def test_a_purchase_after_leaving_counts_within_the_window_and_not_beyond(world: World) -> None:
    await world.add_connection()
    await world.add_journey(abandoned_cart())
    await world.live(
        world.event("add_to_cart", NOON, user="kim"),
        world.event("purchase", NOON + HOUR + 7 * DAY, user="kim"),
        world.event("purchase", NOON + HOUR + 7 * DAY + 1, user="kim"),
    )
    assert (await world.total("reached"), await world.total("hits")) == (1, 1)


async def test_nobody_is_inside_twice_but_may_come_back(world: World) -> None:
    await world.add_connection()
    await world.add_journey(abandoned_cart())
    await world.live(
        world.event("add_to_cart", NOON, user="kim"),
        world.event("add_to_cart", NOON + MINUTE, user="kim"),
        world.event("add_to_cart", NOON + 2 * HOUR, user="kim"),
    )
    assert await world.total("entries") == 2
    assert await world.counts("refused", "reason") == {"already_inside": 1}


async def test_a_goal_that_ends_the_journey_ends_the_run_at_once(world: World) -> None:
    await world.add_connection()
    goals = [{"key": "bought", "event": "purchase", "ends_journey": True, "amount_property": "total"}]
    await world.add_journey(abandoned_cart(goals=goals))
    await world.live(
        world.event("add_to_cart", NOON, user="kim"),
        world.event("purchase", NOON + MINUTE, user="kim", total=19900.5),
    )
    [run] = await world.runs()
    assert (run.end_reason, run.ended_at) == ("goal", NOON + MINUTE)
    assert await world.counts("ended", "step_key", "reason") == {("hour", "goal"): 1}
