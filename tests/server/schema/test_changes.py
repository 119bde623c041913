"""Journeys are drawn, published, started, paused, resumed and stopped over the API."""

import asyncio
from typing import Any

import pytest

from tests.server.schema.api import Api
from tests.world import DAY, HOUR, MINUTE, NOON

pytestmark = pytest.mark.anyio

JOURNEY = "journey { id title category status allowedActions revision versionNumber }"


def graph(connection: str = "mail", **more: Any) -> dict[str, Any]:
    """The abandoned cart as a frontend sends it."""
    return {
        "steps": [
            {"entryEvent": {"key": "cart", "event": "add_to_cart", "position": {"x": 10, "y": 20}}},
            {"delay": {"key": "hour", "durationSeconds": 3600}},
            {
                "split": {
                    "key": "bought",
                    "branches": [{"output": "yes", "conditions": [{"did": {"event": "purchase"}}]}],
                }
            },
            {
                "email": {
                    "key": "mail",
                    "connection": connection,
                    "subject": "Still thinking, {{ user.name }}?",
                    "text": "Your cart",
                }
            },
            {"exit": {"key": "done"}},
        ],
        "edges": [
            {"from": "cart", "to": "hour"},
            {"from": "hour", "to": "bought"},
            {"from": "bought", "output": "yes", "to": "done"},
            {"from": "bought", "output": "otherwise", "to": "mail"},
            {"from": "mail", "to": "done"},
        ],
        "goals": [{"key": "bought", "event": "purchase", "windowSeconds": 7 * 86400}],
        **more,
    }


async def draw(api: Api, **more: Any) -> str:
    """The id of a new journey with a draft that can be published."""
    made = await api.change(
        "createJourney",
        "... on CreateJourneyPayload { journey { id } }",
        title="Cart",
        graph=graph(**more),
    )
    return str(made["journey"]["id"])


async def start(api: Api) -> str:
    """The id of a running journey."""
    await api.world.add_connection()
    journey_id = await draw(api)
    assert (await api.change("publishJourney", id=journey_id))["__typename"] == "PublishJourneyPayload"
    assert (await api.change("startJourney", id=journey_id))["__typename"] == "StartJourneyPayload"
    return journey_id


async def test_a_journey_is_created_as_a_draft(api: Api) -> None:
    made = await api.change(
        "createJourney", f"... on CreateJourneyPayload {{ {JOURNEY} }}", title=" Cart ", category="Shop"
    )
    assert made["__typename"] == "CreateJourneyPayload"
    journey = made["journey"]
    assert {name: journey[name] for name in journey if name != "id"} == {
        "title": "Cart",
        "category": "Shop",
        "status": "DRAFT",
        "allowedActions": ["ARCHIVE"],
        "revision": 0,
        "versionNumber": None,
    }


async def test_what_is_drawn_comes_back_as_it_was_drawn(api: Api) -> None:
    journey_id = await draw(api)
    draft = (
        await api.ask(
            """query($id: ID!) { journey(id: $id) { kind draft {
                revision reentry
                steps {
                    __typename key title outputs position { x y }
                    ... on EntryEventStep { event where { name } }
                    ... on DelayStep { durationSeconds }
                    ... on SplitStep { branches { output match conditions {
                        did { event } attribute { name } property { value } } } }
                    ... on EmailStep { connection subject html text channel }
                }
                edges { from output to }
                goals { key title event windowSeconds endsJourney }
                problems { message code path }
            } } }""",
            id=journey_id,
        )
    )["journey"]["draft"]
    assert draft["revision"] == 1
    assert [step["__typename"] for step in draft["steps"]] == [
        "EntryEventStep",
        "DelayStep",
        "SplitStep",
        "EmailStep",
        "ExitStep",
    ]
    assert draft["steps"][0]["position"] == {"x": 10, "y": 20}
    assert draft["steps"][1]["durationSeconds"] == 3600
    assert draft["steps"][2]["outputs"] == ["yes", "otherwise"]
    assert draft["steps"][2]["branches"][0]["conditions"][0]["did"] == {"event": "purchase"}
    assert draft["edges"][0] == {"from": "cart", "output": "next", "to": "hour"}
    assert draft["goals"][0]["windowSeconds"] == 7 * 86400
    assert [(one["code"], one["path"]) for one in draft["problems"]] == [
        ("UNKNOWN_CONNECTION", ["input", "graph", "steps", "3", "email", "connection"])
    ]


async def test_everything_that_is_wrong_with_a_graph_is_told_at_once_with_its_path(api: Api) -> None:
    broken = graph()
    broken["steps"][1]["delay"]["durationSeconds"] = 0
    broken["steps"][2]["split"]["branches"][0]["conditions"] = [
        {"attribute": {"name": "", "operator": "EQUALS", "value": 1}}
    ]
    broken["steps"][3]["email"]["subject"] = "{{ user.name | shout }}"
    journey_id = await draw(api)
    saved = await api.change("saveDraft", id=journey_id, graph=broken, expectedRevision=1)
    assert saved["__typename"] == "SaveDraftPayload"
    refused = await api.change("publishJourney", id=journey_id)
    assert (refused["__typename"], refused["code"]) == ("GraphProblems", "INVALID_GRAPH")
    steps = ["input", "graph", "steps"]
    assert [(one["code"], one["path"]) for one in refused["problems"]] == [
        ("OUT_OF_RANGE", [*steps, "1", "delay", "durationSeconds"]),
        ("MISSING", [*steps, "2", "split", "branches", "0", "conditions", "0", "attribute", "name"]),
        ("TEMPLATE", [*steps, "3", "email", "subject"]),
        ("UNKNOWN_CONNECTION", [*steps, "3", "email", "connection"]),
    ]


