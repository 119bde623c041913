"""Splits by chance and holdouts in the engine: who gets what, what is counted, and who decides."""

from collections import Counter as Tally
from collections.abc import Mapping
from datetime import date
from typing import Any

import orjson
import pytest

from server.aggregates import recount
from server.aggregates.ask import Question, Span, figures
from server.aggregates.metrics import Dimension, Metric
from server.journey.draws import draw
from server.store import setup, verdicts
from server.store.tables import Journey, Message, User, Verdict, Version, Visit
from tests.server.schema.api import hear
from tests.world import DAY, HOUR, NOON, World, line, step

pytestmark = pytest.mark.anyio

GOAL = {"key": "bought", "event": "purchase", "window_ms": 7 * DAY, "amount_property": "total"}
HALVES = [{"output": "a", "percent": 50}, {"output": "b", "percent": 50}]


def splitting(*branches: dict[str, Any], sends: bool = False, before: int = 0, **more: Any) -> dict[str, Any]:
    """Enter on sign_up, perhaps wait, draw a branch, perhaps send, wait an hour, leave."""
    split = step("split", "ab_split", branches=list(branches or HALVES), **more.pop("split", {}))
    mail = [step("mail", "email", connection="mail", subject="Hello", text="Hello")] if sends else []
    wait = [step("wait", "delay", duration_ms=before)] if before else []
    rest = [*mail, step("hour", "delay", duration_ms=HOUR), step("done", "exit")]
    graph = line(step("entry", "entry_event", event="sign_up"), *wait, split)
    graph["steps"] += rest
    graph["edges"] += line(*rest)["edges"]
    graph["edges"] += [
        {"from": "split", "output": one["output"], "to": rest[0]["key"]} for one in branches or HALVES
    ]
    return {**graph, "goals": [GOAL], **more}


async def sign_up(world: World, *names: str, at: int = NOON) -> None:
    await world.live(*(world.event("sign_up", at, user=name) for name in names))


async def branches(world: World) -> dict[str, list[str]]:
    """By user: the branches drawn, in the order of time."""
    found: dict[str, list[str]] = {}
    numbers = {(row.shard, row.number): row.user_id for row in await world.rows(User)}
    for visit in await world.rows(Visit, "left_at", "seq"):
        if visit.step_key == "split":
            found.setdefault(numbers[visit.shard, visit.user_number], []).append(visit.output)
    return found


async def publish(world: World, journey_id: int, graph: Mapping[str, Any]) -> None:
    """Another version, past the API."""
    async with world.db.write() as session:
        journey = await session.get(Journey, journey_id)
        assert journey is not None
        assert journey.version is not None
        journey.version += 1
        text = orjson.dumps(graph).decode()
        session.add(Version(journey_id=journey_id, number=journey.version, graph=text, published_at=0))
        await setup.touch_catalog(session)


async def agrees(world: World) -> None:
    async with world.db.read() as session:
        assert await recount.differences(session) == []


async def choose(world: World, journey_id: int, winner: str, round: int = 1, explore: int = 0) -> bool:
    async with world.db.write() as session:
        return await verdicts.give(
            session,
            Verdict(
                project_id=world.project_id,
                journey_id=journey_id,
                step_key="split",
                round=round,
                winner=winner,
                explore_percent=explore,
                decided_at=world.clock.now(),
                decided_by=verdicts.PEOPLE,
            ),
        )


PEOPLE = [f"user {number}" for number in range(120)]


async def test_everybody_gets_the_same_branch_every_time(world: World) -> None:
    await world.add_journey(splitting())
    await sign_up(world, *PEOPLE)
    await sign_up(world, *PEOPLE, at=NOON + DAY)
    found = await branches(world)
    assert all(len(drawn) == 2 and len(set(drawn)) == 1 for drawn in found.values())
    shares = Tally(drawn[0] for drawn in found.values())
    assert 40 <= shares["a"] <= 80
    assert await world.counts("left", "step_key", "output") == {
        ("entry", "next"): 240,
        ("split", "a"): 2 * shares["a"],
        ("split", "b"): 2 * shares["b"],
        ("hour", "next"): 120,
    }
    await agrees(world)


async def test_changed_percentages_move_newcomers_and_leave_those_who_know_their_branch(world: World) -> None:
    journey_id = await world.add_journey(splitting())
    await sign_up(world, *PEOPLE)
    before = await branches(world)
    await publish(
        world, journey_id, splitting({"output": "a", "percent": 0}, {"output": "b", "percent": 100})
    )
    await sign_up(world, *PEOPLE, "newcomer", at=NOON + DAY)
    after = await branches(world)
    assert after.pop("newcomer") == ["b"]
    assert all(drawn == 2 * before[name] for name, drawn in after.items())
    [seen] = {visit.saw for visit in await world.rows(Visit) if visit.saw != "{}" and visit.version == 1}
    assert orjson.loads(seen) == {"version": 1, "round": 0}
    await agrees(world)


