"""What segments can ask, over the API: of journeys, messages, other segments, in windows."""

from typing import Any

import orjson
import pytest
from sqlalchemy import update

from server.schema.ids import to_id
from server.schema.segment_inputs import SegmentConditionInput, to_conditions, to_given
from server.schema.spelling import fields_of, from_spelled
from server.store import segments
from server.store.bulk import table_of
from server.store.tables import Message
from tests.server.schema.api import Api, hear
from tests.server.schema.test_segments import VIP, make, preview
from tests.world import DAY, HOUR, NOON, World, line, saying, step

pytestmark = pytest.mark.anyio


async def who(api: Api, conditions: Any, **more: Any) -> list[str]:
    answer = await preview(api, conditions, **more)
    assert "sample" in answer, answer
    assert answer["count"] == len(answer["sample"])
    return sorted(one["userId"] for one in answer["sample"])


async def journey(world: World) -> str:
    """kim and lee come in, kim twice; both get a message; lee is still inside; kim opens hers and buys."""
    graph = line(
        step("in", "entry_event", event="sign_up"),
        saying("email", "mail", connection="mail"),
        step("wait", "delay", duration_ms=DAY),
        step("out", "exit"),
        goals=[{"key": "bought", "event": "order", "window_ms": 9 * DAY}],
    )
    await world.add_connection()
    number = await world.add_journey(graph)
    tell = world.event
    for name in ("kim", "lee", "park"):
        await world.live(tell("", NOON, user=name, type="identify", email=f"{name}@example.com"))
    await world.live(tell("sign_up", NOON + HOUR, user="kim"))
    await world.live(tell("order", NOON + 2 * HOUR, user="kim"), until=NOON + 2 * DAY)
    await world.live(*(tell("sign_up", NOON + 3 * DAY + n, user=one) for n, one in enumerate(("kim", "lee"))))
    await world.settle(NOON + 3 * DAY + HOUR)
    await sent(world)
    return str(to_id("Journey", number))


async def sent(world: World) -> None:
    table = table_of(Message)
    async with world.db.write() as session:
        await session.run(update(table).values(attempted_at=table.c.created_at + 1))
    for message in await world.rows(Message, "id"):
        await hear(world, message.id, ("accepted", message.created_at + 2, {}))
    first = (await world.rows(Message, "created_at"))[0]
    await hear(world, first.id, ("opened", NOON + 4 * HOUR, {"actor": "human"}))


async def test_what_journeys_did_with_people(api: Api) -> None:
    here = {"journey": await journey(api.world)}
    assert await who(api, {"enteredJourney": here}) == ["kim", "lee"]
    assert await who(api, {"enteredJourney": {**here, "atLeast": 2}}) == ["kim"]
    assert await who(api, {"enteredJourney": {**here, "which": "FIRST", "window": {"lastDays": 1}}}) == [
        "lee"
    ]
    assert await who(api, {"enteredJourney": {**here, "atMost": 0}}) == ["park"]
    assert await who(api, {"insideJourney": here}) == ["kim", "lee"]
    assert await who(api, {"insideJourney": {**here, "step": "wait"}}) == ["kim", "lee"]
    assert await who(api, {"insideJourney": {**here, "step": "mail"}}) == []
    assert await who(api, {"endedJourney": {**here, "reasons": ["COMPLETED"]}}) == ["kim"]
    assert await who(api, {"endedJourney": {**here, "reasons": ["STOPPED"]}}) == []
    assert await who(api, {"passedStep": {**here, "step": "wait"}}) == ["kim", "lee"]
    assert await who(api, {"passedStep": {**here, "step": "wait", "output": "next"}}) == ["kim"]
    assert await who(api, {"passedStep": {**here, "step": "wait", "atLeast": 2}}) == ["kim"]
    assert await who(api, {"reachedGoal": {**here, "goal": "bought"}}) == ["kim"]
    assert await who(api, {"reachedGoal": {**here, "goal": "other"}}) == []


async def test_what_became_of_messages(api: Api) -> None:
    here = {"journey": await journey(api.world)}
    assert await who(api, {"message": {"act": "SENT"}}) == ["kim", "lee"]
    assert await who(api, {"message": {"act": "SENT", **here, "step": "mail", "atLeast": 2}}) == ["kim"]
    assert await who(api, {"message": {"act": "SENT", "channel": "sms"}}) == []
    assert await who(api, {"message": {"act": "OPENED", **here}}) == ["kim"]
    unread = {"all": [{"message": {"act": "SENT", **here}}, {"message": {"act": "OPENED", "atMost": 0}}]}
    assert await who(api, unread) == ["lee"]
    assert await who(api, {"message": {"act": "CLICKED"}}) == []


async def test_as_of_a_moment_what_came_later_does_not_exist(api: Api) -> None:
    here = {"journey": await journey(api.world)}
    early = "2024-03-13T22:30:00+09:00"
    assert await who(api, {"insideJourney": here}, asOf=early) == ["kim"]
    assert await who(api, {"endedJourney": here}, asOf=early) == []
    assert await who(api, {"passedStep": {**here, "step": "out"}}, asOf=early) == []
    assert await who(api, {"message": {"act": "OPENED"}}, asOf=early) == []


