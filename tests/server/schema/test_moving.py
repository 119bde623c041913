"""A new version is published while people are inside: they stay, move from step to step, or end."""

from typing import Any

import orjson
import pytest
from sqlalchemy import update

from server.aggregates import recount
from server.schema.ids import to_id
from server.store.bulk import table_of
from server.store.tables import Journey, Message, Run, Visit
from tests.server.engine.flows import first_message, heard
from tests.server.schema.api import Api
from tests.server.schema.test_changes import graph, start
from tests.world import DAY, HOUR, MINUTE, NOON, saying, step

pytestmark = pytest.mark.anyio

MOVED = """... on PublishJourneyPayload { version { number } staying moving ending
    inside { versionNumber stepKey waiting fate to } }"""


def changed(hours: int = 1, wait: str = "hour", *, mail: bool = False) -> dict[str, Any]:
    """The abandoned cart with another wait, which goes straight to its end or to the e-mail."""
    drawn = graph()
    drawn["steps"][1] = {"delay": {"key": wait, "durationSeconds": hours * 3600}}
    target = "mail" if mail else "done"
    drawn["steps"] = [one for one in drawn["steps"] if "split" not in one and ("email" not in one or mail)]
    drawn["edges"] = [{"from": "cart", "to": wait}, {"from": wait, "to": target}]
    drawn["edges"] += [{"from": "mail", "to": "done"}] if mail else []
    return drawn


async def publish(
    api: Api, journey_id: str, drawn: dict[str, Any], *, revision: int = 1, **more: Any
) -> dict[str, Any]:
    saved = await api.change("saveDraft", id=journey_id, graph=drawn, expectedRevision=revision)
    assert saved["__typename"] == "SaveDraftPayload", saved
    done = await api.change("publishJourney", MOVED, id=journey_id, **more)
    await api.world.settle()
    return done


async def figures_hold(api: Api) -> None:
    world = api.world
    async with world.db.read() as session:
        assert await recount.differences(session) == []
    runs = await world.rows(Run)
    sums = {
        name: await world.counts(name, "version") for name in ("entries", "ended", "moved_in", "moved_out")
    }
    for version in {run.version for run in runs} | set(sums["entries"]):
        inside = sum(run.wake_at is not None and run.version == version for run in runs)
        came = sums["entries"].get(version, 0) + sums["moved_in"].get(version, 0)
        assert came == inside + sums["ended"].get(version, 0) + sums["moved_out"].get(version, 0)
    by = ("version", "step_key")
    arrived, left, ended = [await world.counts(name, *by) for name in ("arrivals", "left", "ended")]
    for key in {*arrived, *left, *ended}:
        waiting = sum(run.wake_at is not None and (run.version, run.step_key) == key for run in runs)
        assert arrived.get(key, 0) == waiting + left.get(key, 0) + ended.get(key, 0), key


async def test_by_default_everybody_stays(api: Api) -> None:
    world, journey_id = api.world, await start(api)
    await world.live(world.event("add_to_cart", NOON, user="kim"))
    done = await publish(api, journey_id, changed(2))
    assert (done["staying"], done["moving"], done["ending"]) == (1, 0, 0)
    assert [(run.version, run.wake_at) for run in await world.runs()] == [(1, NOON + HOUR)]
    await figures_hold(api)


async def test_a_wait_goes_on_counting_from_when_it_began(api: Api) -> None:
    world, journey_id = api.world, await start(api)
    await world.live(world.event("add_to_cart", NOON, user="kim"))
    await world.settle(NOON + 40 * MINUTE)
    done = await publish(api, journey_id, changed(2), peopleInside={"fate": "MOVE"})
    assert (done["version"], done["staying"], done["moving"]) == ({"number": 2}, 0, 1)
    assert done["inside"] == [
        {"versionNumber": 1, "stepKey": "hour", "waiting": 1, "fate": "MOVES", "to": "hour"}
    ]
    [run] = await world.runs()
    assert (run.version, run.step_key, run.arrived_at) == (2, "hour", NOON + 40 * MINUTE)
    assert run.wake_at == NOON + 2 * HOUR
    assert await world.path(run.id) == [("cart", "next"), ("hour", "@2")]
    await figures_hold(api)
    await world.settle(NOON + DAY)
    assert (await world.runs())[0].end_reason == "completed"
    await figures_hold(api)


