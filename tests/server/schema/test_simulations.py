"""Rehearsals over the API."""

import asyncio
import threading
from typing import Any

import pytest

from server.resolvers import simulations
from server.schema.ids import to_id
from server.schema.to_data import to_variables
from server.store import segments
from server.store.tables import Event, FrequencyCap, Message, Run, User
from tests.waiting import until
from tests.world import DAY, NOON, abandoned_cart, line, reaching, saying, step

from .api import Api

pytestmark = pytest.mark.anyio

ASKED = """query($input: SimulateInput!) { simulate(input: $input) {
  __typename
  ... on Problem { message code path }
  ... on SimulationProblems { problems { message path } }
  ... on GraphProblems { problems { message path } }
  ... on Simulation {
    startedAt reachedAt isComplete people troubles
    messages { stepKey channel status reason count }
    stats {
      audience { entries insideNow endedBy { reason count } refused { reason count } }
      steps { step { key } arrivals { total users } waitingNow left }
      edges { edge { from output } passed { total } }
      performance { goal { key } reached { total } }
      communications { channel metrics { metric observable unique } }
    }
    traces(first: 5) {
      name attributes
      refusals { reason stepKey }
      runs {
        eventName eventProperties endReason waitingUntil
        conversions { goalKey amount }
        visits {
          step { key } output because saw endReason
          messages { channel address status reason detail content { name value } heard { kind } }
        }
      }
    }
  }
} }"""
GRAPH = to_variables(abandoned_cart())


async def simulate(api: Api, **input: Any) -> dict[str, Any]:
    start = {"start": "2024-03-13T11:00:00Z", "until": "2024-03-20T11:00:00Z"}
    return dict((await api.ask(ASKED, input={**start, **input}))["simulate"])


async def test_a_graph_is_played_and_its_canvas_and_everybodys_way_come_back(api: Api) -> None:
    kim = {
        "name": "kim",
        "attributes": {"name": "Kim"},
        "events": [
            {"event": "add_to_cart", "afterSeconds": 600, "properties": {"sku": "shoe"}},
            {"event": "purchase", "at": "2024-03-15T00:00:00Z", "properties": {"total": 5}},
        ],
    }
    told = await simulate(api, graph=GRAPH, people=[kim, {"count": 2}])
    assert (told["people"], told["isComplete"], told["troubles"]) == (3, True, [])
    assert told["reachedAt"] == "2024-03-20T11:00:00+00:00"
    assert told["messages"] == [
        {"stepKey": "mail", "channel": "EMAIL", "status": "DELIVERED", "reason": None, "count": 3}
    ]
    stats = told["stats"]
    assert stats["audience"] == {
        "entries": 3,
        "insideNow": 0,
        "endedBy": [{"reason": "COMPLETED", "count": 3}],
        "refused": [],
    }
    assert {one["step"]["key"]: one["arrivals"]["users"] for one in stats["steps"]}["mail"] == 3
    assert stats["performance"][0]["reached"]["total"] == 1
    [person, *_] = told["traces"]
    [run] = person["runs"]
    assert (person["name"], person["attributes"]) == ("kim", {"name": "Kim"})
    assert [visit["step"]["key"] for visit in run["visits"]] == ["cart", "hour", "bought", "mail", "done"]
    assert run["conversions"] == [{"goalKey": "bought", "amount": "0"}]
    [message] = run["visits"][3]["messages"]
    assert message["content"][0] == {"name": "subject", "value": "Still thinking, Kim?"}
    assert message["address"] == "person-1@rehearsal.invalid"
    assert [one["kind"] for one in message["heard"]] == ["ACCEPTED", "DELIVERED"]


async def test_nothing_of_it_stays(api: Api) -> None:
    await simulate(api, graph=GRAPH, people=[{"count": 3}])
    for table in (Run, Message, User, Event):
        assert await api.world.rows(table) == []


async def test_a_draft_goes_before_the_version_and_a_version_can_be_named(api: Api) -> None:
    journey_id = to_id("Journey", await api.world.add_journey(reaching(saying("email"), event="first")))
    draft = to_variables(reaching(saying("email"), event="second"))
    told = await simulate(api, journey=journey_id, people=[{"count": 1}])
    assert told["traces"][0]["runs"][0]["eventName"] == "first"
    await api.change("saveDraft", id=journey_id, graph=draft, expectedRevision=0)
    told = await simulate(api, journey=journey_id, people=[{"count": 1}])
    assert told["traces"][0]["runs"][0]["eventName"] == "second"
    told = await simulate(api, journey=journey_id, version=1, people=[{"count": 1}])
    assert told["traces"][0]["runs"][0]["eventName"] == "first"
    assert (await simulate(api, journey=journey_id, version=7, people=[{"count": 1}]))[
        "__typename"
    ] == "NotFoundProblem"


async def test_users_who_are_sampled_come_with_what_is_known_of_them_and_without_their_addresses(
    api: Api,
) -> None:
    world = api.world
    for name in ("kim", "lee"):
        traits = {"email": f"{name}@example.com", "phone": "+821012345678", "name": f"{name} of Seoul"}
        traits |= {"plan": "pro", "first_name": f"{name} of Seoul", "lastName": f"{name} of Seoul"}
        await world.live(world.event("", NOON, user=name, type="identify", **traits))
    told = await simulate(api, graph=GRAPH, sample=10)
    assert told["people"] == 2
    for person in told["traces"]:
        attributes = person["attributes"]
        assert attributes["plan"] == "pro"
        assert attributes["email"].endswith("@rehearsal.invalid")
        assert attributes["phone"].startswith("+999")
        [message] = person["runs"][0]["visits"][3]["messages"]
        assert message["address"].endswith("@rehearsal.invalid")
        assert message["status"] == "DELIVERED"
    assert "example.com" not in str(told)
    assert "of Seoul" not in str(told)