async def test_what_was_done_in_a_window(api: Api) -> None:
    await journey(api.world)
    lately = {"window": {"lastDays": 1}}
    assert await who(api, {"did": {"event": "sign_up", **lately}}) == ["kim", "lee"]
    assert await who(api, {"did": {"event": "sign_up", "which": "FIRST", **lately}}) == ["lee"]
    assert await who(api, {"did": {"event": "order", "which": "LAST", "window": {"beforeLastDays": 2}}}) == [
        "kim"
    ]
    dates = {"since": "2024-03-14", "until": "2024-03-17"}
    assert await who(api, {"did": {"event": "sign_up", "window": dates}}) == ["kim", "lee"]
    assert await who(api, {"did": {"event": "order", "window": dates}}) == []


async def test_segments_name_segments_and_never_in_circles(api: Api) -> None:
    await api.world.live(api.world.event("", NOON, user="kim", type="identify", plan="vip"))
    await make(api, "vip", VIP)
    made = await make(api, "both", {"all": [{"inSegment": "vip"}, {"not": {"inSegment": "vip"}}]})
    assert await who(api, {"inSegment": "vip"}) == ["kim"]
    assert await who(api, {"not": {"inSegment": "both"}}) == ["kim"]
    problems = "... on ConditionProblems { problems { code path message } }"
    vip = (await api.ask("{ segments { edges { node { id name } } } }"))["segments"]["edges"][1]["node"]
    assert vip["name"] == "vip"
    circle = await api.change("updateSegment", problems, id=vip["id"], conditions={"inSegment": "both"})
    assert [one["code"] for one in circle["problems"]] == ["CIRCLE"]
    lost = await api.change("updateSegment", problems, id=made["id"], conditions={"inSegment": "x"})
    assert [one["code"] for one in lost["problems"]] == ["UNKNOWN_SEGMENT"]


async def test_every_question_comes_back_as_it_went_in(api: Api) -> None:
    window = {"withinSeconds": 90, "beforeSeconds": 30, "lastDays": 3, "since": "2024-01-01"}
    here = {"journey": await journey(api.world)}
    asked: list[Any] = [
        {"attribute": {"name": "a", "operator": "ONE_OF", "value": ["b"]}},
        {"did": {"event": "a", "withinSeconds": 60, "which": "LAST", "atMost": 0}},
        {"did": {"event": "a", "window": window, "where": [VIP["attribute"]]}},
        {"didAmount": {"event": "a", "of": "AVERAGE", "property": "b", "atLeast": 1.5, "window": window}},
        {"visited": {"source": ["search"], "landing": ["a/b"], "which": "FIRST", "window": window}},
        {"enteredJourney": {**here, "atLeast": 2}},
        {"insideJourney": {**here, "step": "in"}},
        {"endedJourney": {**here, "reasons": ["GOAL", "STOPPED"]}},
        {"passedStep": {**here, "step": "in", "output": "next"}},
        {"reachedGoal": {**here, "goal": "bought"}},
        {"message": {"act": "OPENED", **here, "step": "mail", "channel": "email", "window": window}},
        {"reachableOn": "email"},
    ]
    tree = {"all": [{"not": one} for one in asked]}
    assert (await make(api, "everything", tree))["conditions"] == tree
    told = {next(iter(one)) for one in asked} | {"all", "any", "not", "inList", "inSegment"}
    assert told >= {one.spelled for one in fields_of(SegmentConditionInput)} - OF_OTHERS
    assert to_given(to_conditions(from_spelled(tree, SegmentConditionInput))) == tree


OF_OTHERS = {"purchased", "spent", "signedUp", "coupon"}
"""Questions that have a test of their own: test_commerce_segments.py."""


async def test_segments_that_were_saved_before_there_were_windows_ask_what_they_asked(api: Api) -> None:
    await api.world.live(api.world.event("order", NOON, user="kim"))
    old = {"all": [{"did": {"event": "order", "where": [], "at_least": 1, "within_ms": 86400000}}]}
    async with api.world.db.write() as session:
        await segments.create(session, api.world.project_id, "old", orjson.dumps(old).decode(), NOON)
    assert await who(api, {"inSegment": "old"}) == ["kim"]
    assert await who(api, {"inSegment": "old"}, asOf="2024-03-15T20:00:00+09:00") == []
    [told] = (await api.ask("{ segments { edges { node { conditions } } } }"))["segments"]["edges"]
    [did] = told["node"]["conditions"]["all"]
    assert did["did"] == {"event": "order", "where": [], "atLeast": 1, "withinSeconds": 86400}


async def test_what_is_wrong_inside_a_question_is_told_with_its_path(api: Api) -> None:
    wrong = {"not": {"visited": {"window": {"since": "2024-03-02", "until": "2024-03-01"}}}}
    [problem] = (await preview(api, wrong))["problems"]
    assert problem["path"] == ["conditions", "not", "visited", "window", "until"]
    [problem] = (await preview(api, {"insideJourney": {"journey": "Sm91cm5leTo5OQ"}}))["problems"]
    assert "not in this project" in problem["message"]
