"""Uploaded lists over the API."""

from typing import Any

import pytest

from tests.server.schema.api import Api
from tests.world import NOON

pytestmark = pytest.mark.anyio

LIST = "... on UploadUserListPayload { userList { id name size } taken known refused badLines }"


async def upload(api: Api, csv: str, **more: Any) -> Any:
    found = await api.change("uploadUserList", LIST, name="march", csv=csv, **more)
    await api.world.settle()
    return found


async def test_a_text_makes_a_list_and_tells_of_bad_lines(api: Api) -> None:
    await api.world.live(
        *(api.world.event("", NOON, user=name, type="identify", n=name) for name in ("kim", "lee"))
    )
    found = await upload(api, "\ufeffuser_id\nkim\nkim\nnobody\nlee")
    assert (found["taken"], found["known"], found["refused"]) == (2, 1, 1)
    assert found["badLines"] == ["line 4: nobody has the user_id 'nobody'"]
    [edge] = (await api.ask("{ userLists { edges { node { name size } } } }"))["userLists"]["edges"]
    assert edge["node"] == {"name": "march", "size": 2}
    for no_list in ("name\nkim", ""):
        refused = await upload(api, no_list)
        assert (refused["__typename"], refused["path"]) == ("InputProblem", ["input", "csv"])


async def test_a_key_answers_again_and_belongs_to_its_text(api: Api) -> None:
    await api.world.live(api.world.event("", NOON, user="kim", type="identify", n=1))
    first = await upload(api, "user_id\nkim", idempotencyKey="a")
    assert (await upload(api, "user_id\nkim", idempotencyKey="a"))["taken"] == first["taken"] == 1
    other = await upload(api, "user_id\nlee", idempotencyKey="a")
    assert other["code"] == "IDEMPOTENCY_CONFLICT"


async def test_a_list_that_a_segment_names_stays(api: Api) -> None:
    await api.world.live(api.world.event("", NOON, user="kim", type="identify", n=1))
    made = (await upload(api, "user_id\nkim"))["userList"]
    segment = await api.change(
        "createSegment", "... on CreateSegmentPayload { segment { id } }",
        name="VIP", conditions={"not": {"inList": "march"}},
    )  # fmt: skip
    refused = await api.change("deleteUserList", "... on NamedProblem { segments }", id=made["id"])
    assert refused["segments"] == [segment["segment"]["id"]]
    await api.change("deleteSegment", id=segment["segment"]["id"])
    assert (await api.change("deleteUserList", id=made["id"]))["__typename"] == "DeleteUserListPayload"
    assert (await api.ask("{ userLists { edges { cursor } } }"))["userLists"]["edges"] == []


async def test_a_draft_tells_of_segments_that_there_are_not(api: Api) -> None:
    made = await api.change(
        "createJourney",
        "... on CreateJourneyPayload { journey { draft { problems { code path } } } }",
        title="x",
        graph={
            "steps": [
                {"entryEvent": {"key": "in", "event": "a"}},
                {"split": {"key": "which", "branches": [
                    {"output": "yes", "conditions": [{"segment": {"segment": "VIP", "isIn": False}}]}
                ]}},
                {"exit": {"key": "out"}},
            ],
            "edges": [
                {"from": "in", "to": "which"},
                {"from": "which", "output": "yes", "to": "out"},
                {"from": "which", "output": "otherwise", "to": "out"},
            ],
        },
    )  # fmt: skip
    [problem] = made["journey"]["draft"]["problems"]
    assert problem["code"] == "UNKNOWN_SEGMENT"
    assert problem["path"] == [
        *("input", "graph", "steps", "1", "split", "branches", "0"),
        *("conditions", "0", "segment", "segment"),
    ]


async def test_who_may_come_again_and_whom_an_event_names_come_back_as_they_went_in(api: Api) -> None:
    rules = {"afterSeconds": 60, "since": "ENTRY", "most": 2, "withinSeconds": 600, "onePer": "id"}
    entry = {"entryEvent": {"key": "in", "event": "a", "usersIn": "friends"}}
    graph = {"steps": [entry, {"exit": {"key": "out"}}], "edges": [{"from": "in", "to": "out"}]}
    made = await api.change(
        "createJourney",
        """... on CreateJourneyPayload { journey {
            draft {
              reentry
              reentryRules { afterSeconds since most withinSeconds onePer }
              steps { ... on EntryEventStep { usersIn } }
              problems { code }
            } } }""",
        title="x", graph={**graph, "reentryRules": rules},
    )  # fmt: skip
    draft = made["journey"]["draft"]
    assert (draft["reentry"], draft["reentryRules"]) == ("AFTER_LEAVING", rules)
    assert draft["steps"][0] == {"usersIn": "friends"}
    assert draft["problems"] == []
