"""What a canvas draws of a path without computing: marks, waits, what was passed, messages."""

from typing import Any

import pytest

from server.journey.marks import Mark, mark_of, reasons_of
from server.journey.moment import EndReason
from server.schema.ids import to_id
from server.store.tables import Message
from tests.server.schema.api import Api, hear
from tests.server.schema.test_changes import start
from tests.server.schema.test_moving import changed, publish
from tests.world import DAY, HOUR, MINUTE, NOON, abandoned_cart, line, reaching, saying, step

pytestmark = pytest.mark.anyio

PATHS = """query($id: ID!, $identity: IdentityInput!) { journey(id: $id) { userPaths(identity: $identity) {
  __typename
  ... on UserPaths {
    user { userId } others { userId } hasEarlierRuns
    runs {
      mark editedSince waitsFor { what stepKey since until isPaused events endsOn }
      drawings {
        versionNumber version { number steps { key } edges { from output to } }
        steps { stepKey times firstAt lastAt isLast }
        edges { from output to times }
      }
      visits { step { key } messages { channel address receipts { kind } } }
    }
  }
} } }"""


async def paths(api: Api, journey_id: str, **identity: str) -> dict[str, Any]:
    answer = await api.ask(PATHS, id=journey_id, identity=identity)
    return dict(answer["journey"]["userPaths"])


async def only_run(api: Api, journey_id: str, **identity: str) -> dict[str, Any]:
    [run] = (await paths(api, journey_id, **identity))["runs"]
    return dict(run)


def circling() -> dict[str, Any]:
    """An e-mail every hour, until somebody buys."""
    bought = {"output": "yes", "conditions": [{"about": "did", "event": "purchase"}]}
    return {
        "steps": [
            step("cart", "entry_event", event="add_to_cart"),
            saying("email", "mail"),
            step("hour", "delay", duration_ms=HOUR),
            step("bought", "split", branches=[bought]),
            step("done", "exit"),
        ],
        "edges": [
            {"from": "cart", "output": "next", "to": "mail"},
            {"from": "mail", "output": "next", "to": "hour"},
            {"from": "hour", "output": "next", "to": "bought"},
            {"from": "bought", "output": "yes", "to": "done"},
            {"from": "bought", "output": "otherwise", "to": "mail"},
        ],
    }


async def test_a_canvas_is_told_which_steps_and_edges_were_passed_and_how_often(api: Api) -> None:
    world = api.world
    journey_id = to_id("Journey", await world.add_journey(circling()))
    await world.live(world.event("add_to_cart", NOON, user="kim"), until=NOON + 2 * HOUR + MINUTE)
    run = await only_run(api, journey_id, userId="kim")
    [drawing] = run["drawings"]
    assert [(one["stepKey"], one["times"], one["isLast"]) for one in drawing["steps"]] == [
        ("cart", 1, False),
        ("mail", 3, False),
        ("hour", 3, True),
        ("bought", 2, False),
    ]
    mail = drawing["steps"][1]
    assert (mail["firstAt"], mail["lastAt"]) == ("2024-03-13T11:00:00+00:00", "2024-03-13T13:00:00+00:00")
    assert drawing["edges"] == [
        {"from": "cart", "output": "next", "to": "mail", "times": 1},
        {"from": "mail", "output": "next", "to": "hour", "times": 3},
        {"from": "hour", "output": "next", "to": "bought", "times": 2},
        {"from": "bought", "output": "otherwise", "to": "mail", "times": 2},
    ]
    # The whole graph is there to be painted on, also where nobody went.
    assert [one["key"] for one in drawing["version"]["steps"]] == ["cart", "mail", "hour", "bought", "done"]
    assert {"from": "bought", "output": "yes", "to": "done"} in drawing["version"]["edges"]


async def test_a_run_that_an_edit_moved_is_drawn_on_each_version(api: Api) -> None:
    world, journey_id = api.world, await start(api)
    await world.live(world.event("add_to_cart", NOON, user="kim"))
    await world.settle(NOON + 40 * MINUTE)
    await publish(api, journey_id, changed(2), peopleInside={"fate": "MOVE"})
    await world.settle(NOON + DAY)
    run = await only_run(api, journey_id, userId="kim")
    assert (run["mark"], run["editedSince"], run["waitsFor"]) == ("FINISHED", False, None)
    first, second = run["drawings"]
    assert [(one["stepKey"], one["isLast"]) for one in first["steps"]] == [("cart", False), ("hour", False)]
    assert [(edge["from"], edge["to"]) for edge in first["edges"]] == [("cart", "hour")]
    assert second["version"]["number"] == 2
    assert [(one["stepKey"], one["isLast"]) for one in second["steps"]] == [("hour", False), ("done", True)]
    assert [(edge["from"], edge["to"]) for edge in second["edges"]] == [("hour", "done")]