async def test_a_length_of_time_that_cannot_be_is_told_in_the_seconds_that_were_given(api: Api) -> None:
    broken = graph()
    broken["steps"][1]["delay"]["durationSeconds"] = 0
    broken["goals"][0]["windowSeconds"] = -3
    journey_id = await draw(api)
    await api.change("saveDraft", id=journey_id, graph=broken, expectedRevision=1)
    refused = await api.change("publishJourney", id=journey_id)
    told = [one["message"] for one in refused["problems"] if one["code"] == "OUT_OF_RANGE"]
    assert told == [
        "It must be between 1 and 31622400 seconds, found 0.",
        "It must be between 0 and 7776000 seconds, found -3.",
    ]


async def test_a_template_problem_without_a_line_says_that_the_template_has_it(api: Api) -> None:
    broken = graph()
    broken["steps"][3]["email"]["html"] = "{% if user.name %}"
    journey_id = await draw(api)
    await api.change("saveDraft", id=journey_id, graph=broken, expectedRevision=1)
    refused = await api.change("publishJourney", id=journey_id)
    [told] = [one["message"] for one in refused["problems"] if one["code"] == "TEMPLATE"]
    assert told.startswith("Template: expected tag endif")


async def test_of_two_steps_with_one_key_each_is_told_only_its_own_problems(api: Api) -> None:
    broken = graph()
    broken["steps"][3]["email"]["subject"] = "{{ user.name"
    key = broken["steps"][3]["email"]["key"]
    broken["steps"].append({"email": {"key": key, "connection": "mail", "subject": "Hi", "text": "Hi"}})
    last = str(len(broken["steps"]) - 1)
    journey_id = await draw(api)
    await api.change("saveDraft", id=journey_id, graph=broken, expectedRevision=1)
    refused = await api.change("publishJourney", id=journey_id)
    assert [one["code"] for one in refused["problems"] if one["path"][3] == last] == ["DUPLICATE"]


async def test_the_second_of_two_editors_is_told(api: Api) -> None:
    journey_id = await draw(api)
    first = await api.change("saveDraft", id=journey_id, graph=graph(), expectedRevision=1)
    second = await api.change("saveDraft", id=journey_id, graph=graph(), expectedRevision=1)
    assert first["__typename"] == "SaveDraftPayload"
    assert (second["__typename"], second["expectedRevision"], second["actualRevision"]) == (
        "RevisionConflictProblem",
        1,
        2,
    )


async def test_a_dry_run_checks_and_changes_nothing(api: Api) -> None:
    await api.world.add_connection()
    journey_id = await draw(api)
    selection = "... on PublishJourneyPayload { version { number } staying journey { versionNumber } }"
    tried = await api.change("publishJourney", selection, id=journey_id, dryRun=True)
    assert (tried["version"], tried["staying"], tried["journey"]["versionNumber"]) == (None, 0, None)
    done = await api.change("publishJourney", selection, id=journey_id, expectedRevision=1)
    assert (done["version"], done["journey"]["versionNumber"]) == ({"number": 1}, 1)
    again = await api.change("publishJourney", selection, id=journey_id)
    assert again["__typename"] == "InputProblem"


async def test_a_journey_without_a_version_cannot_start_and_says_what_it_can(api: Api) -> None:
    journey_id = await draw(api)
    refused = await api.change("startJourney", id=journey_id)
    assert (refused["__typename"], refused["status"], refused["allowedActions"]) == (
        "NotAllowedProblem",
        "DRAFT",
        ["ARCHIVE"],
    )
    assert "publish" in refused["message"]
    paused = await api.change("pauseJourney", id=journey_id)
    assert paused["allowedActions"] == ["ARCHIVE"]


async def test_a_pause_stops_the_time_and_a_resumption_lets_it_go_on(api: Api) -> None:
    world = api.world
    journey_id = await start(api)
    await world.live(world.event("add_to_cart", NOON + MINUTE, user="kim"))
    assert (await api.change("pauseJourney", id=journey_id))["__typename"] == "PauseJourneyPayload"
    await world.settle(NOON + DAY)
    [run] = await world.runs()
    assert (run.step_key, bool(run.held)) == ("hour", True)
    resumed = await api.change("resumeJourney", id=journey_id)
    assert resumed["__typename"] == "ResumeJourneyPayload"
    await world.settle()
    [run] = await world.runs()
    assert (bool(run.held), run.wake_at) == (False, NOON + DAY + HOUR)
    assert len(api.wakes) == 4  # Published, started, paused, resumed.


