"""A journey becomes what its file says: made, redrawn or let be, and what that means is told before."""

from typing import Any

import pytest

from server.store import projects
from tests.server.schema.api import Api
from tests.server.schema.test_changes import graph
from tests.world import NOON

pytestmark = pytest.mark.anyio

DIFF = """diff { isEmpty settings { path old new } edges { change from output oldTo newTo }
    steps { change key kind title fields { path old new } } goals { change key fields { path old new } } }"""
ANSWER = f"""... on ApplyJourneyPayload {{ {DIFF}
    change revision replacedRevision inside waiting {{ key runs }}
    journey {{ id title category handle status revision versionNumber draft {{ revision }} }} }}"""


async def apply(api: Api, **more: Any) -> dict[str, Any]:
    wish = {"handle": "cart", "title": "Cart", "graph": graph(), **more}
    return await api.change("applyJourney", ANSWER, **wish)


async def publish(api: Api, applied: dict[str, Any]) -> None:
    id, revision = applied["journey"]["id"], applied["revision"]
    done = await api.change("publishJourney", id=id, expectedRevision=revision)
    assert done["__typename"] == "PublishJourneyPayload"


@pytest.fixture(autouse=True)
async def mail(api: Api) -> None:
    await api.world.add_connection()


async def test_a_journey_that_is_not_there_is_made(api: Api) -> None:
    made = await apply(api)
    assert (made["change"], made["revision"], made["replacedRevision"]) == ("CREATED", 1, None)
    assert made["journey"]["handle"] == "cart"
    assert [one["change"] for one in made["diff"]["steps"]] == ["ADDED"] * 5
    assert await apply(api) | {"change": ..., "diff": ...} == made | {"change": ..., "diff": ...}


async def test_a_file_that_says_the_same_changes_nothing(api: Api) -> None:
    made = await apply(api)
    again = await apply(api)
    assert (again["change"], again["revision"], again["diff"]["isEmpty"]) == ("UNCHANGED", 1, True)
    await publish(api, made)
    settled = await apply(api)
    assert (settled["change"], settled["revision"], settled["diff"]["isEmpty"]) == ("UNCHANGED", None, True)
    assert settled["journey"]["draft"] is None
    assert settled["journey"]["versionNumber"] == 1


async def test_defaults_that_are_written_out_are_no_change(api: Api) -> None:
    await publish(api, await apply(api))
    same = graph(reentry="AFTER_LEAVING")
    same["steps"][2]["split"]["branches"][0]["match"] = "ALL"
    same["edges"] = [{"output": "next", **edge} for edge in reversed(same["edges"])]
    assert (await apply(api, graph=same))["change"] == "UNCHANGED"


async def test_a_file_that_says_something_else_makes_a_draft_to_publish(api: Api) -> None:
    await publish(api, await apply(api))
    other = graph(reentry="NEVER")
    other["steps"][1]["delay"]["durationSeconds"] = 7200
    other["edges"][3]["to"] = "done"
    del other["steps"][3], other["edges"][4]
    changed = await apply(api, graph=other, title="Basket", category="Shop")
    assert (changed["change"], changed["revision"]) == ("CHANGED", 2)
    assert changed["journey"] | {"id": ...} == {
        "id": ...,
        "title": "Basket",
        "category": "Shop",
        "handle": "cart",
        "status": "DRAFT",
        "revision": 2,
        "versionNumber": 1,
        "draft": {"revision": 2},
    }
    diff = changed["diff"]
    assert diff["settings"] == [{"path": ["reentry"], "old": None, "new": "NEVER"}]
    longer = {"path": ["durationSeconds"], "old": 3600, "new": 7200}
    assert diff["steps"] == [
        {"change": "CHANGED", "key": "hour", "kind": "delay", "title": "hour", "fields": [longer]},
        {"change": "REMOVED", "key": "mail", "kind": "email", "title": "mail", "fields": []},
    ]
    assert [(one["change"], one["from"], one["oldTo"], one["newTo"]) for one in diff["edges"]] == [
        ("CHANGED", "bought", "mail", "done"),
        ("REMOVED", "mail", "done", None),
    ]


async def test_a_dry_run_tells_and_changes_nothing(api: Api) -> None:
    dry = await apply(api, dryRun=True)
    assert (dry["change"], dry["journey"]) == ("CREATED", None)
    assert (await api.ask("{ journeys { edges { node { id } } } }"))["journeys"]["edges"] == []
    await publish(api, await apply(api))
    told = await apply(api, graph=graph(reentry="NEVER"), title="Basket", dryRun=True)
    assert (told["change"], told["revision"], told["diff"]["isEmpty"]) == ("CHANGED", 2, False)
    assert (told["journey"]["title"], told["journey"]["revision"]) == ("Cart", 1)
    assert (await apply(api))["change"] == "UNCHANGED"


async def test_people_inside_are_counted_where_something_changes(api: Api) -> None:
    made = await apply(api)
    await publish(api, made)
    await api.change("startJourney", id=made["journey"]["id"])
    await api.world.live(*(api.world.event("add_to_cart", NOON, user=user) for user in ("kim", "lee")))
    assert (await apply(api, dryRun=True))["waiting"] == []
    other = graph()
    other["steps"][1]["delay"]["durationSeconds"] = 7200
    told = await apply(api, graph=other, dryRun=True)
    assert (told["inside"], told["waiting"]) == (2, [{"key": "hour", "runs": 2}])