async def test_a_run_in_progress_says_what_it_waits_for_and_until_when(api: Api) -> None:
    world = api.world
    await world.add_connection()
    triggers = [{"output": "yes", "events": [{"event": "purchase"}]}]
    ends: dict[str, Any] = {
        "goals": [{"key": "paid", "event": "payment", "ends_journey": True}],
        "cancel_events": [{"event": "cart_emptied"}],
    }
    graphs = {
        "EVENT": reaching(step("answer", "wait", longest_ms=DAY, branches=triggers), **ends),
        "TIME": reaching(step("hour", "delay", duration_ms=HOUR), **ends),
        "MESSAGE": reaching(saying("email", "mail", split_by="opened"), **ends),
    }
    for what, source, outputs in (
        ("EVENT", "answer", ("yes", "not_triggered")),
        ("MESSAGE", "mail", ("opened", "not_opened")),
    ):
        edges = [edge for edge in graphs[what]["edges"] if edge["from"] != source]
        ways = [{"from": source, "output": output, "to": "done"} for output in outputs]
        graphs[what]["edges"] = [*edges, *ways]
    ids = {what: await world.add_journey(graph) for what, graph in graphs.items()}
    await world.live(world.event("", NOON, user="kim", type="identify", email="kim@example.com"))
    await world.live(world.event("sign_up", NOON, user="kim"))
    found = {what: await only_run(api, to_id("Journey", one), userId="kim") for what, one in ids.items()}
    assert {run["mark"] for run in found.values()} == {"IN_PROGRESS"}
    assert {what: run["waitsFor"]["what"] for what, run in found.items()} == {one: one for one in graphs}
    assert found["EVENT"]["waitsFor"] == {
        "what": "EVENT",
        "stepKey": "answer",
        "since": "2024-03-13T11:00:00+00:00",
        "until": "2024-03-14T11:00:00+00:00",
        "isPaused": False,
        "events": ["purchase"],
        "endsOn": ["cart_emptied", "payment"],
    }
    assert found["TIME"]["waitsFor"]["until"] == "2024-03-13T12:00:00+00:00"
    [message] = found["MESSAGE"]["visits"][-1]["messages"]
    assert message["address"] == "kim@example.com"
    await world.pause(ids["TIME"])
    run = await only_run(api, to_id("Journey", ids["TIME"]), userId="kim")
    assert run["waitsFor"]["isPaused"]


async def test_silence_is_told_as_what_is_waited_for(api: Api) -> None:
    world = api.world
    await world.add_connection()
    night = {"channels": ["email"], "ranges": [{"from": "19:00", "until": "08:00"}]}
    journey_id = await world.add_journey(reaching(saying("email", "mail"), silence=[night]))
    await world.live(world.event("sign_up", NOON, user="kim"))
    run = await only_run(api, to_id("Journey", journey_id), userId="kim")
    assert (run["waitsFor"]["what"], run["waitsFor"]["until"]) == ("SILENCE", "2024-03-13T23:00:00+00:00")


async def test_a_visit_has_its_messages_to_every_device_and_no_other_visits(api: Api) -> None:
    world = api.world
    await world.add_connection("phones", channel="push")
    graph = circling()
    graph["steps"][1] = saying("push", "mail")
    journey_id = to_id("Journey", await world.add_journey(graph))
    tokens = ["fcm:one", "fcm:two"]
    await world.live(world.event("", NOON, user="kim", type="identify", push_tokens=tokens))
    await world.live(world.event("add_to_cart", NOON, user="kim"), until=NOON + HOUR + MINUTE)
    messages = await world.rows(Message, "created_at", "id")
    await hear(world, messages[0].id, ("accepted", NOON + 1, {}))
    visits = [one for one in (await only_run(api, journey_id, userId="kim"))["visits"]]
    first, second = [one["messages"] for one in visits if one["step"]["key"] == "mail"]
    assert {one["address"] for one in first} == {one["address"] for one in second} == set(tokens)
    assert sorted(len(one["receipts"]) for one in first) == [0, 1]
    assert not any(one["messages"] for one in visits if one["step"]["key"] != "mail")