async def test_a_stop_ends_everybody_in_every_shard(api: Api) -> None:
    world = api.world
    journey_id = await start(api)
    await world.live(*(world.event("add_to_cart", NOON + MINUTE, user=f"user {n}") for n in range(9)))
    assert (await api.change("stopJourney", id=journey_id))["__typename"] == "StopJourneyPayload"
    await world.settle()
    assert {run.end_reason for run in await world.runs()} == {"stopped"}
    refused = await api.change("resumeJourney", id=journey_id)
    assert (refused["__typename"], refused["allowedActions"]) == ("NotAllowedProblem", ["ARCHIVE"])
    refused = await api.change("saveDraft", id=journey_id, graph=graph(), expectedRevision=1)
    assert refused["__typename"] == "NotAllowedProblem"
    archived = await api.change(
        "archiveJourney", f"... on ArchiveJourneyPayload {{ {JOURNEY} }}", id=journey_id
    )
    assert archived["journey"]["status"] == "ARCHIVED"


async def test_what_was_stopped_while_it_was_paused_is_not_paused_any_more(api: Api) -> None:
    journey_id = await start(api)
    await api.change("pauseJourney", id=journey_id)
    selection = "... on StopJourneyPayload { journey { status pausedAt } }"
    stopped = await api.change("stopJourney", selection, id=journey_id)
    assert stopped["journey"] == {"status": "FINISHED", "pausedAt": None}


async def test_a_new_version_is_entered_from_now_on_and_those_inside_stay_in_theirs(api: Api) -> None:
    world = api.world
    journey_id = await start(api)
    await world.live(world.event("add_to_cart", NOON + MINUTE, user="kim"))
    await api.change("saveDraft", id=journey_id, graph=graph(reentry="NEVER"), expectedRevision=1)
    published = await api.change(
        "publishJourney", "... on PublishJourneyPayload { staying version { number reentry } }", id=journey_id
    )
    assert (published["staying"], published["version"]) == (1, {"number": 2, "reentry": "NEVER"})
    await world.live(world.event("add_to_cart", NOON + 2 * MINUTE, user="lee"))
    assert [run.version for run in await world.runs()] == [1, 2]


async def test_the_same_key_and_input_do_it_once_and_answer_the_same(api: Api) -> None:
    selection = "... on CreateJourneyPayload { journey { id } }"
    wish = {"title": "Cart", "graph": graph(), "idempotencyKey": "one"}
    first = await api.change("createJourney", selection, **wish)
    second = await api.change("createJourney", selection, **wish)
    assert first == second
    assert len((await api.ask("{ journeys { edges { node { id } } } }"))["journeys"]["edges"]) == 1
    other = await api.change("createJourney", selection, **{**wish, "title": "Other"})
    assert other["__typename"] == "IdempotencyConflictProblem"


async def test_two_requests_with_one_key_at_once_make_one_journey(api: Api) -> None:
    selection = "... on CreateJourneyPayload { journey { id } }"
    wish = {"title": "Cart", "idempotencyKey": "one"}
    answers = await asyncio.gather(*(api.change("createJourney", selection, **wish) for _ in range(5)))
    assert answers == [answers[0]] * 5
    assert answers[0]["__typename"] == "CreateJourneyPayload"
    assert len((await api.ask("{ journeys { edges { node { id } } } }"))["journeys"]["edges"]) == 1


async def test_a_refusal_leaves_its_key_free(api: Api) -> None:
    refused = await api.change("createJourney", title=" ", idempotencyKey="one")
    assert (refused["__typename"], refused["path"]) == ("InputProblem", ["input", "title"])
    assert (await api.change("createJourney", title="Cart", idempotencyKey="one"))[
        "__typename"
    ] == "CreateJourneyPayload"


async def test_a_repeated_start_with_its_key_is_no_second_start(api: Api) -> None:
    await api.world.add_connection()
    journey_id = await draw(api)
    await api.change("publishJourney", id=journey_id, idempotencyKey="publish")
    first = await api.change("startJourney", id=journey_id, idempotencyKey="start")
    second = await api.change("startJourney", id=journey_id, idempotencyKey="start")
    assert first == second
    assert first["__typename"] == "StartJourneyPayload"


@pytest.mark.parametrize("id", ["nonsense", "Sm91cm5leTo5OTk", "UnVuOjE"])
async def test_what_is_no_journey_of_the_project_is_not_found(small_api: Api, id: str) -> None:
    for action in ("startJourney", "pauseJourney", "stopJourney", "publishJourney", "renameJourney"):
        refused = await small_api.change(action, id=id)
        assert (refused["__typename"], refused["path"]) == ("NotFoundProblem", ["input", "id"])


async def test_a_journey_gets_another_name(small_api: Api) -> None:
    journey_id = await draw(small_api)
    selection = f"... on RenameJourneyPayload {{ {JOURNEY} }}"
    renamed = await small_api.change("renameJourney", selection, id=journey_id, title="Basket")
    assert renamed["journey"]["title"] == "Basket"