async def test_a_winner_takes_the_newcomers_and_the_others_keep_a_share(world: World) -> None:
    journey_id = await world.add_journey(splitting())
    await sign_up(world, *PEOPLE[:20])
    before = await branches(world)
    assert await choose(world, journey_id, "b", explore=20)
    assert not await choose(world, journey_id, "a")
    await sign_up(world, *PEOPLE, at=NOON + DAY)
    after = await branches(world)
    assert all(after[name][1] == drawn[0] for name, drawn in before.items())
    newcomers = Tally(after[name][0] for name in PEOPLE[20:])
    assert 8 <= newcomers["a"] <= 35
    assert await choose(world, journey_id, "", round=2)
    await sign_up(world, *(f"late {number}" for number in range(60)), at=NOON + 2 * DAY)
    found = await branches(world)
    late = Tally(found[f"late {number}"][0] for number in range(60))
    assert 15 <= late["a"] <= 45
    await agrees(world)


async def test_who_need_not_keep_the_branch_follows_the_winner(world: World) -> None:
    journey_id = await world.add_journey(splitting(split={"keeps": False}))
    await sign_up(world, *PEOPLE[:30])
    await choose(world, journey_id, "b")
    await sign_up(world, *PEOPLE[:30], at=NOON + DAY)
    assert {drawn[1] for drawn in (await branches(world)).values()} == {"b"}
    await agrees(world)


async def test_the_draw_is_the_persons_also_when_only_a_timer_wakes_the_run(world: World) -> None:
    """The run is woken by its timer, in a batch that holds nothing else of the person."""
    journey_id = await world.add_journey(splitting(before=HOUR))
    await sign_up(world, *PEOPLE)
    await world.settle(NOON + 3 * HOUR)
    wanted = {name: [draw({"a": 50, "b": 50}, name, str(journey_id), "split")] for name in PEOPLE}
    assert await branches(world) == wanted


async def test_a_random_split_draws_afresh_each_time(world: World) -> None:
    graph = splitting()
    graph["steps"][1]["kind"] = "random_split"
    await world.add_journey(graph)
    for day in range(12):
        await sign_up(world, "kim", "lee", at=NOON + day * DAY)
    drawn = (await branches(world))["kim"]
    assert {"a", "b"} == set(drawn)
    assert drawn != (await branches(world))["lee"]
    await agrees(world)


