"""People are let in over the API: by their ids, by a segment or by a list; each gets an answer."""

from collections.abc import AsyncIterator
from io import StringIO
from typing import Any

import orjson
import pytest

from server.lists import audience
from server.schema.ids import to_id
from server.store import segments, setup
from server.store.tables import EntryAnswer, Run, User
from tests.server.engine.balance import balances
from tests.server.engine.divided import divided_world, without_complaint
from tests.server.schema.api import Api, open_api
from tests.world import HOUR, NOON, World, line, step

pytestmark = pytest.mark.anyio

REQUEST = """... on EnterJourneyPayload { request {
  id asked segment list
  progress { entered refused refusedBy { reason count } isDone }
} }"""
ASK = """query($id: ID!, $refused: Boolean) { node(id: $id) { ... on EntryRequest {
  journey { title }
  progress { entered refused refusedBy { reason count } isDone }
  answers(first: 50, refused: $refused) { edges { node { kind value refused runId } } }
} } }"""


@pytest.fixture
async def wide_api() -> AsyncIterator[Api]:
    """Over four shards."""
    with without_complaint():
        async with divided_world(4) as world, open_api(world) as opened:
            yield opened


def graph(*more: Any, **settings: Any) -> dict[str, Any]:
    wait = step("wait", "delay", duration_ms=HOUR)
    return line(step("in", "entry_api"), *more, wait, step("out", "exit"), **settings)


async def enter(api: Api, journey: int, **input: Any) -> Any:
    found = await api.change("enterJourney", REQUEST, id=to_id("Journey", journey), **input)
    await api.world.settle()
    return found


async def people(world: World, *names: str) -> None:
    await world.live(*(world.event("", NOON, user=name, type="identify", n=name) for name in names))


async def became(api: Api, made: Any, **more: Any) -> Any:
    found = (await api.ask(ASK, id=made["request"]["id"], **more))["node"]
    answers = [edge["node"] for edge in found["answers"]["edges"]]
    return found["progress"], sorted(answers, key=lambda one: one["value"])


async def test_each_person_gets_an_answer(wide_api: Api) -> None:
    api, world = wide_api, wide_api.world
    await people(world, "kim", "lee", "park")
    await world.live(world.event("view", NOON, anonymous="phone"))
    journey = await world.add_journey(graph(), title="Welcome")
    made = await enter(api, journey, userIds=["kim", "lee", "kim", "nobody"], anonymousIds=["phone"])
    assert made["request"]["asked"] == 4
    progress, answers = await became(api, made)
    assert progress == {
        "entered": 3,
        "refused": 1,
        "refusedBy": [{"reason": "UNKNOWN_USER", "count": 1}],
        "isDone": True,
    }
    assert [(one["kind"], one["value"], one["refused"]) for one in answers] == [
        ("USER_ID", "kim", None),
        ("USER_ID", "lee", None),
        ("USER_ID", "nobody", "UNKNOWN_USER"),
        ("ANONYMOUS_ID", "phone", None),
    ]
    _, refused = await became(api, made, refused=True)
    assert [one["value"] for one in refused] == ["nobody"]
    ids = {to_id("Run", run.id) for run in await world.runs()}
    assert {one["runId"] for one in answers if one["runId"]} == ids
    again = await enter(api, journey, userIds=["kim", "park"])
    progress, _ = await became(api, again)
    assert progress["refusedBy"] == [{"reason": "ALREADY_INSIDE", "count": 1}]
    await balances(world)


async def test_new_users_are_made_if_it_is_wanted(wide_api: Api) -> None:
    api, world = wide_api, wide_api.world
    journey = await world.add_journey(graph())
    made = await enter(api, journey, userIds=["new", "newer"], anonymousIds=["hwid"], createUsers=True)
    assert (await became(api, made))[0]["entered"] == 3
    assert sorted(user.user_id or "" for user in await world.rows(User)) == ["", "new", "newer"]
    await world.live(world.event("view", NOON + 1, user="new"))
    assert len(await world.rows(User)) == 3
    await balances(world)


async def test_properties_are_those_of_what_let_them_in(api: Api) -> None:
    world = api.world
    await people(world, "kim")
    condition = {"about": "property", "name": "coupon", "operator": "equals", "value": "A1"}
    split = step("which", "split", branches=[{"output": "yes", "conditions": [condition]}])
    drawn = graph(split)
    drawn["edges"] = [edge for edge in drawn["edges"] if edge["from"] != "which"]
    drawn["edges"] += [{"from": "which", "output": one, "to": "wait"} for one in ("yes", "otherwise")]
    journey = await world.add_journey(drawn)
    await enter(api, journey, userIds=["kim"], properties={"coupon": "A1"})
    [run] = await world.runs()
    assert ("which", "yes") in await world.path(run.id)


async def test_the_same_key_lets_nobody_in_again(api: Api) -> None:
    await people(api.world, "kim", "lee")
    journey = await api.world.add_journey(graph())
    first = await enter(api, journey, userIds=["kim"], idempotencyKey="a")
    again = await enter(api, journey, userIds=["kim"], idempotencyKey="a")
    assert again["request"]["id"] == first["request"]["id"]
    assert len(await api.world.rows(EntryAnswer)) == len(await api.world.rows(Run)) == 1
    other = await enter(api, journey, userIds=["lee"], idempotencyKey="a")
    assert other["code"] == "IDEMPOTENCY_CONFLICT"


