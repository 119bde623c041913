"""Splits by chance and holdouts over the API: drawn, asked for, decided."""

from typing import Any

import pytest

from server.schema.ids import to_id
from server.store.tables import Message, User
from tests.server.engine.test_experiments import PEOPLE, agrees, branches, sign_up, splitting
from tests.server.engine.test_experiments import publish as publish_past
from tests.server.schema.api import Api, hear
from tests.server.schema.test_moving import figures_hold, publish
from tests.server.schema.test_projects_apart import stranger
from tests.world import DAY, HOUR, NOON

pytestmark = pytest.mark.anyio

EVIDENCE = "evidence { people hits lift low high pValue isProven bestProbability }"
VARIANTS = f"""query($id: ID!) {{ journey(id: $id) {{ stats {{
    audience {{ entries users insideNow ended endedBy {{ reason count }} }}
    performance {{ reached {{ total users }} perRun {{ rate }} }}
    steps {{
        step {{ key }}
        variants {{
            output percent isControl isWinner runs {{ total users }}
            goals {{ goal {{ key }} reached {{ count of base rate }} revenue {{ amount }} {EVIDENCE} }}
            sent
            opened {{ messages {{ count of }} human machine {EVIDENCE} }}
            clicked {{ messages {{ count of }} human machine }}
        }}
        verdicts {{ round winner explorePercent decidedBy decidedAt evidence }}
    }}
    holdout {{
        percent entries
        goals {{
            goal {{ key }} treated {{ count of base }} heldOut {{ count of }}
            lift low high pValue isProven
        }}
    }}
}} }} }}"""
GRAPH: dict[str, Any] = {
    "steps": [
        {"entryEvent": {"key": "entry", "event": "sign_up"}},
        {
            "abSplit": {
                "key": "split",
                "branches": [{"output": "a", "percent": 50}, {"output": "b", "percent": 50}],
                "decides": {"by": "GOAL", "goal": "bought", "leastPeople": 30, "explorePercent": 10},
            }
        },
        {
            "randomSplit": {
                "key": "coin",
                "branches": [{"output": "heads", "percent": 50}, {"output": "tails", "percent": 50}],
            }
        },
        {"exit": {"key": "done"}},
    ],
    "edges": [
        {"from": "entry", "to": "split"},
        {"from": "split", "output": "a", "to": "coin"},
        {"from": "split", "output": "b", "to": "done"},
        {"from": "coin", "output": "heads", "to": "done"},
        {"from": "coin", "output": "tails", "to": "done"},
    ],
    "goals": [{"key": "bought", "event": "purchase"}],
    "holdoutPercent": 10,
}


async def stats(api: Api, journey_id: int) -> dict[str, Any]:
    found = await api.ask(VARIANTS, id=to_id("Journey", journey_id))
    return dict(found["journey"]["stats"])


async def split(api: Api, journey_id: int) -> dict[str, Any]:
    return next(one for one in (await stats(api, journey_id))["steps"] if one["step"]["key"] == "split")


async def test_a_drawn_split_comes_back_as_it_was_drawn(api: Api) -> None:
    made = await api.change(
        "createJourney", "... on CreateJourneyPayload { journey { id } }", title="x", graph=GRAPH
    )
    text = """query($id: ID!) { journey(id: $id) { draft { problems { message } holdoutPercent steps {
        key outputs
        ... on AbSplitStep {
            keeps branches { output percent }
            decides { by goal confidencePercent leastPeople explorePercent }
        }
        ... on RandomSplitStep { branches { output percent } }
    } } } }"""
    draft = (await api.ask(text, id=made["journey"]["id"]))["journey"]["draft"]
    assert draft["problems"] == []
    assert draft["holdoutPercent"] == 10
    by_key = {one["key"]: one for one in draft["steps"]}
    assert by_key["split"] == {
        "key": "split",
        "outputs": ["a", "b"],
        "keeps": True,
        "branches": GRAPH["steps"][1]["abSplit"]["branches"],
        "decides": {
            "by": "GOAL",
            "goal": "bought",
            "confidencePercent": 95,
            "leastPeople": 30,
            "explorePercent": 10,
        },
    }
    assert by_key["coin"]["outputs"] == ["heads", "tails"]
    assert (await api.change("publishJourney", id=made["journey"]["id"]))[
        "__typename"
    ] == "PublishJourneyPayload"


