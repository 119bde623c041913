"""Days that lie in a window in part: who did something then is asked, and nobody is taken for granted."""

from typing import Any

import pytest

from server.aggregates import attribute_recount
from server.segments import asking, reading, sets
from server.store.tables import AttributeSet
from tests.world import DAY, HOUR, NOON, World

pytestmark = pytest.mark.anyio


async def numbers(world: World, conditions: Any, at: int) -> set[int]:
    async with world.db.read() as session:
        asked, problems = await reading.read(session, world.project_id, conditions)
        assert problems == []
        about = (session, world.project_id, world.shards, asked.question, asked.lists, at)
        return {number for users in (await sets.members(*about)).values() for number in users}


async def test_first_and_last_times_beside_the_middle_of_a_day(world: World) -> None:
    if world.shards > 1:
        pytest.skip("numbers tell people apart in one shard")
    order, at = world.event, NOON + 2 * DAY
    # On the first day before the window begins, and in it: the first time is before.
    await world.live(order("order", NOON - HOUR, user="both"), order("order", NOON + DAY, user="both"))
    await world.live(order("order", NOON + DAY, user="inside"))
    await world.live(order("order", NOON + DAY, user="later"), order("order", at + HOUR, user="later"))
    window = {"within_ms": 2 * DAY}
    first = {"did": {"event": "order", "which": "first", "window": window}}
    assert await numbers(world, first, at) == {1, 2}
    assert await numbers(world, {"not": first}, at) == {0}
    # As of a moment in the middle of a day: what came an hour later does not exist.
    early = {"did": {"event": "order", "which": "last", "window": {"before_ms": HOUR}}}
    assert await numbers(world, early, at) == {0, 1, 2}
    assert await numbers(world, early, at + HOUR) == {0, 1}


LARGE = {
    "twenty": 1e20,
    "2^63": 2.0**63,
    "2^64": 2.0**64,
    "least": -(2.0**63),
    "less": -(2.0**64),
    "whole": 3.0,
}


@pytest.mark.parametrize("value", [*LARGE.values(), 2**63, 2**64 - 1, 3])
async def test_numbers_that_no_integer_holds_are_asked_for_as_they_are(world: World, value: float) -> None:
    traits = [world.event("", NOON, user=name, type="identify", big=big) for name, big in LARGE.items()]
    await world.live(*traits)
    async with world.db.read() as session:
        assert await attribute_recount.differences(session) == []
    for operator in ("equals", "not_equals"):
        asked = {"attribute": {"name": "big", "operator": operator, "value": value}}
        assert await numbers(world, asked, NOON + DAY) == await one_by_one(world, asked, NOON + DAY)
    # The first start after an upgrade finds just these in the users.
    before = {(row.name, row.value) for row in await world.rows(AttributeSet)}
    async with world.db.write() as session:
        await attribute_recount.rebuild(session)
    assert {(row.name, row.value) for row in await world.rows(AttributeSet)} == before


async def one_by_one(world: World, conditions: Any, at: int) -> set[int]:
    found: set[int] = set()
    async with world.db.read() as session:
        asked, _ = await reading.read(session, world.project_id, conditions)
        for shard in range(world.shards):
            async for rows in asking.pages(session, world.project_id, shard):
                found |= set(await asking.meeting(session, world.project_id, shard, rows, asked, at))
    return found


async def test_what_somebody_spent_is_told_in_the_own_currency(world: World) -> None:
    """0 buys in one, 1 mostly in won, 2 mostly in dollars, 3 as often in each; 4 gets gifts; 5 nothing."""
    if world.shards > 1:
        pytest.skip("numbers tell people apart in one shard")
    bought = ((0, "KRW", 30), (0, "KRW", 30), (1, "KRW", 30), (1, "KRW", 30), (1, "USD", 70))
    bought += ((2, "USD", 1), (2, "USD", 1), (2, "KRW", 70), (3, "KRW", 60), (3, "USD", 70), (4, "JPY", 0))
    await world.live(*(world.event("", NOON, user=f"u{n}", type="identify") for n in range(6)))
    for at, (who, currency, total) in enumerate(bought):
        about = {"order_id": str(at), "currency": currency, "total": total}
        await world.live(world.event("Order Completed", NOON + at, user=f"u{who}", **about))

    async def spent(**asked: Any) -> list[int]:
        return sorted(await numbers(world, {"spent": asked}, NOON + DAY))

    assert await spent(at_least=50) == [0, 1, 3]
    assert await spent(at_least=60, at_most=60) == [0, 1, 3]
    assert await spent(at_most=50) == [2, 4, 5]
    assert await spent(of="average", at_most=50) == [0, 1, 2, 4]
    assert await spent(at_least=50, currency="USD") == [1, 3]
    assert await spent(at_least=50, window={"within_ms": DAY - 5}) == [2, 3]