async def test_a_segment_and_a_list_are_let_in_as_a_launch(wide_api: Api) -> None:
    api, world = wide_api, wide_api.world
    await people(world, "kim", "lee", "park")
    journey = await world.add_journey(graph())
    async with world.db.write() as session:
        conditions = '{"attribute": {"name": "n", "operator": "equals", "value": "lee"}}'
        await segments.create(session, world.project_id, "only lee", conditions, NOON)
        await setup.touch_catalog(session)
    about = (
        world.db,
        StringIO("user_id\npark\nlee"),
        world.project_id,
        world.shards,
        audience.Wish("march"),
        NOON,
    )
    await audience.take_in(*about)
    await world.settle()
    made = await enter(api, journey, segment="only lee", properties={"a": 1})
    assert (made["request"]["asked"], made["request"]["segment"]) == (None, "only lee")
    progress, _ = await became(api, made)
    assert (progress["entered"], progress["refused"], progress["isDone"]) == (1, 0, True)
    made = await enter(api, journey, list="march")
    progress, _ = await became(api, made)
    assert (progress["entered"], progress["refused"], progress["isDone"]) == (1, 1, True)
    assert [orjson.loads(run.properties) for run in await world.runs()] == [{"a": 1}, {}]
    text = "query($id: ID!) { journey(id: $id) { kind launches { entry day entered requestId } } }"
    found = (await api.ask(text, id=to_id("Journey", journey)))["journey"]
    assert found["kind"] == "API"
    assert sorted(one["entered"] for one in found["launches"]) == [1, 1]
    assert all(one["requestId"] and one["day"] is None for one in found["launches"])
    await balances(world)


@pytest.mark.parametrize(
    ("input", "path"),
    [
        ({}, "userIds"),
        ({"userIds": ["kim"], "segment": "x"}, "userIds"),
        ({"userIds": [""]}, "userIds"),
        ({"userIds": [f"u{n}" for n in range(10_001)]}, "userIds"),
        ({"userIds": ["kim"], "properties": [1]}, "properties"),
        ({"userIds": ["kim"], "entry": "out"}, "entry"),
        ({"segment": "x"}, "segment"),
        ({"list": "x"}, "list"),
    ],
)
async def test_what_cannot_be_is_refused_with_its_path(small_api: Api, input: Any, path: str) -> None:
    journey = await small_api.world.add_journey(graph())
    refused = await enter(small_api, journey, **input)
    assert refused["path"] == ["input", path]


async def test_only_a_running_journey_lets_people_in(small_api: Api) -> None:
    world = small_api.world
    journey = await world.add_journey(graph())
    await world.set_status(journey, "paused")
    refused = await enter(small_api, journey, userIds=["kim"])
    assert (refused["__typename"], refused["status"]) == ("NotAllowedProblem", "PAUSED")


async def test_who_is_asked_for_when_the_journey_has_been_stopped_is_answered(small_api: Api) -> None:
    api, world = small_api, small_api.world
    await people(world, "kim")
    journey = await world.add_journey(graph())
    made = await api.change("enterJourney", REQUEST, id=to_id("Journey", journey), userIds=["kim"])
    await world.set_status(journey, "finished")
    await world.settle()
    progress, _ = await became(api, made)
    assert progress["refusedBy"] == [{"reason": "ENDED", "count": 1}]


async def test_an_entry_by_audience_is_drawn_and_shown(api: Api) -> None:
    entry = {
        "key": "in",
        "segment": "x",
        "when": {"everyWeeks": {"weekdays": ["MONDAY"], "start": "2024-03-01", "at": "09:00"}},
        "zone": "PERSON",
        "ifPassed": "SKIP",
    }
    steps = [{"entryAudience": entry}, {"entryApi": {"key": "also"}}, {"exit": {"key": "out"}}]
    edges = [{"from": key, "to": "out"} for key in ("in", "also")]
    made = await api.change(
        "createJourney",
        """... on CreateJourneyPayload { journey { kind draft {
            problems { code path }
            steps { ... on EntryAudienceStep {
                segment list zone ifPassed relaunches
                when { kind at dates every weekdays start until }
            } }
        } } }""",
        title="x", graph={"steps": steps, "edges": edges},
    )  # fmt: skip
    assert made["journey"]["kind"] == "MIXED"
    draft = made["journey"]["draft"]
    [problem] = draft["problems"]
    assert problem["path"] == ["input", "graph", "steps", "0", "entryAudience", "segment"]
    assert problem["code"] == "UNKNOWN_SEGMENT"
    assert draft["steps"][0] == {
        "segment": "x", "list": None, "zone": "PERSON", "ifPassed": "SKIP", "relaunches": False,
        "when": {
            "kind": "EVERY_WEEKS", "at": "09:00", "dates": [], "every": 1, "weekdays": ["MONDAY"],
            "start": "2024-03-01", "until": None,
        },
    }  # fmt: skip


async def test_the_launches_of_many_journeys_take_as_many_statements_as_those_of_one(api: Api) -> None:
    asked = "{ journeys(first: 10) { edges { node { title launches { entry requestId } } } } }"
    await people(api.world, "kim")
    await audience.take_in(
        api.world.db,
        StringIO("user_id\nkim"),
        api.world.project_id,
        api.world.shards,
        audience.Wish("march"),
        NOON,
    )
    counts = []
    for _ in range(3):
        journey = await api.world.add_journey(graph())
        await enter(api, journey, list="march")
        with api.statements() as seen:
            found = (await api.ask(asked))["journeys"]["edges"]
        assert all(len(one["node"]["launches"]) == 1 for one in found)
        counts.append(len(seen))
    assert len(set(counts)) == 1
