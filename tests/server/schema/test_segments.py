"""Segments over the API: made, changed, refused, taken away, asked."""

from typing import Any

import pytest

from tests.server.schema.api import Api
from tests.world import DAY, NOON, World, line, step

pytestmark = pytest.mark.anyio

VIP = {"attribute": {"name": "plan", "operator": "EQUALS", "value": "vip"}}
BOUGHT = {"did": {"event": "order", "withinSeconds": 86400}}
PREVIEW = """query($conditions: SegmentConditionInput!, $asOf: DateTime) {
  segmentPreview(conditions: $conditions, asOf: $asOf) {
    ... on SegmentPreview { count of sample { userId } }
    ... on ConditionProblems { problems { message code path } }
    ... on InputProblem { path }
  }
}"""


async def preview(api: Api, conditions: Any, **more: Any) -> Any:
    return (await api.ask(PREVIEW, conditions=conditions, **more))["segmentPreview"]


async def people(world: World) -> None:
    """kim is a VIP who has ordered twice, lee has ordered once some time ago, park has done nothing."""
    tell = world.event
    await world.live(tell("", NOON, user="kim", type="identify", plan="vip", email="kim@example.com"))
    await world.live(*(tell("", NOON, user=name, type="identify", plan="free") for name in ("lee", "park")))
    await world.live(tell("order", NOON + 1, user="lee", total=5))
    await world.live(*(tell("order", NOON + 3 * DAY + n, user="kim", total=50) for n in (0, 1)))


async def test_a_preview_counts_exactly_and_shows_some(api: Api) -> None:
    await people(api.world)
    assert await preview(api, VIP) == {"count": 1, "of": 3, "sample": [{"userId": "kim"}]}
    assert (await preview(api, {"not": VIP}))["count"] == 2
    assert (await preview(api, {"did": {"event": "order"}}))["count"] == 2
    assert (await preview(api, {"did": {"event": "order", "atMost": 0}}))["sample"] == [{"userId": "park"}]
    assert (await preview(api, {"did": {"event": "order", "atLeast": 2}}))["sample"] == [{"userId": "kim"}]
    assert (await preview(api, BOUGHT))["sample"] == [{"userId": "kim"}]
    assert (await preview(api, {"reachableOn": "email"}))["sample"] == [{"userId": "kim"}]
    both = {"all": [{"any": [VIP, BOUGHT]}, {"not": {"reachableOn": "email"}}]}
    assert (await preview(api, both))["count"] == 0


async def test_not_many_previews_are_made_at_once(api: Api) -> None:
    every = " ".join(f'a{n}: segmentPreview(conditions: {{inList: "x"}}) {{ __typename }}' for n in range(6))
    assert (await api.error(f"{{ {every} }}"))["extensions"]["code"] == "QUERY_TOO_COSTLY"


async def test_a_preview_as_of_a_moment(api: Api) -> None:
    await people(api.world)
    assert (await preview(api, BOUGHT, asOf="2024-03-13T20:00:01+09:00"))["sample"] == [{"userId": "lee"}]
    for no_time in ("2024-03-13T20:00:01", "9999-12-31T23:00:00-12:00", "0001-01-01T00:00:00+14:00"):
        assert await preview(api, BOUGHT, asOf=no_time) == {"path": ["asOf"]}


async def test_what_somebody_did_as_another_counts(api: Api) -> None:
    """Before it was known whose device it is: facts do not move, and are found."""
    world = api.world
    await world.live(world.event("", NOON, user="kim", type="identify", plan="vip"))
    await world.live(world.event("order", NOON + 1, anonymous="phone"))
    await world.live(world.event("view", NOON + 2, user="kim", anonymous="phone"))
    assert await preview(api, {"did": {"event": "order"}}) == {
        "count": 1,
        "of": 1,
        "sample": [{"userId": "kim"}],
    }


async def test_everything_wrong_is_told_at_once_with_its_path(api: Api) -> None:
    wrong = {"all": [{"did": {"event": "", "withinSeconds": 0}}, {"inList": "march"}]}
    found = (await preview(api, wrong))["problems"]
    assert [one["path"] for one in found] == [
        ["conditions", "all", "0", "did", "event"],
        ["conditions", "all", "0", "did", "withinSeconds"],
    ]
    [unknown] = (await preview(api, {"inList": "march"}))["problems"]
    assert (unknown["code"], "march" in unknown["message"]) == ("UNKNOWN_LIST", True)
    made = await api.change("createSegment", name="x", conditions=wrong)
    assert made["__typename"] == "ConditionProblems"


