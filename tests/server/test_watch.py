"""Who is told that figures may have changed, and when."""

import asyncio
from collections.abc import Collection
from typing import Any

import pytest
from structlog.testing import capture_logs

from server import watch as watching
from server.store import movements, setup
from server.store.movements import JourneyKey
from server.watch import Follower, Watch
from tests.waiting import until
from tests.world import DAY, HOUR, MINUTE, NOON, World, reaching

pytestmark = pytest.mark.anyio
ZONE = "Asia/Seoul"


@pytest.fixture
async def watch(world: World) -> Watch:
    return Watch(world.db, world.clock, world.shards, look=0.01, least=0)


async def is_stirred(follower: Follower) -> bool:
    """Whether a whole look has noticed something."""
    seen = follower.looks
    await until(lambda: follower.looks >= seen + 2)
    stirred = follower.stirred.is_set()
    follower.stirred.clear()
    return stirred


async def test_what_is_counted_for_a_journey_stirs_those_who_follow_it(world: World, watch: Watch) -> None:
    mine, other = [await world.add_journey(reaching(event=name)) for name in ("sign_up", "purchase")]
    async with (
        watch.following(world.project_id, mine, ZONE) as one,
        watch.following(world.project_id, other, ZONE) as two,
    ):
        assert not await is_stirred(one)
        await world.live(*(world.event("sign_up", NOON, user=f"u{n}") for n in range(9)))
        assert (await is_stirred(one), await is_stirred(two)) == (True, False)
        await world.live(world.event("nothing", NOON, user="u1"))
        assert (await is_stirred(one), await is_stirred(two)) == (False, False)


async def test_what_is_published_or_connected_stirs_everybody(world: World, watch: Watch) -> None:
    async with watch.following(world.project_id, 1, ZONE) as follower:
        async with world.db.write() as session:
            await setup.touch_catalog(session)
        assert await is_stirred(follower)


async def test_an_hour_that_is_over_stirs_though_nothing_was_written(world: World, watch: Watch) -> None:
    """Hours begin where the zone begins them; days, and with them `today`, are whole numbers of hours."""
    async with (
        watch.following(world.project_id, 1, ZONE) as seoul,
        watch.following(world.project_id, 1, "Asia/Kathmandu") as kathmandu,
    ):
        world.clock.reach(NOON + 15 * MINUTE)
        assert (await is_stirred(seoul), await is_stirred(kathmandu)) == (False, True)
        world.clock.reach(NOON + HOUR)
        assert (await is_stirred(seoul), await is_stirred(kathmandu)) == (True, False)


async def test_nobody_looks_while_nobody_follows(world: World, watch: Watch) -> None:
    before = asyncio.all_tasks()
    async with watch.following(world.project_id, 1, ZONE) as follower:
        await is_stirred(follower)
    assert asyncio.all_tasks() == before
    async with watch.following(world.project_id, 1, ZONE) as follower:
        world.clock.reach(NOON + DAY)
        assert await is_stirred(follower)


async def test_a_nudge_has_it_look_at_once(world: World) -> None:
    watch = Watch(world.db, world.clock, world.shards, look=3600, least=0)
    async with watch.following(world.project_id, 1, ZONE) as follower:
        await until(lambda: follower.looks >= 2)
        world.clock.reach(NOON + DAY)
        watch.nudge()
        await follower.moved()


async def test_a_database_that_is_away_for_a_moment_is_waited_for(
    world: World, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "RETRY_SECONDS", 0.01)
    known, away = movements.of_journeys, [True]

    async def of_journeys(session: Any, shards: int, keys: Collection[JourneyKey]) -> movements.Movements:
        if away:
            raise OSError("away")
        return await known(session, shards, keys)

    async with watch.following(world.project_id, 1, ZONE) as follower:
        with capture_logs() as logs:
            monkeypatch.setattr(movements, "of_journeys", of_journeys)
            await until(lambda: bool(logs))
        away.clear()
        world.clock.reach(NOON + DAY)
        assert await is_stirred(follower)
