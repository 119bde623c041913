"""Clock times, weekdays, dates and windows in the life of runs, in the zone of each person."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

import pytest

from server.store.tables import Visit
from tests.world import World, line, open_world, step

pytestmark = pytest.mark.anyio


def at(text: str) -> int:
    """An instant in Seoul. The 14th of March 2024 is a Thursday."""
    return int(datetime.fromisoformat(text + "+09:00").timestamp() * 1000)


@pytest.fixture
async def world(database_url: str) -> AsyncIterator[World]:
    async with open_world(database_url) as world:
        yield world


async def go(world: World, user: str, when: str, traits: dict[str, Any] | None = None, **body: Any) -> None:
    moment = at(when)
    known = world.event("", moment - 1, user=user, type="identify", **(traits or {}))
    await world.live(known, world.event("go", moment, user=user, **body), until=moment)


def waiting(*steps: dict[str, Any], **more: Any) -> dict[str, Any]:
    return line(step("in", "entry_event", event="go"), *steps, step("out", "exit"), **more)


async def left(world: World, step_key: str) -> list[tuple[int, str, str]]:
    """When each run left the step, by which output or why it ended there, and why."""
    visits = await world.rows(Visit, "left_at", "seq")
    found = [visit for visit in visits if visit.step_key == step_key]
    return [(visit.left_at, visit.output or visit.end_reason, visit.because) for visit in found]


async def test_next_monday_at_nine_is_that_of_each_person(world: World) -> None:
    await world.add_journey(
        waiting(step("monday", "delay", weekday_time={"weekdays": ["monday"], "at": "09:00"}))
    )
    await go(world, "seoul", "2024-03-14T12:00")
    await go(world, "york", "2024-03-14T12:00", {"timezone": "America/New_York"})
    await world.settle(at("2024-03-20T00:00"))
    assert await left(world, "monday") == [
        (at("2024-03-18T09:00"), "next", ""),
        # New York has had its clocks changed the Sunday before.
        (at("2024-03-18T22:00"), "next", ""),
    ]


async def test_a_coupon_is_reminded_of_three_days_before_it_ends(world: World) -> None:
    found = {"from": "property", "name": "coupon.ends", "days": -3, "at": "10:00", "if_unreadable": "leave"}
    graph = waiting(step("coupon", "delay", date_from=found))
    graph["steps"] += [step("late", "exit"), step("never", "exit")]
    graph["edges"] += [
        {"from": "coupon", "output": "passed", "to": "late"},
        {"from": "coupon", "output": "unreadable", "to": "never"},
    ]
    await world.add_journey(graph)
    await go(world, "ada", "2024-03-14T12:00", coupon={"ends": "2024-03-31"})
    await go(world, "bob", "2024-03-14T12:00", coupon={"ends": "2024-03-16"})
    await go(world, "cyd", "2024-03-14T12:00", coupon={"ends": "some day"})
    await world.settle(at("2024-04-01T00:00"))
    now = at("2024-03-14T12:00")
    found_left = await left(world, "coupon")
    assert [(when, output) for when, output, _ in found_left] == [
        (now, "passed"),
        (now, "unreadable"),
        (at("2024-03-28T10:00"), "next"),
    ]
    assert found_left[0][2] == "2024-03-13T10:00 had passed"
    assert found_left[1][2] == "no date in the property 'coupon.ends': 'some day' is not a date"


async def test_a_birthday_comes_every_year_and_none_ends_the_run_with_the_reason(world: World) -> None:
    found = {"from": "attribute", "name": "born", "yearly": True, "at": "09:00"}
    await world.add_journey(waiting(step("birthday", "delay", date_from=found)))
    await go(world, "ada", "2024-03-14T12:00", {"born": "1990-03-14"})
    await go(world, "bob", "2024-03-14T12:00", {"born": "03-15"})
    await go(world, "cyd", "2024-03-14T12:00")
    await world.settle(at("2025-04-01T00:00"))
    assert await left(world, "birthday") == [
        (
            at("2024-03-14T12:00"),
            "internal_error",
            "no date in the attribute 'born': there is no value",
        ),
        (at("2024-03-15T09:00"), "next", ""),
        (at("2025-03-14T09:00"), "next", ""),
    ]
    assert await world.counts("ended", "reason") == {"completed": 2, "internal_error": 1}


async def test_a_visit_that_is_put_off_is_waited_for(world: World) -> None:
    found = {"from": "attribute", "name": "visit", "days": -1, "at": "09:00", "if_passed": "go_on"}
    await world.add_journey(waiting(step("visit", "delay", date_from=found)))
    await go(world, "ada", "2024-03-14T12:00", {"visit": "2024-03-20"})
    later = world.event("", at("2024-03-15T12:00"), user="ada", type="identify", visit="2024-03-29")
    await world.live(later, until=at("2024-03-25T00:00"))
    [run] = await world.runs()
    assert run.wake_at == at("2024-03-28T09:00")
    await world.settle(at("2024-04-01T00:00"))
    assert [when for when, *_ in await left(world, "visit")] == [at("2024-03-28T09:00")]


async def test_a_daily_loop_goes_on_at_its_time(world: World) -> None:
    asked = [{"about": "attribute", "name": "done", "operator": "exists"}]
    graph = waiting(
        step("nine", "delay", clock_time={"at": "09:00"}),
        step("done", "split", branches=[{"output": "next", "conditions": asked}]),
    )
    graph["edges"].append({"from": "done", "output": "otherwise", "to": "nine"})
    await world.add_journey(graph)
    await go(world, "ada", "2024-03-14T12:00")
    await world.settle(at("2024-03-17T12:00"))
    days = [at(f"2024-03-{day}T09:00") for day in (15, 16, 17)]
    assert [when for when, *_ in await left(world, "nine")] == days


async def test_a_window_is_waited_for(world: World) -> None:
    windows = [{"weekdays": ["monday", "tuesday"], "from": "09:00", "until": "18:00"}]
    await world.add_journey(waiting(step("open", "time_window", windows=windows)))
    await go(world, "ada", "2024-03-14T12:00")
    await go(world, "bob", "2024-03-18T17:59")
    await world.settle(at("2024-03-20T00:00"))
    assert [when for when, *_ in await left(world, "open")] == [
        at("2024-03-18T09:00"),
        at("2024-03-18T17:59"),
    ]