async def test_a_wait_that_would_be_over_by_now_is_over_now(api: Api) -> None:
    world, journey_id = api.world, await start(api)
    drawn = changed(10)
    await publish(api, journey_id, drawn)
    await world.live(world.event("add_to_cart", NOON, user="kim"))
    await world.settle(NOON + 5 * HOUR)
    await publish(api, journey_id, changed(2), revision=2, peopleInside={"fate": "MOVE"})
    [run] = await world.runs()
    assert (run.end_reason, run.ended_at) == ("completed", NOON + 5 * HOUR)
    await figures_hold(api)


async def test_people_move_by_the_map_and_a_message_step_sends(api: Api) -> None:
    world, journey_id = api.world, await start(api)
    await world.live(world.event("", NOON, user="kim", type="identify", email="kim@example.com"))
    await world.live(world.event("add_to_cart", NOON, user="kim"))
    moves = {"fate": "MOVE", "map": [{"from": "hour", "to": "mail"}]}
    done = await publish(api, journey_id, changed(2, "other", mail=True), peopleInside=moves)
    assert done["inside"][0]["to"] == "mail"
    [run] = await world.runs()
    assert await world.path(run.id) == [
        ("cart", "next"),
        ("hour", "@2"),
        ("mail", "next"),
        ("done", "completed"),
    ]
    [message] = await world.rows(Message)
    assert (message.step_key, message.version, message.address) == ("mail", 2, "kim@example.com")
    await figures_hold(api)


@pytest.mark.parametrize(("unmapped", "fate"), [("STAY", "STAYS"), ("END", "ENDS")])
async def test_whoever_waits_where_nothing_leads_on_stays_or_ends(api: Api, unmapped: str, fate: str) -> None:
    world, journey_id = api.world, await start(api)
    await world.live(world.event("add_to_cart", NOON, user="kim"))
    inside = {"fate": "MOVE", "unmapped": unmapped}
    done = await publish(api, journey_id, changed(2, "other"), peopleInside=inside)
    assert [one["fate"] for one in done["inside"]] == [fate]
    [run] = await world.runs()
    assert (run.version, run.end_reason) == (1, "edited" if unmapped == "END" else None)
    await figures_hold(api)
    await world.settle(NOON + DAY)
    await figures_hold(api)


async def test_everybody_can_end(api: Api) -> None:
    world, journey_id = api.world, await start(api)
    await world.live(*(world.event("add_to_cart", NOON, user=f"user {n}") for n in range(5)))
    done = await publish(api, journey_id, changed(2), peopleInside={"fate": "END"})
    assert done["ending"] == 5
    assert await world.counts("ended", "reason") == {"edited": 5}
    await figures_hold(api)


async def test_a_dry_run_counts_and_changes_nothing(api: Api) -> None:
    world, journey_id = api.world, await start(api)
    await world.live(*(world.event("add_to_cart", NOON, user=f"user {n}") for n in range(3)))
    about = {"peopleInside": {"fate": "MOVE"}, "dryRun": True}
    tried = await publish(api, journey_id, changed(2), **about)
    assert (tried["version"], tried["moving"]) == (None, 3)
    assert {run.version for run in await world.runs()} == {1}
    await figures_hold(api)


