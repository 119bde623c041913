"""Steps that ask, change and lead elsewhere."""

from typing import Any

import orjson
import pytest
from sqlalchemy import insert

from server.aggregates import recount
from server.journey.graph import read_graph
from server.schema.ids import to_id
from server.store.bulk import table_of
from server.store.tables import Refusal, Run, Suppression, User, Version, Visit
from tests.world import DAY, HOUR, NOON, World, line, reaching, step

from .flows import fan

pytestmark = pytest.mark.anyio


async def outputs(world: World, key: str) -> list[tuple[str, str]]:
    found = [one for one in await world.rows(Visit, "run_id") if one.step_key == key]
    return [(visit.output, visit.because) for visit in found]


async def test_a_user_is_updated_with_values_and_with_what_the_event_said(world: World) -> None:
    changes = [
        {"attribute": "stage", "value": "new"},
        {"attribute": "city", "property": "address.city"},
        {"attribute": "old", "forget": True},
    ]
    split = step(
        "stage",
        "split",
        branches=[
            {
                "output": "new",
                "conditions": [{"about": "attribute", "name": "stage", "operator": "equals", "value": "new"}],
            }
        ],
    )
    graph = line(
        step("in", "entry_event", event="sign_up"), step("set", "update_user", changes=changes), split
    )
    graph["steps"].append(step("out", "exit"))
    graph["edges"] += [{"from": "stage", "output": one, "to": "out"} for one in ("new", "otherwise")]
    await world.add_journey(graph)
    await world.live(
        world.event("", NOON - 1, user="kim", type="identify", old=1, name="Kim"),
        world.event("sign_up", NOON, user="kim", address={"city": "서울"}),
    )
    (user,) = await world.rows(User)
    assert orjson.loads(user.attributes) == {"name": "Kim", "stage": "new", "city": "서울"}
    assert await outputs(world, "stage") == [("new", "")]


async def test_a_visit_keeps_of_long_values_only_their_beginning(world: World) -> None:
    changes = [{"attribute": one, "property": one} for one in ("said", "items", "n")]
    await world.add_journey(reaching(step("set", "update_user", changes=changes)))
    said, items = "말" * 9000, [{"sku": "a"}] * 1000
    await world.live(world.event("sign_up", NOON, user="kim", said=said, items=items, n=7))
    (user,) = await world.rows(User)
    assert orjson.loads(user.attributes) == {"said": said, "items": items, "n": 7}
    (visit,) = [one for one in await world.rows(Visit) if one.step_key == "set"]
    saw = orjson.loads(visit.saw)
    assert (saw["said"], saw["n"]) == ("말" * 500 + "…", 7)
    assert saw["items"].startswith('[{"sku":"a"},')
    assert len(visit.saw) < 2000


def test_addresses_are_told_by_their_owner_only() -> None:
    change = {"attribute": "email", "value": "eve@shop.example"}
    problems = read_graph(reaching(step("set", "update_user", changes=[change])))[1]
    assert [(problem.path, problem.code) for problem in problems] == [
        (("steps", 1, "changes", 0, "attribute"), "not_allowed")
    ]


REACH = fan(
    step("in", "entry_event", event="sign_up"),
    step("reach", "reachability", channel="email", purpose="advertisement"),
    "reachable",
    "not_reachable",
)


async def test_reachable_is_whoever_a_message_could_leave_for(world: World) -> None:
    await world.add_connection()
    await world.add_journey(REACH)
    async with world.db.write() as session:
        row = {"channel": "email", "address": "no@b.c", "purpose": "", "set_by": "people", "reason": "manual"}
        more = {"project_id": world.project_id, "since": 1, "source": "api", "note": "", "heard": "{}"}
        await session.run(insert(table_of(Suppression)).values(**row, **more))
    people = {
        "a-reachable": {"email": "kim@b.c"},
        "b-without": {},
        "c-suppressed": {"email": "No@b.c"},
        "d-refused": {"email": "d@b.c"},
    }
    said = {"channel": "email", "purpose": "advertisement", "granted": False}
    await world.live(world.event("Consent Changed", NOON - 1, user="d-refused", **said))
    for name, traits in people.items():
        await world.live(world.event("", NOON, user=name, type="identify", **traits))
    await world.live(*(world.event("sign_up", NOON + 1, user=name) for name in people))
    users = {(row.shard, row.number): row.user_id for row in await world.rows(User)}
    found = {
        users[row.shard, row.user_number]: (row.output, row.because)
        for row in await world.rows(Visit)
        if row.step_key == "reach"
    }
    assert found == {
        "a-reachable": ("reachable", ""),
        "b-without": ("not_reachable", "no_address"),
        "c-suppressed": ("not_reachable", "suppressed"),
        "d-refused": ("not_reachable", "no_consent"),
    }


