"""The ready queries run, and the pages about the API are true."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from graphql import OperationDefinitionNode, parse, validate
from graphql.execution.values import get_variable_values

from server.aggregates.messages import WHOLES
from server.aggregates.metrics import DEFINITIONS
from server.routes.examples import load
from server.schema.ids import to_id
from server.schema.root import SCHEMA
from tests.server.schema.api import Api
from tests.world import HOUR, NOON, abandoned_cart, line, step

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
        ("performance", {"period": PERIOD}),
        ("audience", {"period": PERIOD, "clock": "ENTERED"}),
        ("communications", {"period": PERIOD, "goal": "bought"}),
        ("health", {"period": PERIOD, "version": 1}),
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
    if metric in WHOLES:
        return f"`{WHOLES[metric].value}`"
    own = {
        **{"reached": "entries", "credited": "hits"},
        **{"credited_first": "reached", "variant_reached": "left"},
    }
    return f"`{own[metric]}`" if metric in own else "–"


PAGES = [page for page in sorted((ROOT / "docs").rglob("*.md")) if "```graphql" in page.read_text("utf-8")]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_document_on_a_page_is_valid_and_takes_the_variables_that_follow(page: Path) -> None:
    found = re.findall(
        r"```graphql\n(.*?)```(?:\s*```json\n(.*?)```)?", page.read_text(encoding="utf-8"), re.DOTALL
    )
    for text, variables in found:
        document = parse(text)
        assert validate(SCHEMA._schema, document) == []
        [operation] = document.definitions
        assert isinstance(operation, OperationDefinitionNode)
        if variables:
            asked = operation.variable_definitions or ()
            taken = get_variable_values(SCHEMA._schema, asked, json.loads(variables))
            assert not isinstance(taken, list), taken


@pytest.mark.anyio
async def test_what_the_api_page_asks_of_a_journey_in_which_people_are_is_answered(api: Api) -> None:
    page = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    text = page.split("## A journey in which people are")[1].split("## Connections")[0]
    rehearse, paused, resume, remove = re.findall(r"```graphql\n(.*?)```", text, re.DOTALL)
    world = api.world
    await world.add_connection("mail", "fake")
    journey_id = await world.add_journey(
        line(
            step("in", "entry_event", event="a"), step("hour", "delay", duration_ms=HOUR), step("out", "exit")
        )
    )
    await world.live(world.event("a", NOON, user="kim"))
    journey = str(to_id("Journey", journey_id))
    later = {"delay": {"key": "day", "durationSeconds": 86400}}
    drawn = {
        "steps": [{"entryEvent": {"key": "in", "event": "a"}}, later, {"exit": {"key": "out"}}],
        "edges": [{"from": "in", "to": "day"}, {"from": "day", "to": "out"}],
    }
    await api.change("saveDraft", id=journey, graph=drawn, expectedRevision=0)
    counted = (await api.ask(rehearse, journey=journey))["publishJourney"]
    assert (counted["staying"], counted["moving"], counted["ending"]) == (0, 1, 0)
    await api.change("pauseJourney", id=journey)
    await world.settle(NOON + 2 * HOUR)
    preview = (await api.ask(paused, journey=journey))["journey"]["resumePreview"]
    assert (preview["waiting"], preview["fellDue"]) == (1, 1)
    assert (await api.ask(resume, journey=journey))["resumeJourney"] == {"journey": {"status": "RUNNING"}}
    removed = (await api.ask(remove, journey=journey))["removeFromJourneys"]
    assert removed == {"people": 1, "runs": 1, "unknownUserIds": ["lee"]}


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
    connections, trial, issues = re.findall(r"```graphql\n(.*?)```", text.split("## Figures")[0], re.DOTALL)
    await api.world.add_connection("mail", "fake")
    (connection,) = (await api.ask(connections))["connections"]
    assert (connection["name"], connection["health"]["breaker"]) == ("mail", "CLOSED")
    wish = {"connectionId": connection["id"], "to": "kim@example.com", "content": {"subject": "Hi"}}
    sent = (await api.ask(trial, input=wish))["sendTestMessage"]
    assert sent["outcome"]["__typename"] == "SendAccepted"
    assert (await api.ask(issues))["deliveryIssues"]["edges"] == []


@pytest.mark.parametrize("page", sorted((ROOT / "docs").rglob("*.md")), ids=lambda page: page.name)
def test_every_link_on_a_page_leads_somewhere(page: Path) -> None:
    for link in re.findall(r"\]\(([^)]+)\)", page.read_text(encoding="utf-8")):
        if "://" in link:
            continue
        name, _, place = link.partition("#")
        target = page.parent / name if name else page
        assert target.exists(), link
        assert not place or place in _headings(target), link


def _headings(page: Path) -> set[str]:
    """As links name them."""
    found = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", one.lower()).replace(" ", "-") for one in found}
