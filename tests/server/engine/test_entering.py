"""Who is let in by events: again and again by the rules, and whom an event names."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from server.engine.batch import Batch
from server.engine.state import RunState
from server.store.tables import Refusal, User
from tests.world import DAY, HOUR, MINUTE, NOON, World, line, step

from .balance import balances
from .divided import divided_world, without_complaint
from .flows import fan

pytestmark = pytest.mark.anyio

EVER = ("ever", "otherwise")


@pytest.fixture
async def four_shards() -> AsyncIterator[World]:
    with without_complaint():
        async with divided_world(4) as world:
            yield world


def waiting(**entry: Any) -> dict[str, Any]:
    more = {name: entry.pop(name) for name in ("reentry", "reentry_rules") if name in entry}
    wait = step("wait", "delay", duration_ms=HOUR)
    return line(step("in", "entry_event", event="order", **entry), wait, step("out", "exit"), **more)


async def refused(world: World) -> dict[str, int]:
    return await world.counts("refused", "reason")


async def orders(world: World, *at: int, **more: Any) -> None:
    for instant in at:
        await world.live(world.event("order", instant, user="kim", **more), until=instant)


async def test_a_time_has_to_pass_after_leaving(world: World) -> None:
    await world.add_journey(waiting(reentry_rules={"after_ms": DAY}))
    await orders(world, NOON, NOON + MINUTE, NOON + 2 * HOUR, NOON + HOUR + DAY)
    assert await world.total("entries") == 2
    assert await refused(world) == {"already_inside": 1, "too_soon": 1}
    await balances(world)


async def test_so_many_entries_in_a_period(world: World) -> None:
    await world.add_journey(waiting(reentry_rules={"most": 2, "within_ms": DAY}))
    await orders(world, *(NOON + n * 2 * HOUR for n in range(4)), NOON + DAY + 1)
    assert (await world.total("entries"), await refused(world)) == (3, {"too_often": 2})
    await balances(world)


async def test_every_order_has_a_run_of_its_own(world: World) -> None:
    await world.add_journey(waiting(reentry_rules={"one_per": "id"}))
    for number in (1, 2, 2, 3):
        await orders(world, NOON + number, id=number)
    runs = await world.runs()
    assert [(run.entry_value, run.wake_at is not None) for run in runs] == [(str(n), True) for n in (1, 2, 3)]
    assert await refused(world) == {"already_inside": 1}
    for number in range(4, 30):
        await orders(world, NOON + number, id=number)
    assert (await world.total("entries"), (await refused(world))["too_often"]) == (25, 4)
    await balances(world)


async def test_runs_of_different_values_go_on_side_by_side_after_a_merge(four_shards: World) -> None:
    world = four_shards
    await world.add_journey(waiting(reentry_rules={"one_per": "id"}))
    await world.live(world.event("", NOON, user="kim", type="identify", name="Kim"))
    await world.live(world.event("order", NOON + 1, user="kim", id=1))
    await world.live(world.event("order", NOON + 2, anonymous="phone", id=1))
    await world.live(world.event("order", NOON + 3, anonymous="phone", id=2))
    await world.live(world.event("view", NOON + 4, user="kim", anonymous="phone"))
    found = sorted((run.entry_value, run.end_reason) for run in await world.runs() if run.end_reason)
    assert found == [("1", "merged")]
    assert sorted(run.entry_value for run in await world.runs() if run.wake_at) == ["1", "2"]
    await balances(world)


async def test_two_entries_that_fit_one_event_let_a_person_in_once(world: World) -> None:
    entries = [step("a", "entry_event", event="order"), step("b", "entry_event", event="order")]
    edges = [{"from": key, "output": "next", "to": "out"} for key in ("a", "b")]
    await world.add_journey({"steps": [*entries, step("out", "exit")], "edges": edges})
    await orders(world, NOON)
    assert await world.counts("entries", "step_key") == {"a": 1}
    assert await refused(world) == {}
    await balances(world)


async def test_an_event_lets_those_in_whom_it_names_wherever_they_live(four_shards: World) -> None:
    world, friends = four_shards, ["lee", "park", "choi"]
    await world.add_journey(waiting(users_in="invited"))
    for name in friends:
        await world.live(world.event("", NOON, user=name, type="identify", name=name))
    invited = [*friends, "lee", "nobody", 7, None]
    await world.live(world.event("order", NOON + 1, user="kim", invited=invited), until=NOON + 1)
    numbers = {(user.shard, user.number): user.user_id for user in await world.rows(User)}
    runs = await world.runs()
    assert sorted(numbers[run.shard, run.user_number] or "" for run in runs) == sorted(friends)
    assert {run.event_name for run in runs} == {"order"}
    assert await refused(world) == {"unknown_user": 2}
    await balances(world)


async def test_one_who_is_named_may_be_inside_already_and_twice_is_once(world: World) -> None:
    await world.add_journey(waiting(users_in="to"))
    await world.live(world.event("", NOON, user="lee", type="identify", name="Lee"))
    event = world.event("order", NOON + 1, user="kim", to="lee")
    await world.live(event, event, until=NOON + 1)
    await world.live(world.event("order", NOON + 2, user="kim", to="lee"), until=NOON + 2)
    assert (await world.total("entries"), await refused(world)) == (1, {"already_inside": 1})
    assert [row.reason for row in await world.rows(Refusal)] == ["already_inside"]
    await balances(world)


async def test_a_named_user_who_turned_out_to_be_another_is_followed(four_shards: World) -> None:
    world = four_shards
    await world.add_journey(waiting(users_in="to"))
    await world.live(world.event("", NOON, user="old", type="identify", name="Lee"))
    await world.live(world.event("", NOON, user="lee", type="identify", name="Lee"))
    await world.live(world.event("", NOON + 1, user="lee", type="alias", previous="old"))
    await world.live(world.event("order", NOON + 2, user="kim", to="old"), until=NOON + 2)
    [run] = await world.runs()
    users = {(user.shard, user.number): user.user_id for user in await world.rows(User)}
    assert users[run.shard, run.user_number] == "lee"
    await balances(world)


async def test_runs_that_are_over_for_good_are_left_where_they_are(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.add_journey(waiting())
    await world.add_journey(waiting() | {"goals": [{"key": "paid", "event": "pay", "window_ms": DAY}]})
    await orders(world, *(NOON + n * 2 * DAY for n in range(5)))
    loaded: list[tuple[int, int]] = []
    add = Batch.add_run

    def note(batch: Batch, run: RunState) -> None:
        if not run.is_new:
            loaded.append((run.journey_id, run.entered_at))
        add(batch, run)

    monkeypatch.setattr(Batch, "add_run", note)
    await world.live(world.event("order", NOON + 8 * DAY + HOUR, user="kim"))
    # Those of which the wait is over now, and the one whose goal still counts.
    assert set(loaded) == {(1, NOON + 8 * DAY), (2, NOON + 8 * DAY)}
    assert len(await world.runs()) == 12


async def test_all_of_the_past_is_read_of_those_only_whose_journey_asks_for_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    ever = {"output": "ever", "conditions": [{"about": "did", "event": "view", "ever": True}]}
    looks = fan(step("in", "entry_event", event="visit"), step("ever", "split", branches=[ever]), *EVER)
    await world.add_journey(looks)
    seen = {"output": "seen", "events": [{"event": "view"}]}
    waits = step("wait", "wait", longest_ms=DAY, branches=[seen])
    await world.add_journey(fan(step("in", "entry_event", event="order"), waits, "seen", "not_triggered"))
    views = [world.event("view", NOON - DAY + n, user=user) for n in range(3) for user in ("kim", "lee")]
    await world.live(*views, *(world.event("hello", NOON, user=user) for user in ("kim", "lee")))
    read: list[int] = []
    note = Batch.note_past

    def noting(batch: Batch, key: tuple[int, int], name: str, *past: Any) -> None:
        read.extend([key[1]] if name == "view" else [])
        note(batch, key, name, *past)

    monkeypatch.setattr(Batch, "note_past", noting)
    await world.send(
        world.event("visit", NOON + HOUR, user="kim"), world.event("order", NOON + HOUR, user="lee")
    )
    await world.settle()
    assert len(read) == 3
    assert len(set(read)) == 1
