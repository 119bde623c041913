"""Days that lie in a window in part: who did something then is asked, and nobody is taken for granted."""

from typing import Any

import pytest

from server.segments import reading, sets
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