@pytest.mark.parametrize(
    ("change", "code", "path"),
    [
        ({"decides": {"by": "GOAL", "goal": "gone"}}, "UNKNOWN_GOAL", "decides.goal"),
        ({"decides": {"by": "GOAL"}}, "MISSING", "decides.goal"),
        ({"decides": {"by": "CLICKED"}}, "NO_MESSAGE", "decides.by"),
        (
            {"decides": {"by": "OPENED", "confidencePercent": 100}},
            "OUT_OF_RANGE",
            "decides.confidencePercent",
        ),
        (
            {"branches": [{"output": "a", "percent": 50}, {"output": "b", "percent": 49}]},
            "NOT_100",
            "branches",
        ),
        (
            {"branches": [{"output": "a", "percent": 50}, {"output": "a", "percent": 50}]},
            "DUPLICATE",
            "branches.1.output",
        ),
        (
            {"branches": [{"output": "a", "percent": 0}, {"output": "b", "percent": 100}]},
            "OUT_OF_RANGE",
            "branches.0.percent",
        ),
    ],
)
async def test_what_is_wrong_with_a_split_is_told_with_its_place(
    small_api: Api, change: dict[str, Any], code: str, path: str
) -> None:
    steps = [dict(one) for one in GRAPH["steps"]]
    steps[1] = {"abSplit": {**GRAPH["steps"][1]["abSplit"], **change}}
    select = "... on CreateJourneyPayload { journey { draft { problems { code path } } } }"
    made = await small_api.change("createJourney", select, title="x", graph={**GRAPH, "steps": steps})
    problems = [(one["code"], ".".join(one["path"])) for one in made["journey"]["draft"]["problems"]]
    assert (code, f"input.graph.steps.1.abSplit.{path}") in problems


async def test_a_holdout_of_more_than_half_is_none(small_api: Api) -> None:
    select = "... on CreateJourneyPayload { journey { draft { problems { code path } } } }"
    made = await small_api.change("createJourney", select, title="x", graph={**GRAPH, "holdoutPercent": 51})
    [problem] = made["journey"]["draft"]["problems"]
    assert problem == {"code": "OUT_OF_RANGE", "path": ["input", "graph", "holdoutPercent"]}


async def test_every_branch_is_told_against_the_first(api: Api) -> None:
    world = api.world
    journey_id = await world.add_journey(splitting())
    await sign_up(world, *PEOPLE)
    drawn = await branches(world)
    buyers = [name for name in PEOPLE if drawn[name] == ["b"]][:30] + [
        name for name in PEOPLE if drawn[name] == ["a"]
    ][:10]
    for name in buyers:
        # Twice: a person is one all the same.
        for more in (0, 1):
            await world.send(world.event("purchase", NOON + HOUR + more, user=name, total=2))
    await world.settle()
    control, other = (await split(api, journey_id))["variants"]
    people = {one: sum(drawn[name] == [one] for name in PEOPLE) for one in ("a", "b")}
    assert (control["output"], control["isControl"], other["isControl"]) == ("a", True, False)
    assert other["runs"] == {"total": people["b"], "users": people["b"]}
    [goal] = other["goals"]
    assert goal["reached"] == {
        "count": 30, "of": people["b"], "base": "BRANCH", "rate": 30 / people["b"]
    }  # fmt: skip
    assert goal["revenue"] == {"amount": "60"}
    evidence = goal["evidence"]
    assert (evidence["people"], evidence["hits"]) == (people["b"], 30)
    assert evidence["lift"] == pytest.approx(2)
    assert evidence["low"] < 2 < evidence["high"]
    assert evidence["bestProbability"] > 0.99
    against = control["goals"][0]["evidence"]
    assert (against["lift"], against["pValue"], against["isProven"]) == (None, None, False)
    assert (other["sent"], other["opened"]) == (0, None)
    others = [one for one in (await stats(api, journey_id))["steps"] if one["step"]["key"] != "split"]
    assert all(one["variants"] is None and one["verdicts"] is None for one in others)