async def test_a_run_leads_to_another_journey_which_has_its_own_rules(world: World) -> None:
    there = await world.add_journey(
        line(
            step("in", "entry_event", event="never"),
            step("wait", "delay", duration_ms=DAY),
            step("out", "exit"),
            reentry="never",
        )
    )
    goes = line(
        step("in", "entry_event", event="sign_up"),
        step("hour", "delay", duration_ms=HOUR),
        step("go", "go_to_journey", journey=to_id("Journey", there)),
    )
    here = await world.add_journey(goes)
    await world.live(world.event("sign_up", NOON, user="kim", plan="gold"), until=NOON + HOUR)
    first, second = await world.rows(Run, "entered_at", "id")
    assert (first.journey_id, first.end_reason, first.ended_at) == (here, "moved_on", NOON + HOUR)
    assert (second.journey_id, second.entered_at, second.step_key) == (there, NOON + HOUR, "wait")
    assert orjson.loads(second.properties) == {"plan": "gold"}
    await world.settle(NOON + 3 * DAY)
    await world.live(world.event("sign_up", NOON + 4 * DAY, user="kim"), until=NOON + 5 * DAY)
    assert await world.counts("refused", "reason") == {"entered_before": 1}
    async with world.db.read() as session:
        assert await recount.differences(session) == []


async def test_an_event_finds_the_run_in_the_journey_that_was_led_to_before_it(world: World) -> None:
    branch = {"output": "bought", "events": [{"event": "purchase"}]}
    there = await world.add_journey(
        fan(
            step("in", "entry_event", event="never"),
            step("wait", "wait", longest_ms=DAY, branches=[branch]),
            "bought",
            "not_triggered",
            goals=[{"key": "order", "title": "Order", "event": "purchase"}],
        )
    )
    await world.add_journey(
        line(
            step("in", "entry_event", event="sign_up"),
            step("hour", "delay", duration_ms=HOUR),
            step("go", "go_to_journey", journey=to_id("Journey", there)),
        )
    )
    # In one batch: that the hour was over is seen only when the second event asks.
    events = (("sign_up", NOON), ("purchase", NOON + 2 * HOUR))
    await world.live(*(world.event(name, at, user="kim") for name, at in events))
    (visit,) = [one for one in await world.rows(Visit) if one.step_key == "wait"]
    assert (visit.output, visit.left_at) == ("bought", NOON + 2 * HOUR)
    assert await world.counts("hits", "output") == {"order": 1}


async def test_whoever_is_led_to_a_journey_that_is_over_is_refused_there(world: World) -> None:
    there = await world.add_journey(reaching(event="never"), status="finished")
    go = step("go", "go_to_journey", journey=to_id("Journey", there))
    await world.add_journey(line(step("in", "entry_event", event="sign_up"), go))
    await world.live(world.event("sign_up", NOON, user="kim"))
    assert [(row.journey_id, row.reason) for row in await world.rows(Refusal)] == [(there, "ended")]
    async with world.db.read() as session:
        assert await recount.differences(session) == []


async def test_journeys_that_lead_to_each_other_do_not_spin(world: World) -> None:
    ids: list[int] = []
    for _ in range(2):
        graph = line(step("in", "entry_event", event="sign_up"), step("out", "exit"))
        ids.append(await world.add_journey(graph, status="draft"))
    for here, there in (ids, ids[::-1]):
        graph = line(
            step("in", "entry_event", event="sign_up" if here == ids[0] else "never"),
            step("go", "go_to_journey", journey=to_id("Journey", there)),
        )
        async with world.db.write() as session:
            version = await session.get(Version, (here, 1))
            assert version is not None
            version.graph = orjson.dumps(graph).decode()
        await world.set_status(here, "running")
    await world.live(world.event("sign_up", NOON, user="kim"))
    assert [run.end_reason for run in await world.rows(Run)] == ["moved_on", "moved_on"]
    assert [row.reason for row in await world.rows(Refusal)] == ["loop"]


async def test_how_often_is_asked_of_the_time_that_counts(world: World) -> None:
    def times(**more: Any) -> dict[str, Any]:
        return {"about": "did", "event": "view", **more}

    branches = [
        {"output": "never", "conditions": [times(ever=True, at_least=0, at_most=0)]},
        {"output": "thrice", "conditions": [times(within_ms=2 * DAY, at_least=3)]},
        {"output": "since", "conditions": [times()]},
    ]
    graph = fan(
        step("in", "entry_event", event="sign_up"),
        step("which", "split", branches=branches),
        "never",
        "thrice",
        "since",
        "otherwise",
    )
    await world.add_journey(graph)
    views: dict[str, list[int]] = {
        "never": [],
        "thrice": [DAY, HOUR, 2],
        "twice": [3 * DAY, DAY, HOUR],
        "long ago": [9 * DAY],
    }
    for name, ago in views.items():
        await world.live(*(world.event("view", NOON - before, user=name) for before in ago))
    await world.live(*(world.event("sign_up", NOON, user=name) for name in views))
    users = {(row.shard, row.number): row.user_id for row in await world.rows(User)}
    found = {
        users[row.shard, row.user_number]: row.output
        for row in await world.rows(Visit)
        if row.step_key == "which"
    }
    assert found == {
        "never": "never",
        "thrice": "thrice",
        "twice": "otherwise",
        "long ago": "otherwise",
    }
    saw = [orjson.loads(row.saw) for row in await world.rows(Visit) if row.step_key == "which"]
    assert all("did view" in one for one in saw)
