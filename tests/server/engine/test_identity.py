"""Whose event is it? Users are found, named and merged, whichever shard they live in."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from server.engine.people import ANONYMOUS_ID, USER_ID
from server.store.tables import Endpoint, Event, Identity, Run, User, Visit
from tests.databases import Databases
from tests.world import DAY, HOUR, MINUTE, NOON, World, abandoned_cart, open_world

from .divided import divided_world, without_complaint

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    with without_complaint():
        yield


@pytest.fixture(params=["1 shard", "4 shards", pytest.param("postgres", marks=pytest.mark.postgres)])
async def town(request: pytest.FixtureRequest) -> AsyncIterator[World]:
    """A world with the abandoned cart in it: on SQLite with one shard and with four, and on PostgreSQL."""
    if request.param == "postgres":
        databases: Databases = request.getfixturevalue("postgres_databases")
        name = await databases.take()
        async with open_world(databases.url_of(name)) as world:
            await world.add_connection()
            yield world
        await databases.give_back(name)
        return
    async with divided_world(int(request.param.split()[0])) as world:
        await world.add_connection()
        yield world


async def users(world: World) -> list[Any]:
    """Those who were not merged into somebody else."""
    return [user for user in await world.rows(User, "created_at") if user.merged_into is None]


async def home_of(world: World, kind: str, value: str) -> tuple[int, int]:
    """Where an identity leads in the end: a shard, and a user's number there."""
    rows = [row for row in await world.rows(Identity) if (row.kind, row.value) == (kind, value)]
    [row] = [row for row in rows if row.shard == row.home]
    assert {row.home for row in rows} == {row.shard}
    return row.shard, row.number


async def test_a_visitor_who_signs_up_keeps_the_run(town: World) -> None:
    await town.add_journey(abandoned_cart())
    await town.live(town.event("add_to_cart", NOON, anonymous="device"))
    await town.live(town.event("", NOON + MINUTE, user="kim", anonymous="device", type="identify"))
    await town.live(town.event("purchase", NOON + 2 * MINUTE, user="kim"))
    await town.settle(NOON + DAY)
    [user] = await users(town)
    assert user.user_id == "kim"
    assert await home_of(town, USER_ID, "kim") == await home_of(town, ANONYMOUS_ID, "device")
    [run] = await town.runs()
    assert (await town.path(run.id))[2:] == [("bought", "yes"), ("done", "completed")]
    assert (await town.total("entries"), await town.total("reached")) == (1, 1)


async def test_a_known_user_on_a_new_device_takes_its_run_over(town: World) -> None:
    await town.add_journey(abandoned_cart())
    await town.live(town.event("", NOON, user="kim", type="identify", email="kim@shop.example"))
    await town.live(town.event("add_to_cart", NOON + MINUTE, anonymous="phone"))
    await town.live(town.event("", NOON + 2 * MINUTE, user="kim", anonymous="phone", type="identify"))
    [user] = await users(town)
    [run] = await town.runs()
    assert (run.shard, run.user_number) == (user.shard, user.number) == await home_of(town, USER_ID, "kim")
    assert await home_of(town, ANONYMOUS_ID, "phone") == (user.shard, user.number)
    assert (run.step_key, run.wake_at) == ("hour", NOON + MINUTE + HOUR)
    await town.settle(NOON + DAY)
    assert await town.total("queued") == 1
    assert await town.counts("skipped", "reason") == {}


async def test_past_figures_stay_when_users_are_merged(town: World) -> None:
    await town.add_journey(abandoned_cart())
    await town.live(town.event("", NOON, user="kim", type="identify"))
    await town.live(town.event("add_to_cart", NOON + MINUTE, anonymous="phone"))
    before = [await town.counts(metric, "step_key") for metric in ("entries", "arrivals", "left")]
    visits = await town.rows(Visit)
    await town.live(town.event("", NOON + 2 * MINUTE, user="kim", anonymous="phone", type="identify"))
    assert [await town.counts(metric, "step_key") for metric in ("entries", "arrivals", "left")] == before
    assert await town.rows(Visit) == visits
    assert await town.total("ended") == 0


