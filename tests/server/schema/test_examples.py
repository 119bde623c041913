"""The ready queries run, and the pages about the API are true."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from graphql import parse, validate

from server.aggregates.metrics import DEFINITIONS
from server.routes.examples import load
from server.schema.deliveries import BASES
from server.schema.ids import to_id
from server.schema.root import SCHEMA
from tests.server.schema.api import Api
from tests.world import HOUR, NOON, abandoned_cart

ROOT = Path(__file__).parents[3]
PERIOD = {"preset": "LAST_30_DAYS"}


async def lived(api: Api) -> str:
    await api.world.add_connection("mail", "smtp")
    journey_id = await api.world.add_journey(abandoned_cart())
    await api.world.live(
        api.world.event("add_to_cart", NOON, user="kim"),
        api.world.event("add_to_cart", NOON, user="lee"),
        api.world.event("purchase", NOON + 1, user="lee"),
        until=NOON + 2 * HOUR,
    )
    return str(to_id("Journey", journey_id))


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("name", "more"),
    [
        ("canvas", {"period": PERIOD}),
        ("user-path", {"identity": {"userId": "kim"}}),
        ("why", {"identity": {"userId": "kim"}}),
        ("experiment", {"period": PERIOD}),
        ("delivery-issues", {"period": PERIOD}),
        ("channels", {"period": PERIOD}),
    ],
)
async def test_a_ready_query_runs_within_the_limits(api: Api, name: str, more: dict[str, Any]) -> None:
    found = await api.ask(load(name, name).query, journey=await lived(api), **more)
    assert found["journey"]["title"] == "Journey"


@pytest.mark.anyio
async def test_the_ready_query_that_rehearses_runs_within_the_limits(api: Api) -> None:
    wish = {"journey": await lived(api), "people": [{"count": 3}]}
    played = (await api.ask(load("rehearsal", "").query, input=wish))["simulate"]
    assert (played["people"], played["isComplete"]) == (3, True)
    assert [one["name"] for one in played["traces"]] == ["person-1", "person-2", "person-3"]


@pytest.mark.anyio
async def test_the_ready_queries_about_providers_run_within_the_limits(api: Api) -> None:
    journey_id = await lived(api)
    wish = {"journeyId": journey_id, "period": PERIOD}
    found = await api.ask(load("issue-codes", "").query, filter=wish, first=100)
    assert found["deliveryIssues"]["pageInfo"]["hasNextPage"] is False
    (connection,) = (await api.ask(load("connections", "").query))["connections"]
    assert connection["name"] == "mail"


@pytest.mark.anyio
async def test_the_canvas_has_the_numbers_of_every_step_and_edge(small_api: Api) -> None:
    query = load("canvas", "").query
    journey = (await small_api.ask(query, journey=await lived(small_api), period=PERIOD))["journey"]
    arrivals = {one["step"]["key"]: one["arrivals"]["total"] for one in journey["stats"]["steps"]}
    assert arrivals == {"cart": 2, "hour": 2, "bought": 2, "mail": 1, "done": 2}
    passed = {
        (one["edge"]["from"], one["edge"]["output"]): one["passed"]["total"]
        for one in journey["stats"]["edges"]
    }
    assert passed["bought", "yes"] == passed["bought", "otherwise"] == 1
    assert journey["stats"]["entriesByDay"] == [{"at": "2024-03-12T15:00:00+00:00", "count": 2}]


def test_the_page_of_metrics_says_what_the_code_says() -> None:
    text = (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")
    found = re.findall(r"^\| `(\w+)` \| (.+) \| (.+) \| (.+) \| (.+) \| (.+) \|$", text, re.MULTILINE)
    wanted = [
        (one.metric.value, one.sentence, one.unit, one.clock, one.by or "–", _base(one.metric))
        for one in DEFINITIONS
    ]
    assert found == wanted


def _base(metric: Any) -> str:
    if metric in BASES:
        return f"`{BASES[metric][0].value}`"
    own = {"reached": "entries", "credited": "hits", "variant_reached": "left"}
    return f"`{own[metric]}`" if metric in own else "–"


def test_every_document_on_the_api_page_is_valid() -> None:
    text = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    documents = re.findall(r"```graphql\n(.*?)```", text, re.DOTALL)
    assert documents
    for document in documents:
        assert validate(SCHEMA._schema, parse(document)) == []


@pytest.mark.anyio
async def test_the_first_journey_on_the_api_page_can_be_published_and_started(api: Api) -> None:
    text = (ROOT / "docs" / "api.md").read_text(encoding="utf-8").split("## A first journey")[1]
    documents = re.findall(r"```graphql\n(.*?)```", text, re.DOTALL)
    connection, journey = map(json.loads, re.findall(r"```json\n(.*?)```", text, re.DOTALL))
    connected = (await api.ask(documents[0], **connection))["createConnection"]
    assert connected["connection"] == {"name": "mail"}
    created = (await api.ask(documents[1], **journey))["createJourney"]["journey"]
    assert created["draft"]["problems"] == []
    published = await api.change("publishJourney", id=created["id"])
    assert published["__typename"] == "PublishJourneyPayload"
    assert (await api.change("startJourney", id=created["id"]))["__typename"] == "StartJourneyPayload"


@pytest.mark.anyio
async def test_what_the_api_page_asks_of_connections_and_of_issues_is_answered(api: Api) -> None:
    text = (ROOT / "docs" / "api.md").read_text(encoding="utf-8").split("## Connections")[1]
    connections, trial, issues = re.findall(r"```graphql\n(.*?)```", text.split("## Limits")[0], re.DOTALL)
    await api.world.add_connection("mail", "fake")
    (connection,) = (await api.ask(connections))["connections"]
    assert (connection["name"], connection["health"]["breaker"]) == ("mail", "CLOSED")
    wish = {"connectionId": connection["id"], "to": "kim@example.com", "content": {"subject": "Hi"}}
    sent = (await api.ask(trial, input=wish))["sendTestMessage"]
    assert sent["outcome"]["__typename"] == "SendAccepted"
    assert (await api.ask(issues))["deliveryIssues"]["edges"] == []


def test_every_link_on_the_pages_leads_somewhere() -> None:
    for page in ("api.md", "metrics.md"):
        text = (ROOT / "docs" / page).read_text(encoding="utf-8")
        for link in re.findall(r"\]\(([^)]+)\)", text):
            assert (ROOT / "docs" / link).exists(), link
