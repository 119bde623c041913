"""Journeys come out of the API as files, go in again, and are found by their handles."""

from typing import Any

import orjson
import pytest

from server.library import NAMES
from server.schema.file_form import read_journey
from server.schema.to_data import from_variables, to_data, to_variables
from tests.server.schema.api import Api
from tests.server.schema.test_changes import draw, graph, start

pytestmark = pytest.mark.anyio

FILE = """query($id: ID!, $format: FileFormat! = YAML, $version: Int) {
    journey(id: $id) { handle file(format: $format, version: $version) } }"""


async def filed(api: Api, id: str, **more: Any) -> str:
    found: str = (await api.ask(FILE, id=id, **more))["journey"]["file"]
    return found


async def test_the_json_of_a_journey_is_the_variable_that_makes_it_again(small_api: Api) -> None:
    journey_id = await draw(small_api)
    text = await filed(small_api, journey_id, format="JSON")
    made = await small_api.change(
        "createJourney", "... on CreateJourneyPayload { journey { id } }", **orjson.loads(text)
    )
    assert await filed(small_api, made["journey"]["id"], format="JSON") == text


async def test_the_yaml_of_a_journey_says_the_same_as_its_json(small_api: Api) -> None:
    journey_id = await draw(small_api)
    yaml, json = await filed(small_api, journey_id), await filed(small_api, journey_id, format="JSON")
    assert "duration: 1h" in yaml
    assert read_journey(yaml).variables == orjson.loads(json)


async def test_a_file_is_of_what_is_drawn_last_or_of_a_version(small_api: Api) -> None:
    journey_id = await start(small_api)
    published = await filed(small_api, journey_id)
    other = graph(reentry="NEVER")
    await small_api.change("saveDraft", id=journey_id, graph=other, expectedRevision=1)
    assert "reentry: NEVER" in await filed(small_api, journey_id)
    assert await filed(small_api, journey_id, version=1) == published
    assert await filed(small_api, journey_id, version=2) is None


async def test_a_journey_without_a_drawing_is_a_file_without_a_graph(small_api: Api) -> None:
    made = await small_api.change(
        "createJourney", "... on CreateJourneyPayload { journey { id } }", title="Cart", category="Shop"
    )
    assert await filed(small_api, made["journey"]["id"]) == "title: Cart\ncategory: Shop\n"


async def test_a_journey_is_found_by_its_handle(api: Api) -> None:
    query = "query($handle: String!) { journeyByHandle(handle: $handle) { title handle } }"
    await api.change("createJourney", title="Cart", handle="cart-1")
    assert (await api.ask(query, handle="cart-1"))["journeyByHandle"] == {"title": "Cart", "handle": "cart-1"}
    assert (await api.ask(query, handle="cart-2"))["journeyByHandle"] is None


async def test_a_handle_belongs_to_one_journey(api: Api) -> None:
    await api.change("createJourney", title="Cart", handle="cart")
    taken = await api.change("createJourney", title="Cart", handle="cart")
    assert (taken["__typename"], taken["path"]) == ("NameTakenProblem", ["input", "handle"])
    other = await api.change("createJourney", "... on CreateJourneyPayload { journey { id } }", title="Other")
    other_id = other["journey"]["id"]
    assert (await api.change("renameJourney", id=other_id, handle="cart"))["code"] == "TAKEN"
    kept = "... on RenameJourneyPayload { journey { title handle } }"
    named = await api.change("renameJourney", kept, id=other_id, handle="other")
    assert named["journey"] == {"title": "Other", "handle": "other"}
    again = await api.change("renameJourney", kept, id=other_id, title="More")
    assert again["journey"] == {"title": "More", "handle": "other"}
    assert (await api.change("renameJourney", kept, id=other_id, handle=""))["journey"]["handle"] is None


@pytest.mark.parametrize("handle", ["a b", "a/b", "-" * 101, "a.b", "é" * 101])
async def test_a_handle_is_a_word(small_api: Api, handle: str) -> None:
    refused = await small_api.change("createJourney", title="Cart", handle=handle)
    assert (refused["__typename"], refused["path"]) == ("InputProblem", ["input", "handle"])


async def test_a_ready_journey_is_the_beginning_of_ones_own(small_api: Api) -> None:
    query = "{ journeyTemplates(language: KO) { name title description category file(format: JSON) } }"
    ready = (await small_api.ask(query))["journeyTemplates"]
    assert [one["name"] for one in ready] == list(NAMES)
    created = "... on CreateJourneyFromTemplatePayload { journey { id title category handle status } }"
    for one in ready:
        about = {"template": one["name"], "language": "KO", "handle": one["name"]}
        journey = (await small_api.change("createJourneyFromTemplate", created, **about))["journey"]
        filed_again = orjson.loads(await filed(small_api, journey["id"], format="JSON"))
        offered = orjson.loads(one["file"])
        # What the library says although it is the default is not said again.
        offered["graph"] = to_variables(to_data(from_variables(offered["graph"])))
        assert filed_again == {"handle": one["name"], **offered}
        assert (journey["title"], journey["category"], journey["status"]) == (
            one["title"],
            one["category"],
            "DRAFT",
        )


async def test_a_ready_journey_takes_another_title_and_one_handle_once(small_api: Api) -> None:
    created = "... on CreateJourneyFromTemplatePayload { journey { title } }"
    about = {"template": "welcome", "title": "Hi", "handle": "hi"}
    made = await small_api.change("createJourneyFromTemplate", created, **about)
    assert made["journey"]["title"] == "Hi"
    again = await small_api.change("createJourneyFromTemplate", created, **about)
    assert again["__typename"] == "NameTakenProblem"
    unknown = await small_api.change("createJourneyFromTemplate", created, template="farewell")
    assert (unknown["__typename"], unknown["path"]) == ("InputProblem", ["input", "template"])


async def test_the_files_of_many_journeys_take_as_many_statements_as_that_of_one(api: Api) -> None:
    aim = await api.change(
        "createJourney", "... on CreateJourneyPayload { journey { id } }", title="Aim", handle="aim"
    )
    steps = [
        {"entryEvent": {"key": "in", "event": "sign_up"}},
        {"goToJourney": {"key": "on", "journey": aim["journey"]["id"]}},
    ]
    drawing = {"steps": steps, "edges": [{"from": "in", "to": "on"}]}
    query = "query($first: Int!) { journeys(first: $first) { edges { node { file diff { isEmpty } } } } }"
    counts = []
    for many in (1, 4):
        while len((await api.ask(query, first=10))["journeys"]["edges"]) < many + 1:
            await api.change("createJourney", title="On", graph=drawing)
        with api.statements() as seen:
            edges = (await api.ask(query, first=many))["journeys"]["edges"]
        assert len(edges) == many
        assert all("journey: aim" in edge["node"]["file"] for edge in edges)
        counts.append(len(seen))
    assert counts[0] == counts[1]


async def test_not_everything_is_written_down_at_once(api: Api) -> None:
    """A large journey is a second of work."""
    error = await api.error("{ journeys(first: 50) { edges { node { file } } } }")
    assert error["extensions"]["code"] == "QUERY_TOO_COSTLY"