async def test_a_goal_after_the_merge_counts_for_the_run_that_moved(town: World) -> None:
    await town.add_journey(abandoned_cart())
    await town.live(town.event("", NOON, user="kim", type="identify"))
    await town.live(town.event("add_to_cart", NOON + MINUTE, anonymous="phone"))
    # The event that shows them to be one is itself the goal.
    await town.live(town.event("purchase", NOON + 5 * MINUTE, user="kim", anonymous="phone"))
    assert (await town.total("reached"), await town.total("hits")) == (1, 1)
    await town.live(town.event("purchase", NOON + 6 * MINUTE, user="kim"), until=NOON + DAY)
    assert (await town.total("reached"), await town.total("hits")) == (1, 2)
    assert (await town.counts("left", "output"))["yes"] == 1


async def test_a_goal_counts_also_for_a_run_that_had_ended_when_its_user_was_merged(town: World) -> None:
    await town.add_journey(abandoned_cart())
    await town.live(town.event("", NOON, user="kim", type="identify"))
    await town.live(town.event("add_to_cart", NOON, anonymous="phone"))
    await town.settle(NOON + 2 * HOUR)
    await town.live(town.event("", NOON + 3 * HOUR, user="kim", anonymous="phone", type="identify"))
    await town.live(town.event("purchase", NOON + DAY, user="kim"))
    assert await town.total("reached") == 1


async def test_what_the_visitor_did_decides_the_branch_after_the_merge(town: World) -> None:
    await town.add_journey(abandoned_cart(goals=[]))
    await town.live(town.event("", NOON, user="kim", type="identify"))
    await town.live(town.event("add_to_cart", NOON, anonymous="phone"))
    await town.live(town.event("purchase", NOON + MINUTE, anonymous="phone"))
    await town.live(town.event("", NOON + 2 * MINUTE, user="kim", anonymous="phone", type="identify"))
    await town.settle(NOON + DAY)
    assert await town.counts("left", "step_key", "output") == {
        ("cart", "next"): 1,
        ("hour", "next"): 1,
        ("bought", "yes"): 1,
    }


async def test_all_in_one_batch_comes_to_the_same(town: World) -> None:
    await town.add_journey(abandoned_cart(goals=[]))
    await town.live(
        town.event("", NOON, user="kim", type="identify"),
        town.event("add_to_cart", NOON, anonymous="phone"),
        town.event("purchase", NOON + MINUTE, anonymous="phone"),
        town.event("", NOON + 2 * MINUTE, user="kim", anonymous="phone", type="identify"),
    )
    await town.settle(NOON + DAY)
    assert await town.counts("left", "step_key", "output") == {
        ("cart", "next"): 1,
        ("hour", "next"): 1,
        ("bought", "yes"): 1,
    }


async def test_who_is_inside_already_stays_inside_once(town: World) -> None:
    await town.add_journey(abandoned_cart())
    await town.live(town.event("add_to_cart", NOON, user="kim"))
    await town.live(town.event("add_to_cart", NOON + MINUTE, anonymous="phone"))
    await town.live(town.event("", NOON + 2 * MINUTE, user="kim", anonymous="phone", type="identify"))
    assert [run.end_reason for run in await town.runs()] == [None, "merged"]
    assert await town.counts("ended", "step_key", "reason") == {("hour", "merged"): 1}
    await town.settle(NOON + DAY)
    assert await town.total("queued") == 1


async def test_a_device_that_changes_hands_joins_nobody(town: World) -> None:
    await town.add_journey(abandoned_cart())
    await town.live(town.event("add_to_cart", NOON, user="kim", anonymous="tablet"))
    await town.live(town.event("", NOON + MINUTE, user="lee", anonymous="tablet", type="identify"))
    assert [user.user_id for user in await users(town)] == ["kim", "lee"]
    # From now on what the tablet does without a name is the second one's.
    await town.live(town.event("purchase", NOON + 2 * MINUTE, anonymous="tablet"))
    assert await town.total("hits") == 0
    assert await home_of(town, ANONYMOUS_ID, "tablet") == await home_of(town, USER_ID, "lee")
    [run] = await town.runs()
    assert (run.shard, run.user_number) == await home_of(town, USER_ID, "kim")