async def test_a_goal_counts_for_the_branch_from_the_draw_on_and_once_a_run(world: World) -> None:
    await world.add_journey(splitting(before=HOUR))
    await sign_up(world, "kim")
    await world.live(world.event("purchase", NOON + HOUR // 2, user="kim", total=1))
    assert await world.counts("variant_reached", "output") == {}
    # The first hit after the draw counts, and one that comes late takes its place.
    await world.live(world.event("purchase", NOON + 5 * HOUR, user="kim", total=5))
    await world.live(world.event("purchase", NOON + 6 * HOUR, user="kim", total=6))
    await world.live(world.event("purchase", NOON + 4 * HOUR, user="kim", total=4))
    # One that happened before the draw counts for the journey alone, whenever we hear of it.
    await world.live(world.event("purchase", NOON + HOUR - 1, user="kim", total=9))
    [drawn] = (await branches(world))["kim"]
    assert await world.counts("variant_reached", "step_key", "output", "reason") == {
        ("split", drawn, "bought"): 1
    }
    [counted] = [row for row in await world.hours() if row.metric == "variant_reached" and row.n]
    assert (counted.amount, counted.span) == (4 * 10_000, NOON + 4 * HOUR)
    assert await world.counts("reached", "output") == {"bought": 1}
    await agrees(world)


DECIDES = {"decides": {"by": "goal", "goal": "bought", "least_people": 30, "explore_percent": 10}}


async def test_it_chooses_by_a_goal_once_the_evidence_suffices(world: World) -> None:
    journey_id = await world.add_journey(splitting(split=DECIDES))
    names = [f"user {number}" for number in range(300)]
    await sign_up(world, *names)
    drawn = await branches(world)
    buyers = [name for name in names if drawn[name] == ["b"]][:80]
    # As many as the least it takes, and one of A among them.
    buyers.append(next(name for name in names if drawn[name] == ["a"]))
    for index, name in enumerate(buyers):
        await world.live(world.event("purchase", NOON + HOUR + index * 1000, user=name, total=1))
    [verdict] = await world.rows(Verdict)
    assert (verdict.winner, verdict.explore_percent, verdict.decided_by) == ("b", 10, "test")
    assert verdict.journey_id == journey_id
    told = orjson.loads(verdict.evidence)
    assert told["by"] == "goal"
    assert told["branches"]["b"]["hits"] < 80
    assert told["branches"]["b"]["low"] > 0
    assert told["branches"]["b"]["p_value"] <= 0.05
    newcomers = [f"new {number}" for number in range(60)]
    await sign_up(world, *newcomers, at=NOON + DAY)
    after = await branches(world)
    assert Tally(after[name][0] for name in newcomers)["b"] >= 45
    await agrees(world)


async def test_without_a_difference_it_goes_on(world: World) -> None:
    await world.add_journey(splitting(split=DECIDES))
    await sign_up(world, *PEOPLE)
    await world.live(*(world.event("purchase", NOON + HOUR, user=name) for name in PEOPLE))
    assert await world.rows(Verdict) == []


async def test_it_waits_for_enough_people(world: World) -> None:
    decides = {"decides": {**DECIDES["decides"], "least_people": 10_000}}
    await world.add_journey(splitting(split=decides))
    await sign_up(world, *PEOPLE)
    for name, drawn in (await branches(world)).items():
        if drawn == ["b"]:
            await world.live(world.event("purchase", NOON + HOUR, user=name))
    assert await world.rows(Verdict) == []


async def test_one_person_who_comes_ten_times_is_no_evidence_of_ten(world: World) -> None:
    decides = {"decides": {**DECIDES["decides"], "least_people": 1}}
    await world.add_journey(splitting(split=decides))
    await sign_up(world, *PEOPLE[:10])
    drawn = await branches(world)
    buyer = next(name for name in PEOPLE[:10] if drawn[name] == ["b"])
    for day in range(1, 40):
        await sign_up(world, buyer, at=NOON + day * DAY)
        await world.live(world.event("purchase", NOON + day * DAY + HOUR // 2, user=buyer))
    assert await world.counts("variant_reached", "output") == {"b": 40}
    assert await world.rows(Verdict) == []
    await agrees(world)


async def test_it_chooses_by_the_clicks_of_people_not_of_machines(world: World) -> None:
    await world.add_connection()
    decides = {"decides": {"by": "clicked", "least_people": 10}}
    await world.add_journey(splitting(sends=True, split=decides))
    names = [f"user {number}" for number in range(160)]
    for name in names:
        await world.send(
            world.event("", NOON, user=name, type="identify", email=f"{name.replace(' ', '')}@example.com")
        )
    await world.settle()
    await sign_up(world, *names, at=NOON + 1000)
    messages = await world.rows(Message, "id")
    assert len(messages) == 160
    for message in messages:
        [(output, version, round)] = orjson.loads(message.variants).values()
        assert (version, round) == (1, 0)
        actor = "human" if output == "b" else "machine"
        at = NOON + HOUR + message.id % 1000
        await hear(world, message.id, ("accepted", NOON + 2000, {}), ("clicked", at, {"actor": actor}))
    [verdict] = await world.rows(Verdict)
    assert verdict.winner == "b"
    assert orjson.loads(verdict.evidence)["branches"]["a"]["hits"] == 0
    sent = await world.counts("variant_sent", "output")
    assert sum(sent.values()) == 160
    clicked = await world.counts("variant_clicked", "output", "reason")
    assert clicked == {
        ("a", ""): sent["a"],
        ("a", "machine"): sent["a"],
        ("b", ""): sent["b"],
        ("b", "human"): sent["b"],
    }
    await agrees(world)


async def test_who_is_held_out_gets_nothing_and_is_counted_apart(world: World) -> None:
    await world.add_connection()
    journey_id = await world.add_journey(splitting(sends=True, holdout_percent=30))
    for day in range(2):
        await sign_up(world, *PEOPLE, at=NOON + day * DAY)
    runs = await world.runs()
    held = {(run.shard, run.user_number) for run in runs if run.variant == "holdout"}
    assert 20 <= len(held) <= 55
    assert len(runs) == 240
    assert all(((run.shard, run.user_number) in held) == (run.variant == "holdout") for run in runs)
    assert {run.end_reason for run in runs if run.variant} == {"held_out"}
    assert held.isdisjoint({(row.shard, row.user_number) for row in await world.rows(Message)})
    await world.live(*(world.event("purchase", NOON + 2 * DAY, user=name, total=1) for name in PEOPLE))
    apart = await world.counts("entries", "variant")
    assert apart == {"": 240 - 2 * len(held), "holdout": 2 * len(held)}
    assert (await world.counts("reached", "variant"))["holdout"] == 2 * len(held)
    span = Span("Asia/Seoul")
    async with world.db.read() as session:
        values = {journey_id: [str(journey_id), f"{journey_id}/bought"]}
        answer = (
            await figures(session, Question(world.project_id, span), world.shards, values, date(2024, 3, 20))
        )[journey_id]
    assert answer.total(Metric.ENTRIES) == 240 - 2 * len(held)
    assert answer.users(Dimension.ENTERED, str(journey_id)) == 120 - len(held)
    assert answer.users(Dimension.REACHED, f"{journey_id}/bought") == 120 - len(held)
    assert answer.inside_now() == 0
    assert sum(one.n for one in answer.held_out if one.metric == "ended") == 2 * len(held)
    await agrees(world)