async def test_a_file_wins_over_a_draft_and_says_so(api: Api) -> None:
    made = await apply(api)
    await publish(api, made)
    about = {"id": made["journey"]["id"], "graph": graph(reentry="NEVER")}
    await api.change("saveDraft", **about, expectedRevision=1)
    told = await apply(api)
    assert (told["change"], told["replacedRevision"], told["revision"]) == ("CHANGED", 2, None)
    assert (told["journey"]["draft"], told["journey"]["revision"]) == (None, 3)
    late = await api.change("saveDraft", **about, expectedRevision=2)
    assert late["__typename"] == "RevisionConflictProblem"


async def test_whatever_is_wrong_is_told_and_nothing_is_taken(api: Api) -> None:
    broken = graph("nowhere")
    broken["edges"].pop()
    refused = await apply(api, graph=broken)
    assert refused["__typename"] == "GraphProblems"
    assert {tuple(one["path"][:6]) for one in refused["problems"]} == {
        ("input", "graph", "steps", "3", "email"),
        ("input", "graph", "steps", "3", "email", "connection"),
    }
    assert (await api.ask("{ journeys { edges { node { id } } } }"))["journeys"]["edges"] == []


@pytest.mark.parametrize(
    "wrong", [{"title": " "}, {"handle": ""}, {"handle": "a b"}, {"category": "c" * 101}]
)
async def test_words_that_cannot_be_are_refused(small_api: Api, wrong: dict[str, str]) -> None:
    await small_api.world.add_connection()
    assert (await apply(small_api, **wrong))["__typename"] == "InputProblem"


async def test_a_journey_that_is_over_is_not_redrawn(api: Api) -> None:
    made = await apply(api)
    await api.change("archiveJourney", id=made["journey"]["id"])
    refused = await apply(api, graph=graph(reentry="NEVER"))
    assert (refused["__typename"], refused["status"]) == ("NotAllowedProblem", "ARCHIVED")


async def test_the_same_wish_twice_is_one(api: Api) -> None:
    first = await apply(api, idempotencyKey="one")
    again = await apply(api, idempotencyKey="one")
    assert again == first
    other = await apply(api, idempotencyKey="one", title="Other")
    assert other["__typename"] == "IdempotencyConflictProblem"


async def test_a_handle_says_nothing_of_another_projects_journey(api: Api) -> None:
    await publish(api, await apply(api))
    mine = api.key
    async with api.world.db.write() as session:
        other = await projects.create(session, "Other", "UTC", NOON)
    api.key = other.secret_key
    unsent = {key: value for key, value in graph().items() if key != "goals"}
    unsent["steps"] = [one for one in unsent["steps"] if "email" not in one]
    unsent["edges"] = [*unsent["edges"][:3], {"from": "bought", "output": "otherwise", "to": "done"}]
    assert (await apply(api, graph=unsent))["change"] == "CREATED"
    api.key = mine
    assert (await apply(api))["change"] == "UNCHANGED"


async def test_versions_are_compared(api: Api) -> None:
    made = await apply(api)
    await publish(api, made)
    await publish(api, await apply(api, graph=graph(reentry="NEVER")))
    text = f"""query($id: ID!) {{ journey(id: $id) {{
        latest: diff {{ isEmpty }} {DIFF.replace("diff", "back: diff(from: 2, to: 1)", 1)}
        none: diff(from: 1, to: 3) {{ isEmpty }} }} }}"""
    found = (await api.ask(text, id=made["journey"]["id"]))["journey"]
    assert found["latest"] == {"isEmpty": True}
    assert found["back"]["settings"] == [{"path": ["reentry"], "old": "NEVER", "new": None}]
    assert found["none"] is None


def leading(handle: str) -> dict[str, Any]:
    return {
        "steps": [
            {"entryEvent": {"key": "in", "event": "sign_up"}},
            {"goToJourney": {"key": "on", "journey": handle}},
        ],
        "edges": [{"from": "in", "to": "on"}],
    }


async def test_another_journey_is_called_by_its_handle(api: Api) -> None:
    made = await apply(api)
    early = await apply(api, handle="first", graph=leading("cart"))
    assert (early["__typename"], early["problems"][0]["path"][-1]) == ("GraphProblems", "journey")
    await publish(api, made)
    first = await apply(api, handle="first", graph=leading("cart"))
    assert first["change"] == "CREATED"
    text = """query($id: ID!) { journey(id: $id) {
        file draft { steps { ... on GoToJourneyStep { journeyId } } } } }"""
    found = (await api.ask(text, id=first["journey"]["id"]))["journey"]
    assert found["draft"]["steps"][1] == {"journeyId": made["journey"]["id"]}
    assert "goToJourney: {key: 'on', journey: cart}" in found["file"]
    by_id = await apply(api, handle="first", graph=leading(made["journey"]["id"]))
    assert by_id["change"] == "UNCHANGED"
    unknown = await apply(api, handle="first", graph=leading("nowhere"))
    assert "'nowhere'" in unknown["problems"][0]["message"]
    saved = {"id": first["journey"]["id"], "graph": leading("cart"), "expectedRevision": 1}
    assert (await api.change("saveDraft", **saved))["__typename"] == "SaveDraftPayload"
    assert (await apply(api, handle="first", graph=leading("cart")))["change"] == "UNCHANGED"