async def test_an_alias_joins_two_named_users_because_it_was_asked_for(town: World) -> None:
    await town.add_journey(abandoned_cart())
    await town.live(town.event("", NOON, user="kim@old", type="identify", city="Busan", plan="free"))
    await town.live(town.event("", NOON, user="kim", type="identify", plan="gold"))
    await town.live(town.event("add_to_cart", NOON + MINUTE, user="kim@old"))
    await town.live(town.event("", NOON + 2 * MINUTE, user="kim", previous="kim@old", type="alias"))
    [user] = await users(town)
    assert user.user_id == "kim"
    assert user.attributes == '{"city":"Busan","plan":"gold"}'
    await town.live(town.event("purchase", NOON + 3 * MINUTE, user="kim@old"))
    assert await town.total("reached") == 1
    assert await home_of(town, USER_ID, "kim@old") == await home_of(town, USER_ID, "kim")


async def test_a_run_follows_through_two_merges_at_once(town: World) -> None:
    await town.add_journey(abandoned_cart())
    await town.live(town.event("", NOON, user="kim", type="identify"))
    await town.live(town.event("", NOON, user="lee", type="identify"))
    await town.live(town.event("add_to_cart", NOON, anonymous="phone"))
    await town.live(
        town.event("", NOON + MINUTE, user="kim", anonymous="phone", type="identify"),
        town.event("", NOON + 2 * MINUTE, user="lee", previous="kim", type="alias"),
    )
    await town.live(town.event("purchase", NOON + 3 * MINUTE, user="lee"))
    [run] = await town.runs()
    assert (run.shard, run.user_number) == await home_of(town, USER_ID, "lee")
    assert await town.total("reached") == 1


async def test_an_opt_out_holds_after_the_merge_whoever_said_it(town: World) -> None:
    await town.live(town.event("", NOON, user="kim", type="identify", email="kim@shop.example"))
    await town.live(town.event("", NOON, anonymous="phone", type="identify", email="kim@home.example"))
    async with town.db.write() as session:
        for endpoint in await session.rows(Endpoint.__table__.select()):
            if endpoint.address == "kim@home.example":
                where = Endpoint.__table__.c.address == endpoint.address
                await session.run(Endpoint.__table__.update().where(where).values(state="opted_out"))
    await town.live(town.event("", NOON + MINUTE, user="kim", anonymous="phone", type="identify"))
    shard, number = await home_of(town, USER_ID, "kim")
    found = {
        (row.address, row.is_current, row.state)
        for row in await town.rows(Endpoint)
        if (row.shard, row.user_number) == (shard, number)
    }
    assert found == {("kim@shop.example", True, "usable"), ("kim@home.example", False, "opted_out")}


async def test_a_repeated_event_counts_once_wherever_its_user_lives(town: World) -> None:
    await town.add_journey(abandoned_cart())
    events = [
        town.event("add_to_cart", NOON, anonymous="device"),
        town.event("", NOON + MINUTE, user="kim", anonymous="device", type="identify"),
        town.event("purchase", NOON + 2 * MINUTE, user="kim"),
    ]
    for event in (*events, *events):
        await town.live(event)
    assert (await town.total("entries"), await town.total("hits")) == (1, 1)
    assert len(await town.rows(Event)) == 3
    assert len(await town.rows(Run)) == 1


async def test_what_comes_with_the_news_of_a_merge_follows_the_user(town: World) -> None:
    await town.add_journey(abandoned_cart())
    for n in range(6):
        kim, phone, at = f"kim-{n}", f"phone-{n}", NOON + n * MINUTE
        await town.live(town.event("", at, user=kim, type="identify"))
        await town.live(town.event("add_to_cart", at + 1, anonymous=phone))
        await town.send(town.event("", at + 2, user=kim, anonymous=phone, type="identify"))
        # One turn of every shard, and what follows comes together with what they told each other.
        await town.engine.take_shards()
        await town.engine.work_once()
        await town.live(town.event("purchase", at + 3, anonymous=phone))
    assert await town.total("reached") == 6
    numbers = {(user.shard, user.number) for user in await users(town)}
    assert {(run.shard, run.user_number) for run in await town.runs()} <= numbers


async def test_every_identity_of_a_user_that_was_joined_leads_to_the_other(town: World) -> None:
    for n in range(4):
        at = NOON + n * MINUTE
        await town.live(town.event("", at, user=f"old-{n}", anonymous=f"phone-{n}", type="identify"))
        await town.live(town.event("", at + 1, user=f"new-{n}", type="identify"))
        await town.live(town.event("", at + 2, user=f"new-{n}", type="alias", previous=f"old-{n}"))
        await town.live(town.event("purchase", at + 3, anonymous=f"phone-{n}"))
    assert {user.user_id for user in await users(town)} == {f"new-{n}" for n in range(4)}