SEGMENT = "... on CreateSegmentPayload { segment { id name conditions } }"


async def make(api: Api, name: str = "VIP", conditions: Any = VIP) -> Any:
    return (await api.change("createSegment", SEGMENT, name=name, conditions=conditions))["segment"]


async def test_a_segment_is_kept_listed_changed_and_taken_away(api: Api) -> None:
    tree = {"all": [VIP, {"not": BOUGHT}, {"any": [{"reachableOn": "sms"}]}]}
    made = await make(api, conditions=tree)
    assert made["conditions"] == tree
    assert (await api.change("createSegment", name="VIP", conditions=VIP))["__typename"] == "NameTakenProblem"
    changed = await api.change(
        "updateSegment", "... on UpdateSegmentPayload { segment { name conditions } }",
        id=made["id"], name="Best", conditions=VIP,
    )  # fmt: skip
    assert changed["segment"] == {"name": "Best", "conditions": VIP}
    await make(api, "Also")
    names = "{ segments(first: 5) { edges { node { name } } } }"
    listed = (await api.ask(names))["segments"]["edges"]
    assert [one["node"]["name"] for one in listed] == ["Also", "Best"]
    gone = await api.change("deleteSegment", "... on DeleteSegmentPayload { id }", id=made["id"])
    assert gone["id"] == made["id"]
    assert (await api.change("deleteSegment", id=made["id"]))["code"] == "NOT_FOUND"


async def test_a_segment_that_a_running_journey_asks_stays_and_keeps_its_name(api: Api) -> None:
    made = await make(api)
    branch = {"output": "yes", "conditions": [{"about": "segment", "segment": "VIP"}]}
    split = step("vip", "split", branches=[branch])
    graph = line(step("in", "entry_event", event="a"), split)
    graph["steps"].append(step("out", "exit"))
    graph["edges"] += [{"from": "vip", "output": output, "to": "out"} for output in ("yes", "otherwise")]
    journey = await api.world.add_journey(graph, title="Welcome")
    for change in ("deleteSegment", "updateSegment"):
        more = {"name": "Best"} if change == "updateSegment" else {}
        refused = await api.change(change, "... on NamedProblem { journeys segments }", id=made["id"], **more)
        assert (refused["__typename"], len(refused["journeys"])) == ("NamedProblem", 1)
        assert "Welcome" in refused["message"]
    await api.world.set_status(journey, "finished")
    assert (await api.change("deleteSegment", id=made["id"]))["__typename"] == "DeleteSegmentPayload"


USED = "{ segments { edges { node { id name size usedBy { journeys { title } segments cohortReports } } } } }"


async def test_what_needs_a_segment_is_told_and_how_many_belong_to_it(api: Api) -> None:
    await people(api.world)
    vip = await make(api)
    both = await make(api, "Both", {"all": [{"inSegment": "VIP"}, {"not": {"did": {"event": "view"}}}]})
    graph = line(step("in", "entry_audience", segment="VIP"), step("out", "exit"))
    await api.world.add_journey(graph, title="Monday", status="paused")
    with api.statements() as seen:
        listed = [one["node"] for one in (await api.ask(USED))["segments"]["edges"]]
    uses = {one["name"]: (one["size"], one["usedBy"]) for one in listed}
    assert uses["VIP"] == (
        1,
        {"journeys": [{"title": "Monday"}], "segments": [both["id"]], "cohortReports": []},
    )
    assert uses["Both"][0] == 1
    assert not any(uses["Both"][1].values())
    assert len([one for one in seen if "FROM version" in one]) <= 1, "read once for all"
    refused = await api.change("deleteSegment", "... on NamedProblem { segments }", id=vip["id"])
    assert (refused["segments"], "Both" in refused["message"]) == ([both["id"]], True)
    renamed = await api.change("updateSegment", id=vip["id"], name="Best")
    assert renamed["__typename"] == "NamedProblem"
    assert (await api.change("deleteSegment", id=both["id"]))["__typename"] == "DeleteSegmentPayload"