async def test_opens_and_clicks_are_told_by_branch(api: Api) -> None:
    world = api.world
    await world.add_connection()
    journey_id = await world.add_journey(splitting(sends=True))
    await world.live(world.event("", NOON - 1, user="kim", type="identify", email="kim@example.com"))
    await sign_up(world, "kim")
    [message] = await world.rows(Message)
    clicked = ("clicked", NOON + 2 * HOUR, {"actor": "machine"})
    await hear(
        world, message.id, ("accepted", NOON + 1, {}), clicked, ("opened", NOON + HOUR, {"actor": "human"})
    )
    [mine] = [one for one in (await split(api, journey_id))["variants"] if one["sent"]]
    assert mine["opened"]["messages"] == {"count": 1, "of": 1}
    assert (mine["opened"]["human"], mine["opened"]["evidence"]["hits"]) == (1, 1)
    assert (mine["clicked"]["machine"], mine["clicked"]["human"]) == (1, 0)
    await agrees(world)


async def test_a_winner_is_chosen_and_the_split_opened_again(api: Api) -> None:
    world = api.world
    journey_id = await world.add_journey(splitting())
    about = {"id": to_id("Journey", journey_id), "step": "split"}
    select = "... on ChooseWinnerPayload { verdict { round winner explorePercent decidedBy } journey { id } }"
    chosen = await api.change(
        "chooseWinner", select, **about, output="b", explorePercent=5, idempotencyKey="k"
    )
    assert chosen["verdict"] == {"round": 1, "winner": "b", "explorePercent": 5, "decidedBy": "PEOPLE"}
    again = await api.change(
        "chooseWinner", select, **about, output="b", explorePercent=5, idempotencyKey="k"
    )
    assert again == chosen
    await sign_up(world, *PEOPLE[:40])
    assert sum(drawn == ["b"] for drawn in (await branches(world)).values()) >= 33
    told = await split(api, journey_id)
    assert [one["isWinner"] for one in told["variants"]] == [False, True]
    # Who comes now is drawn otherwise than before: rates of the branches are of other days.
    [goal] = told["variants"][1]["goals"]
    assert goal["evidence"]["bestProbability"] is None
    opened = await api.change(
        "reopenExperiment", "... on ReopenExperimentPayload { verdict { round winner } }", **about
    )
    assert opened["verdict"] == {"round": 2, "winner": None}
    told = await split(api, journey_id)
    assert [one["round"] for one in told["verdicts"]] == [2, 1]
    assert [one["isWinner"] for one in told["variants"]] == [False, False]


async def test_what_cannot_be_decided_is_refused(api: Api) -> None:
    world = api.world
    journey_id = await world.add_journey(splitting())
    about = {"id": to_id("Journey", journey_id), "step": "split", "output": "b"}
    refused = {
        "output": {**about, "output": "c"},
        "step": {**about, "step": "hour"},
        "explorePercent": {**about, "explorePercent": 51},
    }
    for place, input in refused.items():
        problem = await api.change("chooseWinner", **input)
        assert (problem["__typename"], problem["path"]) == ("InputProblem", ["input", place])
    problem = await api.change("reopenExperiment", id=about["id"], step="split")
    assert problem["__typename"] == "InputProblem"
    await world.set_status(journey_id, "finished")
    assert (await api.change("chooseWinner", **about))["__typename"] == "NotAllowedProblem"
    api.key = await stranger(api)
    assert (await api.change("chooseWinner", **about))["__typename"] == "NotFoundProblem"