async def test_many_move_a_page_a_turn(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.engine.intake.MOST_STOPPED", 2)
    world, journey_id = api.world, await start(api)
    await world.live(*(world.event("add_to_cart", NOON, user=f"user {n}") for n in range(9)))
    await publish(api, journey_id, changed(2), peopleInside={"fate": "MOVE"})
    assert [run.version for run in await world.runs()] == [2] * 9
    # Those who stay do not come up again and again either.
    await publish(api, journey_id, changed(2, "other"), revision=2, peopleInside={"fate": "MOVE"})
    assert [run.version for run in await world.runs()] == [2] * 9
    await figures_hold(api)


async def test_whoever_moves_in_a_pause_has_what_was_left_of_the_wait(api: Api) -> None:
    world, journey_id = api.world, await start(api)
    await world.live(world.event("add_to_cart", NOON, user="kim"))
    await world.settle(NOON + 20 * MINUTE)
    await api.change("pauseJourney", id=journey_id)
    await world.settle(NOON + 3 * HOUR)
    await publish(api, journey_id, changed(2), peopleInside={"fate": "MOVE"})
    [run] = await world.runs()
    assert (run.version, bool(run.held)) == (2, True)
    await world.settle(NOON + 4 * HOUR)
    await api.change("resumeJourney", id=journey_id)
    await world.settle()
    [run] = await world.runs()
    assert run.wake_at == NOON + 4 * HOUR + 100 * MINUTE
    await figures_hold(api)


async def test_a_wait_that_begins_in_a_pause_begins_with_its_end(api: Api) -> None:
    world, journey_id = api.world, await start(api)
    await world.live(world.event("add_to_cart", NOON, user="kim"))
    await api.change("pauseJourney", id=journey_id)
    await world.settle(NOON + 3 * HOUR)
    drawn = changed(2, "other", mail=True)
    drawn["steps"].insert(3, {"delay": {"key": "later", "durationSeconds": 3600}})
    drawn["edges"] = [one for one in drawn["edges"] if one["from"] != "mail"]
    drawn["edges"] += [{"from": "mail", "to": "later"}, {"from": "later", "to": "done"}]
    moves = {"fate": "MOVE", "map": [{"from": "hour", "to": "mail"}]}
    done = await publish(api, journey_id, drawn, peopleInside=moves)
    assert done["moving"] == 1, done
    assert (await world.runs())[0].step_key == "later"
    await world.settle(NOON + 4 * HOUR)
    await api.change("resumeJourney", id=journey_id)
    await world.settle()
    [run] = await world.runs()
    assert run.wake_at == NOON + 5 * HOUR
    await figures_hold(api)


@pytest.mark.parametrize(
    ("inside", "path"),
    [
        ({"fate": "MOVE", "map": [{"from": "hour", "to": "nowhere"}]}, ["0", "to"]),
        ({"fate": "MOVE", "map": [{"from": "hour", "to": "cart"}]}, ["0", "to"]),
        ({"fate": "MOVE", "map": [{"from": "nowhere", "to": "hour"}]}, ["0", "from"]),
        ({"fate": "MOVE", "map": [{"from": "hour", "to": "hour"}, {"from": "hour", "to": "done"}]}, []),
        ({"fate": "END", "map": [{"from": "hour", "to": "hour"}]}, []),
    ],
)
async def test_a_map_that_cannot_be_is_refused(
    small_api: Api, inside: dict[str, Any], path: list[str]
) -> None:
    journey_id = await start(small_api)
    refused = await publish(small_api, journey_id, changed(2), peopleInside=inside)
    assert (refused["__typename"], refused["path"]) == (
        "InputProblem",
        ["input", "peopleInside", "map", *path],
    )


async def test_a_path_is_drawn_on_the_versions_that_it_travelled(api: Api) -> None:
    world, journey_id = api.world, await start(api)
    await world.live(world.event("add_to_cart", NOON, user="kim"))
    moves = {"fate": "MOVE", "map": [{"from": "hour", "to": "other"}]}
    await publish(api, journey_id, changed(2, "other"), peopleInside=moves)
    found = await api.ask(
        """query($id: ID!) { journey(id: $id) { runs { edges { node {
            versionNumber visits { versionNumber step { key } output because } } } } } }""",
        id=journey_id,
    )
    [run] = [edge["node"] for edge in found["journey"]["runs"]["edges"]]
    assert run["versionNumber"] == 2
    assert [(one["versionNumber"], one["step"]["key"], one["output"]) for one in run["visits"]] == [
        (1, "cart", "next"),
        (1, "hour", "@2"),
        (2, "other", None),
    ]


async def test_deleted_steps_keep_their_figures_and_moves_are_told(api: Api) -> None:
    world, journey_id = api.world, await start(api)
    await world.live(world.event("add_to_cart", NOON, user="kim"))
    moves = {"fate": "MOVE", "map": [{"from": "hour", "to": "other"}]}
    await publish(api, journey_id, changed(2, "other"), peopleInside=moves)
    found = await api.ask(
        """query($id: ID!) { journey(id: $id) {
            stats { audience { entries insideNow ended movedIn movedOut }
                steps { step { key } isCurrent arrivals { total } left waitingNow movedIn movedOut } }
            first: stats(version: 1) { audience { entries insideNow movedIn movedOut } }
            second: stats(version: 2) { audience { entries insideNow movedIn movedOut } } } }""",
        id=journey_id,
    )
    steps = {one["step"]["key"]: one for one in found["journey"]["stats"]["steps"]}
    hour, other = steps["hour"], steps["other"]
    assert (hour["isCurrent"], hour["arrivals"]["total"], hour["left"], hour["movedOut"]) == (False, 1, 1, 1)
    assert (other["isCurrent"], other["waitingNow"], other["movedIn"]) == (True, 1, 1)
    first, second = (found["journey"][name]["audience"] for name in ("first", "second"))
    assert first == {"entries": 1, "insideNow": 0, "movedIn": 0, "movedOut": 1}
    assert second == {"entries": 0, "insideNow": 1, "movedIn": 1, "movedOut": 0}


async def test_a_goal_that_was_reached_before_a_move_is_counted_in_the_version_of_its_time(api: Api) -> None:
    world, journey_id = api.world, await start(api)
    await world.live(world.event("add_to_cart", NOON, user="kim"))
    await world.live(world.event("purchase", NOON + 20 * MINUTE, user="kim"))
    await publish(api, journey_id, changed(2), peopleInside={"fate": "MOVE"})
    # Earlier than the first, and heard of only now.
    await world.live(world.event("purchase", NOON + 10 * MINUTE, user="kim"))
    assert await world.counts("reached", "version") == {2: 1}
    await figures_hold(api)


async def test_whoever_is_merged_meanwhile_moves_where_it_arrives(api: Api) -> None:
    """The nameless user's run is on its way to another shard while that one has moved its people already."""
    world, journey_id = api.world, await start(api)
    for n in range(4):
        await world.live(world.event("view", NOON, user=f"kim {n}"))
        await world.live(world.event("add_to_cart", NOON, anonymous=f"phone {n}"))
    drawn = changed(2)
    await api.change("saveDraft", id=journey_id, graph=drawn, expectedRevision=1)
    both = [world.event("view", NOON + MINUTE, user=f"kim {n}", anonymous=f"phone {n}") for n in range(4)]
    await world.send(*both)
    await api.change("publishJourney", id=journey_id, peopleInside={"fate": "MOVE"})
    await world.settle(NOON + 2 * MINUTE)
    assert {(run.version, run.step_key) for run in await world.runs()} == {(2, "hour")}
    await figures_hold(api)
    assert {visit.output for visit in await world.rows(Visit)} == {"next", "@2"}


def asking(split_by: str, subject: str) -> dict[str, Any]:
    """An e-mail that waits to know what becomes of it."""
    other = {"delivered": "not_delivered", "opened": "not_opened"}[split_by]
    return {
        "steps": [
            step("cart", "entry_event", event="add_to_cart"),
            saying("email", "mail", connection="mail", subject=subject, split_by=split_by),
            step("good", "exit"),
            step("bad", "exit"),
        ],
        "edges": [
            {"from": "cart", "output": "next", "to": "mail"},
            {"from": "mail", "output": split_by, "to": "good"},
            {"from": "mail", "output": other, "to": "bad"},
        ],
    }


@pytest.mark.parametrize("is_opened", [True, False])
async def test_nobody_gets_the_message_of_a_step_twice_that_waits_to_know_what_becomes_of_it(
    api: Api, is_opened: bool
) -> None:
    world = api.world
    await world.add_connection()
    number = await world.add_journey(asking("delivered", "Hello"))
    await world.live(world.event("", NOON, user="kim", type="identify", email="kim@example.com"))
    await world.live(world.event("add_to_cart", NOON, user="kim"))
    message = await first_message(world)
    await heard(world, message, "accepted", NOON + 1)
    async with world.db.write() as session:
        journey = await session.get_one(Journey, number)
        journey.draft = orjson.dumps(asking("opened", "Hello again")).decode()
    if is_opened:
        # Of no interest to the step, which waits for a delivery.
        async with world.db.write() as session:
            memory = {"messages": {str(message): {"status": "accepted", "reason": "", "heard": ["opened"]}}}
            await session.run(update(table_of(Run)).values(memory=orjson.dumps(memory).decode()))
    await api.change("publishJourney", id=to_id("Journey", number), peopleInside={"fate": "MOVE"})
    await world.settle()
    assert len(await world.rows(Message)) == 1
    [run] = await world.runs()
    assert (run.version, run.step_key) == (2, "good" if is_opened else "mail")
    if not is_opened:
        await heard(world, message, "opened", NOON + HOUR, actor="human")
        assert (await world.runs())[0].step_key == "good"
    await figures_hold(api)
