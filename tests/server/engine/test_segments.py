"""A split asks a segment at the moment at which somebody comes to it."""

from io import StringIO
from typing import Any

import orjson
import pytest

from server.global_ids import global_id
from server.lists import audience
from server.store import segments, setup
from server.store.tables import Visit
from tests.world import DAY, HOUR, NOON, World, statements, step

from .balance import balances

pytestmark = pytest.mark.anyio


async def add_segment(world: World, name: str, conditions: Any) -> None:
    async with world.db.write() as session:
        await segments.create(session, world.project_id, name, orjson.dumps(conditions).decode(), NOON)
        await setup.touch_catalog(session)


def asking(**condition: Any) -> dict[str, Any]:
    """Enter, wait an hour, ask."""
    branch = {"output": "yes", "conditions": [{"about": "segment", "segment": "best", **condition}]}
    steps = [
        step("in", "entry_event", event="sign_up"),
        step("wait", "delay", duration_ms=HOUR),
        step("best", "split", branches=[branch]),
        step("out", "exit"),
    ]
    edges = [("in", "next", "wait"), ("wait", "next", "best"), ("best", "yes", "out")]
    edges.append(("best", "otherwise", "out"))
    return {"steps": steps, "edges": [{"from": a, "output": b, "to": c} for a, b, c in edges]}


async def taken(world: World) -> list[str]:
    await balances(world)
    return [visit.output for visit in await world.rows(Visit, "seq") if visit.step_key == "best"]


async def lived(world: World, conditions: Any, *before: Any, **condition: Any) -> list[str]:
    await add_segment(world, "best", conditions)
    await world.add_journey(asking(**condition))
    await world.live(*before)
    await world.live(world.event("sign_up", NOON + DAY, user="kim"))
    await world.settle(NOON + DAY + HOUR)
    return await taken(world)


async def test_what_is_known_of_the_user_then(world: World) -> None:
    vip = {"attribute": {"name": "plan", "operator": "equals", "value": "vip"}}
    tell = world.event("", NOON, user="kim", type="identify", plan="vip")
    assert await lived(world, vip, tell) == ["yes"]


async def test_those_outside_can_be_wanted(world: World) -> None:
    assert await lived(world, {"reachable_on": "email"}, is_in=False) == ["yes"]


async def test_everything_that_was_done_counts_also_before_the_entry(world: World) -> None:
    orders = {"did": {"event": "order", "at_least": 2}}
    done = [world.event("order", NOON + n, user="kim") for n in range(2)]
    assert await lived(world, orders, *done) == ["yes"]


async def test_what_was_done_too_long_ago_does_not_count(world: World) -> None:
    lately = {"did": {"event": "order", "within_ms": DAY}}
    early = world.event("order", NOON + HOUR, user="kim")
    assert await lived(world, lately, early) == ["otherwise"]
    await world.live(world.event("order", NOON + 2 * DAY, user="kim"))
    await world.live(world.event("sign_up", NOON + 2 * DAY + 1, user="kim"))
    await world.settle(NOON + 9 * DAY)
    assert await taken(world) == ["otherwise", "yes"]


async def test_a_list_is_asked_as_it_is_then(world: World) -> None:
    about = (world.db, StringIO("user_id\nkim"), world.project_id, world.shards, audience.Wish("march"), NOON)
    await world.live(world.event("", NOON, user="kim", type="identify", name="Kim"))
    await audience.take_in(*about)
    assert await lived(world, {"in_list": "march"}) == ["yes"]


async def test_a_segment_that_changes_is_asked_anew_and_one_that_is_gone_has_nobody(world: World) -> None:
    assert await lived(world, {"reachable_on": "email"}) == ["otherwise"]
    async with world.db.write() as session:
        [segment] = await segments.of_project(session, world.project_id)
        held = await segments.locked(session, world.project_id, segment.id or 0)
        assert held is not None
        held.conditions = '{"not": {"reachable_on": "email"}}'
        await setup.touch_catalog(session)
    await world.live(world.event("sign_up", NOON + 2 * DAY, user="kim"))
    await world.settle(NOON + 3 * DAY)
    assert await taken(world) == ["otherwise", "yes"]
    async with world.db.write() as session:
        await segments.remove(session, world.project_id, segment.id or 0)
        await setup.touch_catalog(session)
    await world.live(world.event("sign_up", NOON + 4 * DAY, user="kim"))
    await world.settle(NOON + 5 * DAY)
    assert await taken(world) == ["otherwise", "yes", "otherwise"]


