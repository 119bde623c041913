"""What the engine knows of journeys is read anew when it has changed, and only as far as it may have."""

import pytest

from tests.world import NOON, World, abandoned_cart, statements

pytestmark = pytest.mark.anyio


async def test_a_published_graph_is_read_once_however_often_something_changes(world: World) -> None:
    first = await world.add_journey(abandoned_cart())
    await world.settle(NOON)
    with statements(world.db) as seen:
        await world.pause(first)
        await world.settle()
        await world.resume(first)
        await world.settle()
    assert [one for one in seen if "FROM version" in one]
    assert not [one for one in seen if "version.graph" in one]


async def test_a_graph_that_is_new_is_read_beside_those_that_are_known(world: World) -> None:
    await world.add_journey(abandoned_cart())
    await world.live(world.event("add_to_cart", NOON, user="kim"))
    await world.add_journey(abandoned_cart())
    await world.live(world.event("add_to_cart", NOON + 1, user="lee"))
    assert len(await world.runs()) == 3