async def test_what_a_journey_does_at_all_is_told_by_those_who_get_nothing(api: Api) -> None:
    world = api.world
    journey_id = await world.add_journey(splitting(holdout_percent=40))
    await sign_up(world, *PEOPLE)
    names = {(row.shard, row.number): row.user_id for row in await world.rows(User)}
    runs = await world.runs()
    treated, held_out = [run for run in runs if not run.variant], [run for run in runs if run.variant]
    # Nearly all who got something buy, and a part of the others; one of each side later than the window from
    # the entry. For the journey the one who was inside for an hour counts all the same.
    late = NOON + 7 * DAY + HOUR // 2
    buying = [(run, NOON + HOUR // 2) for run in (*treated[1:], *held_out[:5])]
    for run, at in (*buying, (treated[0], late), (held_out[6], late)):
        await world.send(world.event("purchase", at, user=names[run.shard, run.user_number]))
    await world.settle()
    found = await stats(api, journey_id)
    assert found["audience"]["entries"] == found["audience"]["users"] == len(treated)
    assert {one["reason"] for one in found["audience"]["endedBy"]} <= {"COMPLETED"}
    assert found["performance"][0]["reached"] == {"total": len(treated), "users": len(treated)}
    holdout = found["holdout"]
    assert (holdout["percent"], holdout["entries"]) == (40, len(held_out))
    [goal] = holdout["goals"]
    assert goal["treated"] == {"count": len(treated) - 1, "of": len(treated), "base": "PEOPLE"}
    assert goal["heldOut"] == {"count": 5, "of": len(held_out)}
    assert goal["isProven"]
    assert goal["low"] > 0
    await agrees(world)
    plain = await world.add_journey(splitting())
    assert (await stats(api, plain))["holdout"] is None


def waiting(hours: int) -> dict[str, Any]:
    """A split before a wait."""
    return {
        "steps": [
            GRAPH["steps"][0],
            {"abSplit": {"key": "split", "branches": GRAPH["steps"][1]["abSplit"]["branches"]}},
            {"delay": {"key": "hours", "durationSeconds": hours * 3600}},
            {"exit": {"key": "done"}},
        ],
        "edges": [
            {"from": "entry", "to": "split"},
            {"from": "split", "output": "a", "to": "hours"},
            {"from": "split", "output": "b", "to": "hours"},
            {"from": "hours", "to": "done"},
        ],
        "goals": GRAPH["goals"],
    }


async def test_what_a_branch_reached_stays_where_it_was_counted_when_an_edit_moves_the_run(api: Api) -> None:
    world = api.world
    select = "... on CreateJourneyPayload { journey { id } }"
    journey_id = (await api.change("createJourney", select, title="x", graph=waiting(2)))["journey"]["id"]
    await api.change("publishJourney", id=journey_id)
    await api.change("startJourney", id=journey_id)
    await sign_up(world, "kim")
    await world.live(world.event("purchase", NOON + HOUR // 2, user="kim"))
    moved = await publish(api, journey_id, waiting(5), peopleInside={"fate": "MOVE"})
    assert moved["moving"] == 1
    # It happened before the other, and is heard of only after the run has gone to the new version.
    await world.live(world.event("purchase", NOON + HOUR // 4, user="kim"))
    assert await world.counts("variant_reached", "version") == {2: 1}
    await world.settle(NOON + DAY)
    await figures_hold(api)


async def test_a_person_is_one_also_under_other_percentages(api: Api) -> None:
    world = api.world
    journey_id = await world.add_journey(splitting(split={"keeps": False}))
    await sign_up(world, *PEOPLE[:40])
    await world.live(*(world.event("purchase", NOON + 1, user=name) for name in PEOPLE[:40]))
    await publish_past(world, journey_id, splitting(split={"keeps": False}))
    await sign_up(world, *PEOPLE[:40], at=NOON + DAY)
    await world.live(*(world.event("purchase", NOON + DAY + 1, user=name) for name in PEOPLE[:40]))
    told = (await split(api, journey_id))["variants"]
    # Each of them counts for both of their runs, but is one person.
    assert sum(one["goals"][0]["reached"]["count"] for one in told) == 80
    assert sum(one["goals"][0]["evidence"]["hits"] for one in told) == 40
    await agrees(world)
