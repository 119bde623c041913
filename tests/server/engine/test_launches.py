"""Launches: an audience comes in whole, once, at its time, whatever happens meanwhile."""

from collections import Counter as Tally
from collections.abc import AsyncIterator
from io import StringIO
from typing import Any

import orjson
import pytest

from server.engine import launches
from server.engine.loop import Engine
from server.engine.shard import Shard
from server.lists import audience
from server.store import segments, setup
from server.store.tables import Journey, Launch, Refusal, User, Version
from tests.server.schema.api import open_api
from tests.world import DAY, HOUR, MINUTE, NOON, World, line, step

from .balance import balances
from .divided import divided_world, without_complaint

pytestmark = pytest.mark.anyio

MIDNIGHT = NOON - 20 * HOUR
NINE = MIDNIGHT + 9 * HOUR
"""Of the day on which the world begins, at eight in the evening in Seoul."""
VIP = {"attribute": {"name": "plan", "operator": "equals", "value": "vip"}}


@pytest.fixture
async def four_shards() -> AsyncIterator[World]:
    with without_complaint():
        async with divided_world(4) as world:
            yield world


def waiting(**entry: Any) -> dict[str, Any]:
    """In, an hour, out."""
    wait = step("wait", "delay", duration_ms=HOUR)
    return line(step("in", "entry_audience", **entry), wait, step("out", "exit"))


def daily(**more: Any) -> dict[str, Any]:
    return waiting(when={"kind": "every_days", "every": 1, "start": "2024-03-01", "at": "09:00"}, **more)


def once(day: str, **more: Any) -> dict[str, Any]:
    return waiting(when={"kind": "once", "date": day, "at": "09:00"}, **more)


async def people(world: World, count: int = 5, **traits: Any) -> None:
    await world.live(
        *(world.event("", NOON, user=f"u{n}", type="identify", n=n, **traits) for n in range(count))
    )


async def entered(world: World) -> list[str]:
    users = {(user.shard, user.number): user.user_id or "" for user in await world.rows(User)}
    return sorted(users[run.shard, run.user_number] for run in await world.runs())


async def refused(world: World) -> dict[str, int]:
    return await world.counts("refused", "reason")


async def test_everybody_at_once(world: World) -> None:
    await people(world)
    await world.add_journey(waiting())
    await world.settle()
    assert await entered(world) == [f"u{n}" for n in range(5)]
    assert all(row.done_at is not None for row in await world.rows(Launch))
    assert sum(row.entered for row in await world.rows(Launch)) == 5
    await world.settle(NOON + DAY)
    assert len(await world.runs()) == 5
    await balances(world)


async def test_a_segment_and_a_list(world: World) -> None:
    await people(world, 3)
    await world.live(world.event("", NOON, user="u1", type="identify", plan="vip"))
    about = (world.db, StringIO("user_id\nu2"), world.project_id, world.shards, audience.Wish("march"), NOON)
    await audience.take_in(*about)
    await world.settle()
    async with world.db.write() as session:
        await segments.create(session, world.project_id, "VIP", orjson.dumps(VIP).decode(), NOON)
        await setup.touch_catalog(session)
    await world.add_journey(waiting(segment="VIP"))
    await world.settle()
    assert await entered(world) == ["u1"]
    await world.add_journey(waiting(list="march"))
    await world.settle()
    assert await entered(world) == ["u1", "u2"]
    await world.add_journey(waiting(segment="gone"))
    await world.add_journey(waiting(list="gone"))
    await world.settle()
    assert await entered(world) == ["u1", "u2"]
    await balances(world)