async def test_everything_that_is_wrong_is_told_with_its_place(api: Api) -> None:
    people = [{"count": 2000, "events": [{"event": "x", "afterSeconds": -5}]}]
    told = await simulate(api, graph=GRAPH, people=people, rates=[{"opened": 7}])
    assert told["__typename"] == "SimulationProblems"
    assert sorted(one["path"] for one in told["problems"]) == [
        ["input", "people", "0", "count"],
        ["input", "people", "0", "events", "0", "at"],
        ["input", "rates", "0", "opened"],
    ]
    broken = {**GRAPH, "edges": GRAPH["edges"][1:]}
    told = await simulate(api, graph=broken, people=[{"count": 1}])
    assert (told["__typename"], told["problems"][0]["path"]) == (
        "GraphProblems",
        ["input", "graph", "steps", "0", "entryEvent"],
    )
    assert (await simulate(api, people=[{"count": 1}]))["__typename"] == "InputProblem"


async def test_a_draft_whose_connection_is_missing_can_be_rehearsed(api: Api) -> None:
    await api.world.add_connection("other", is_enabled=False)
    told = await simulate(
        api,
        graph=to_variables(reaching(saying("email"))),
        people=[{"count": 1}],
        arrivals={"event": "sign_up"},
    )
    assert told["messages"][0]["status"] == "DELIVERED"


async def test_what_nobody_waits_for_any_more_stops_and_makes_room(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    began, may_end = threading.Event(), threading.Event()

    async def rehearse(plan: Any, stop: threading.Event) -> None:
        began.set()
        await asyncio.to_thread(stop.wait)
        await asyncio.to_thread(may_end.wait)

    monkeypatch.setattr(simulations, "rehearse", rehearse)
    asked = asyncio.create_task(api.post(ASKED, input={"graph": GRAPH, "people": [{"count": 1}]}))
    await until(began.is_set)
    asked.cancel()
    await asyncio.wait([asked])
    # It still takes a processor, so nobody else may begin.
    assert simulations._playing.locked()
    may_end.set()
    await until(lambda: not simulations._playing.locked())


async def test_a_query_computes_for_half_a_minute_at_most(api: Api) -> None:
    told = await simulate(api, graph=GRAPH, people=[{"count": 1}], wallSeconds=31)
    [problem] = told["problems"]
    assert problem["path"] == ["input", "wallSeconds"]


async def test_one_at_a_time_in_a_process(api: Api) -> None:
    assert simulations._playing.acquire(blocking=False)
    try:
        error = await api.error(ASKED, input={"graph": GRAPH, "people": [{"count": 1}]})
    finally:
        simulations._playing.release()
    assert error["extensions"]["code"] == "OVERLOADED"


async def test_segments_caps_and_other_journeys_of_the_project_take_part(api: Api) -> None:
    world = api.world
    there = await world.add_journey(reaching(saying("email"), event="never"), title="There")
    async with world.db.write() as session:
        conditions = '{"attribute": {"name": "plan", "operator": "equals", "value": "member"}}'
        await segments.create(session, world.project_id, "Members", conditions, NOON)
        cap = FrequencyCap(project_id=world.project_id, channel="email", window_ms=DAY, most=1, changed_at=0)
        session.add(cap)
    graph = line(
        step("in", "entry_event", event="sign_up"),
        saying("email", "first"),
        saying("email", "second"),
        step(
            "who",
            "split",
            branches=[{"output": "next", "conditions": [{"about": "segment", "segment": "Members"}]}],
        ),
        step("on", "go_to_journey", journey=to_id("Journey", there)),
    )
    graph["steps"].append(step("out", "exit"))
    graph["edges"].append({"from": "who", "output": "otherwise", "to": "out"})
    people = [{"name": "kim", "attributes": {"plan": "member"}}, {"name": "lee"}]
    told = await simulate(api, graph=to_variables(graph), people=people)
    assert told["__typename"] == "Simulation", told
    ends = [person["runs"][0]["endReason"] for person in told["traces"]]
    assert ends == ["MOVED_ON", "COMPLETED"]
    assert [(one["stepKey"], one["reason"]) for one in told["messages"]] == [
        ("first", None),
        ("second", "CAPPED"),
    ]


async def test_who_may_not_be_written_to_may_not_in_a_rehearsal_either(api: Api) -> None:
    world = api.world
    for name in ("kim", "lee", "park"):
        traits = {"email": f"{name}@example.com", "who": name}
        await world.live(world.event("", NOON, user=name, type="identify", **traits))
    await api.change("addSuppression", channel="email", address="Kim@example.com")
    asked = "mutation($input: SetConsentInput!) { setConsent(input: $input) { __typename } }"
    wish = {
        "identity": {"userId": "lee"},
        "channel": "email",
        "purpose": "ADVERTISEMENT",
        "granted": False,
        "source": "test",
    }
    await api.ask(asked, input=wish)
    await world.settle()
    graph = to_variables(reaching(saying("email", purpose="advertisement")))
    told = await simulate(api, graph=graph, sample=10)
    found = {one["attributes"]["who"]: one["runs"][0]["visits"][1]["messages"][0] for one in told["traces"]}
    assert {name: one["reason"] for name, one in found.items()} == {
        "kim": "SUPPRESSED",
        "lee": "NO_CONSENT",
        "park": None,
    }