async def test_forty_visits_with_their_messages_take_as_many_statements_as_three(api: Api) -> None:
    world = api.world
    await world.add_connection()
    journey_id = to_id("Journey", await world.add_journey(circling()))
    await world.live(world.event("", NOON, user="kim", type="identify", email="kim@example.com"))
    await world.live(world.event("add_to_cart", NOON, user="kim"))
    counts = []
    for hours, visits in ((0, 3), (13, 42)):
        await world.settle(NOON + hours * HOUR + MINUTE)
        for message in await world.rows(Message):
            await hear(world, message.id, ("accepted", NOON + 1, {}))
        with api.statements() as seen:
            run = await only_run(api, journey_id, userId="kim")
        assert len(run["visits"]) == visits
        assert all(one["messages"][0]["receipts"] for one in run["visits"] if one["step"]["key"] == "mail")
        counts.append(len([statement for statement in seen if "SELECT" in statement]))
    assert counts[0] == counts[1]


async def test_an_earlier_address_a_number_and_a_token_lead_to_the_person(api: Api) -> None:
    world = api.world
    journey_id = to_id("Journey", await world.add_journey(abandoned_cart()))
    about = {"phone": "010-1234-5678", "push_tokens": ["fcm:abc"]}
    await world.live(world.event("", NOON, user="kim", type="identify", email="kim@example.com", **about))
    await world.live(world.event("add_to_cart", NOON, user="kim"))
    moved = {"email": "minji@example.com", "phone": None}
    await world.live(world.event("", NOON + 1, user="kim", type="identify", **moved))
    for identity in (
        {"email": "kim@example.com"},
        {"email": "Kim@Example.com"},
        {"email": "minji@example.com"},
        {"phone": "01012345678"},
        {"phone": "+82 10 1234 5678"},
        {"token": "abc"},
        {"token": "fcm:abc"},
    ):
        found = await paths(api, journey_id, **identity)
        assert (found["__typename"], found["user"], found["others"]) == ("UserPaths", {"userId": "kim"}, [])


async def test_of_those_who_had_an_address_the_one_who_came_in_is_shown_and_the_rest_named(api: Api) -> None:
    world = api.world
    journey_id = to_id("Journey", await world.add_journey(abandoned_cart()))
    number = {"phone": "010-1234-5678"}
    await world.live(world.event("", NOON, user="kim", type="identify", **number))
    await world.live(world.event("add_to_cart", NOON, user="kim"))
    await world.live(world.event("", NOON + 1, user="lee", type="identify", **number))
    found = await paths(api, journey_id, phone="01012345678")
    assert (found["user"], found["others"]) == ({"userId": "kim"}, [{"userId": "lee"}])
    text = "query($i: IdentityInput!) { user(identity: $i) { userId } }"
    asked = await api.ask(text, i={"phone": "01012345678"})
    assert asked["user"]["userId"] in ("kim", "lee")


async def test_somebody_with_hundreds_of_runs_is_paged(api: Api) -> None:
    world = api.world
    graph = line(step("cart", "entry_event", event="add_to_cart"), step("done", "exit"))
    journey_id = to_id("Journey", await world.add_journey(graph))
    events = [world.event("add_to_cart", NOON + n, user="kim") for n in range(230)]
    await world.live(*events)
    found = await paths(api, journey_id, userId="kim")
    assert (len(found["runs"]), found["hasEarlierRuns"]) == (100, True)
    text = """query($id: ID!, $identity: IdentityInput!, $after: String) { journey(id: $id) {
      userPaths(identity: $identity) { ... on UserPaths { allRuns(first: 100, after: $after) {
        edges { node { enteredAt } } pageInfo { endCursor hasNextPage }
    } } } } }"""
    seen: list[str] = []
    after = None
    for _ in range(3):
        answer = await api.ask(text, id=journey_id, identity={"userId": "kim"}, after=after)
        page = answer["journey"]["userPaths"]["allRuns"]
        seen += [edge["node"]["enteredAt"] for edge in page["edges"]]
        after = page["pageInfo"]["endCursor"]
    assert (len(seen), page["pageInfo"]["hasNextPage"]) == (230, False)
    assert seen == sorted(seen, reverse=True)


def test_every_end_reason_has_its_mark() -> None:
    assert mark_of(None) is Mark.IN_PROGRESS
    assert {mark_of(reason) for reason in EndReason} == set(Mark) - {Mark.IN_PROGRESS}
    assert reasons_of(Mark) == {None, *(reason.value for reason in EndReason)}