async def test_a_large_audience_comes_page_by_page_and_others_are_not_kept_waiting(
    sqlite_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = sqlite_world
    monkeypatch.setattr(launches, "MOST_PEOPLE", 3)
    await people(world, 10)
    await world.add_journey(waiting(), title="Everybody")
    other = await world.add_journey(line(step("in", "entry_event", event="a"), step("out", "exit")))
    await world.send(world.event("a", NOON + 1, user="u0"))
    await world.engine.take_shards()
    await world.engine.work_once()
    counts = Tally(run.journey_id for run in await world.runs())
    assert counts[other] == 1
    assert sum(counts.values()) - 1 == 3
    await world.settle()
    assert len(await world.runs()) == 11
    await balances(world)


@pytest.mark.parametrize("died_at", range(1, 5))
async def test_who_dies_between_pages_or_in_one_leaves_nobody_out_and_lets_nobody_in_twice(
    four_shards: World, monkeypatch: pytest.MonkeyPatch, died_at: int
) -> None:
    world = four_shards
    monkeypatch.setattr(launches, "MOST_PEOPLE", 2)
    await people(world, 16)
    await world.add_journey(waiting())
    real, pages = Shard._prove, [0]

    async def dies(self: Shard, *about: Any) -> None:
        pages[0] += 1
        if pages[0] % 4 == died_at % 4:
            raise OSError("power cut")
        await real(self, *about)

    await world.engine.let_go()
    monkeypatch.setattr(Shard, "_prove", dies)
    for _ in range(200):
        engine = Engine(world.db, world.clock, world.shards, strict=True)
        try:
            await engine.until_idle()
            break
        except OSError:
            continue
        finally:
            await engine.let_go()
    monkeypatch.setattr(Shard, "_prove", real)
    await world.settle()
    assert await entered(world) == sorted(f"u{n}" for n in range(16))
    assert sum(row.entered for row in await world.rows(Launch)) == 16
    await balances(world)


async def test_every_day_at_nine_in_the_projects_zone(world: World) -> None:
    await people(world, 2)
    await world.add_journey(daily(if_passed="skip"))
    await world.settle()
    assert await entered(world) == []
    for day in (1, 2, 3):
        await world.settle(NINE + day * DAY - 1)
        assert len(await world.runs()) == 2 * (day - 1)
        await world.settle(NINE + day * DAY)
        assert len(await world.runs()) == 2 * day
    assert {run.entered_at for run in await world.runs()} == {NINE + day * DAY for day in (1, 2, 3)}
    assert {run.properties for run in await world.runs() if run.entered_at == NINE + DAY} == {
        '{"day":"2024-03-14"}'
    }
    await balances(world)


async def test_who_is_inside_still_is_refused(world: World) -> None:
    await people(world, 1)
    graph = line(
        step("in", "entry_audience", when=daily()["steps"][0]["when"]),
        step("wait", "delay", duration_ms=30 * HOUR),
        step("out", "exit"),
    )
    await world.add_journey(graph)
    await world.settle(NOON)
    for day in (1, 2):
        await world.settle(NINE + day * DAY)
    assert (await world.total("entries"), await refused(world)) == (2, {"already_inside": 1})
    assert [row.refused for row in await world.rows(Launch, "occurrence") if row.refused] == [1]
    await balances(world)


ZONES = {"u0": "Asia/Seoul", "u1": "Europe/London", "u2": "America/New_York", "u3": None}
LOCAL_NINE = {
    # On 2024-03-15: Seoul, London and New York are 9, 0 and -4 hours from UTC.
    "u0": NINE + 2 * DAY,
    "u1": NINE + 2 * DAY + 9 * HOUR,
    "u2": NINE + 2 * DAY + 13 * HOUR,
    "u3": NINE + 2 * DAY,
}


async def scattered(world: World) -> None:
    tell = world.event
    await world.live(
        *(tell("", NOON, user=name, type="identify", timezone=zone) for name, zone in ZONES.items())
    )


async def moments(world: World) -> dict[str, int]:
    users = {(user.shard, user.number): user.user_id or "" for user in await world.rows(User)}
    return {users[run.shard, run.user_number]: run.entered_at for run in await world.runs()}


async def test_each_at_nine_by_their_own_clock(world: World) -> None:
    await scattered(world)
    await world.add_journey(once("2024-03-15", zone="person"))
    await world.settle(NOON)
    await world.settle(NINE + 2 * DAY - 1)
    assert await entered(world) == []
    for at in sorted(set(LOCAL_NINE.values())):
        await world.settle(at)
        assert await entered(world) == sorted(name for name, own in LOCAL_NINE.items() if own <= at)
    await world.settle(NOON + 9 * DAY)
    assert await moments(world) == LOCAL_NINE
    await balances(world)


@pytest.mark.parametrize("policy", ["at_once", "next_day", "skip"])
async def test_whose_time_has_passed_when_it_starts(world: World, policy: str) -> None:
    """At eight in the evening in Seoul it is eleven in London and seven in New York."""
    await scattered(world)
    await world.add_journey(once("2024-03-13", zone="person", if_passed=policy))
    await world.settle(NOON)
    await world.settle(NOON + 3 * DAY)
    found = await moments(world)
    assert found.pop("u2") == NINE + 13 * HOUR
    if policy == "at_once":
        assert set(found.values()) == {NOON}
    elif policy == "next_day":
        assert found == {"u0": NINE + DAY, "u1": NINE + DAY + 9 * HOUR, "u3": NINE + DAY}
    else:
        assert (found, await refused(world)) == ({}, {"time_passed": 3})
        assert len(await world.rows(Refusal)) == 3
    await balances(world)


async def test_who_moves_to_another_zone_meanwhile_comes_in_once(world: World) -> None:
    await scattered(world)
    await world.add_journey(once("2024-03-15", zone="person"))
    await world.settle(NOON)
    await world.settle(LOCAL_NINE["u0"])
    moved = world.event("", LOCAL_NINE["u0"] + 2 * HOUR, user="u0", type="identify", timezone="Europe/London")
    await world.live(moved)
    await world.settle(NOON + 9 * DAY)
    assert (await moments(world))["u0"] == LOCAL_NINE["u0"]
    assert len(await world.runs()) == 4
    await balances(world)


async def pause(world: World, journey: int) -> None:
    await world.set_status(journey, "paused")
    await world.command("pause", journey_id=journey)
    await world.settle()


async def resume(world: World, journey: int, shift: int = 0) -> None:
    await world.set_status(journey, "running")
    await world.command("resume", journey_id=journey, shift_ms=shift)
    await world.settle()


async def test_a_pause_in_the_middle_stops_it_and_it_goes_on(
    sqlite_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = sqlite_world
    monkeypatch.setattr(launches, "MOST_PEOPLE", 2)
    await people(world, 6)
    journey = await world.add_journey(waiting())
    await world.engine.take_shards()
    await world.engine.work_once()
    before = len(await world.runs())
    assert 0 < before < 6
    await pause(world, journey)
    held = len(await world.runs())
    await world.settle(NOON + HOUR)
    assert len(await world.runs()) == held < 6
    await resume(world, journey, HOUR)
    assert await entered(world) == [f"u{n}" for n in range(6)]
    await balances(world)


@pytest.mark.parametrize(("policy", "at"), [("at_once", NINE + DAY + HOUR), ("skip", NINE + 2 * DAY)])
async def test_what_falls_due_in_a_pause_has_passed_when_it_ends(world: World, policy: str, at: int) -> None:
    await people(world, 1)
    journey = await world.add_journey(daily(if_passed=policy))
    await world.settle(NOON)
    await world.settle(NOON + 2 * HOUR)
    before = {"at_once": 1, "skip": 0}[policy]
    await pause(world, journey)
    await world.settle(NINE + DAY + HOUR)
    assert len(await world.runs()) == before
    await resume(world, journey)
    await world.settle(NINE + 2 * DAY)
    assert [run.entered_at for run in await world.runs()][before] == at
    await balances(world)


async def republish(world: World, journey_id: int, graph: dict[str, Any]) -> None:
    async with world.db.write() as session:
        journey = await session.get(Journey, journey_id)
        assert journey is not None
        journey.version = (journey.version or 0) + 1
        at, text = world.clock.now(), orjson.dumps(graph).decode()
        session.add(Version(journey_id=journey_id, number=journey.version, graph=text, published_at=at))
        await setup.touch_catalog(session)
    await world.settle()


@pytest.mark.parametrize("relaunches", [False, True])
async def test_a_new_version_lets_them_in_again_if_it_is_wanted(world: World, relaunches: bool) -> None:
    await people(world, 2)
    journey = await world.add_journey(waiting(relaunches=relaunches))
    await world.settle()
    await world.settle(NOON + 2 * HOUR)
    await republish(world, journey, waiting(relaunches=relaunches))
    assert len(await world.runs()) == (4 if relaunches else 2)
    await balances(world)


@pytest.mark.parametrize("relaunches", [False, True])
async def test_the_end_of_a_pause_lets_them_in_again_if_it_is_wanted(world: World, relaunches: bool) -> None:
    await people(world, 2)
    journey = await world.add_journey(waiting(relaunches=relaunches))
    await world.settle()
    await world.settle(NOON + 2 * HOUR)
    await pause(world, journey)
    await resume(world, journey)
    assert len(await world.runs()) == (4 if relaunches else 2)
    await balances(world)


async def test_another_time_in_a_new_version_counts(world: World) -> None:
    await people(world, 1)
    journey = await world.add_journey(once("2024-03-20"))
    await world.settle()
    await republish(world, journey, once("2024-03-15"))
    await world.settle(NINE + 2 * DAY)
    assert await entered(world) == ["u0"]
    await world.settle(NINE + 9 * DAY)
    assert len(await world.runs()) == 1


async def test_a_journey_that_is_stopped_lets_nobody_in_any_more(world: World) -> None:
    await people(world, 2)
    journey = await world.add_journey(daily(if_passed="skip"))
    await world.settle()
    await world.set_status(journey, "finished")
    await world.settle(NINE + 3 * DAY)
    assert await world.runs() == []
    assert all(row.done_at is not None for row in await world.rows(Launch))


async def test_an_audience_and_an_event_on_one_canvas_let_a_person_in_once(world: World) -> None:
    await people(world, 2)
    graph = waiting()
    graph["steps"].insert(1, step("also", "entry_event", event="a"))
    graph["edges"].append({"from": "also", "output": "next", "to": "wait"})
    await world.add_journey(graph)
    await world.settle()
    await world.live(world.event("a", NOON + MINUTE, user="u0"))
    assert (await world.total("entries"), await refused(world)) == (2, {"already_inside": 1})
    await balances(world)


async def test_nobody_comes_in_who_has_been_erased(world: World) -> None:
    await people(world, 3)
    await world.live(world.event("view", NOON, anonymous="phone"))
    await world.live(world.event("view", NOON + 1, anonymous="phone", user="u2"))
    async with open_api(world) as api:
        await api.change("eraseUser", identity={"userId": "u1"})
    await world.settle()
    await world.add_journey(waiting())
    await world.settle()
    assert await entered(world) == ["u0", "u2"]
    await balances(world)