async def test_what_somebody_did_before_we_knew_who_it_was_counts(world: World) -> None:
    before = [
        world.event("order", NOON, anonymous="phone"),
        world.event("", NOON, user="kim", type="identify", name="Kim"),
        world.event("view", NOON + 1, user="kim", anonymous="phone"),
    ]
    assert await lived(world, {"did": {"event": "order"}}, *before) == ["yes"]


# Everything that a segment can ask, asked live


@pytest.mark.parametrize(
    ("conditions", "output"),
    [
        ({"entered_journey": {"journey": "JOURNEY"}}, "yes"),
        ({"entered_journey": {"journey": "JOURNEY", "at_least": 2}}, "otherwise"),
        ({"inside_journey": {"journey": "JOURNEY"}}, "yes"),
        ({"passed_step": {"journey": "JOURNEY", "step": "wait"}}, "yes"),
        ({"passed_step": {"journey": "JOURNEY", "step": "wait", "at_least": 2}}, "otherwise"),
        ({"passed_step": {"journey": "JOURNEY", "step": "in", "output": "next"}}, "yes"),
        ({"ended_journey": {"journey": "JOURNEY"}}, "otherwise"),
        ({"did": {"event": "view", "which": "first", "window": {"last_days": 1}}}, "yes"),
        ({"did_amount": {"event": "view", "of": "sum", "property": "price", "at_least": 7}}, "yes"),
        ({"visited": {"device": ["pc_web"], "window": {"last_days": 1}}}, "yes"),
        ({"visited": {"at_least": 2}}, "otherwise"),
        ({"message": {"act": "sent", "at_most": 0}}, "yes"),
        ({"in_segment": "everybody"}, "yes"),
    ],
    ids=str,
)
async def test_a_split_asks_what_was_done_until_then(world: World, conditions: Any, output: str) -> None:
    """Also in the batch in which it is done: kim looks at a page at the very moment of being asked."""
    journey = await world.add_journey(asking())
    (name, told), *_ = conditions.items()
    if isinstance(told, dict) and "journey" in told:
        conditions = {name: {**told, "journey": global_id("Journey", journey)}}
    await add_segment(world, "everybody", {"did": {"event": "view"}})
    await add_segment(world, "best", conditions)
    await world.live(world.event("sign_up", NOON + DAY, user="kim"))
    browser = {"userAgent": "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/120.0 Safari/537.36"}
    about: dict[str, Any] = {"user": "kim", "anonymous": "laptop", "context": browser}
    await world.send(world.event("view", NOON + DAY + HOUR, price=7, **about))
    await world.settle(NOON + DAY + HOUR)
    assert await taken(world) == [output]


async def test_what_many_are_asked_takes_few_statements(world: World) -> None:
    journey = await world.add_journey(asking())
    here = {"journey": global_id("Journey", journey)}
    asks: list[Any] = [
        {"entered_journey": here},
        {"passed_step": {**here, "step": "wait"}},
        {"reached_goal": {**here, "at_most": 0}},
        {"message": {"act": "opened", "at_most": 0}},
        {"visited": {"at_most": 0}},
        {"did": {"event": "sign_up"}},
    ]
    await add_segment(world, "best", {"any": [{"all": asks}, {"in_list": "x"}]})
    counts = []
    for number, many in enumerate((1, 20)):
        at = NOON + (number + 1) * DAY
        people = [f"user-{number}-{one}" for one in range(many)]
        await world.live(*(world.event("sign_up", at, user=one) for one in people))
        with statements(world.db) as seen:
            await world.settle(at + HOUR)
        counts.append(len(seen))
    assert set(await taken(world)) == {"yes"}
    assert counts[1] <= (counts[0] + 5) * world.shards, "each shard has its own batch"
