"""Times in drawn graphs: ways to wait, windows, silent hours; and what is wrong with them, with its path."""

from itertools import pairwise
from typing import Any

import pytest

from .api import Api

pytestmark = pytest.mark.anyio

FIELDS = """
    steps {
        key outputs
        ... on DelayStep {
            durationSeconds
            clockTime { at ifPassed }
            weekdayTime { weekdays at }
            dateTime { date at ifPassed }
            dateFrom { from name days at yearly ifPassed ifUnreadable }
        }
        ... on TimeWindowStep { windows { weekdays from until } }
    }
    silence { channels ranges { from until } closed appliesTo }
    problems { message code path }
"""


async def draw(api: Api, *steps: dict[str, Any], **more: Any) -> dict[str, Any]:
    """The draft of a journey that leads through these steps, as it comes back."""
    entry, leave = {"entryEvent": {"key": "in", "event": "go"}}, {"exit": {"key": "out"}}
    drawn = [entry, *steps, leave]
    keys = [next(iter(one.values()))["key"] for one in drawn]
    edges = [{"from": one, "to": two} for one, two in pairwise(keys)]
    made = await api.change("createJourney", "... on CreateJourneyPayload { journey { id } }", title="Times")
    graph = {"steps": drawn, "edges": [*edges, *more.pop("edges", ())], **more}
    saved = await api.change(
        "saveDraft",
        f"... on SaveDraftPayload {{ journey {{ draft {{ {FIELDS} }} }} }}",
        id=made["journey"]["id"],
        graph=graph,
        expectedRevision=0,
    )
    found: dict[str, Any] = saved["journey"]["draft"]
    return found


NONE = dict.fromkeys(("durationSeconds", "clockTime", "weekdayTime", "dateTime", "dateFrom"))


@pytest.mark.parametrize(
    ("way", "told"),
    [
        ({"durationSeconds": 60}, {"durationSeconds": 60}),
        ({"clockTime": {"at": "09:00"}}, {"clockTime": {"at": "09:00", "ifPassed": "TOMORROW"}}),
        (
            {"weekdayTime": {"weekdays": ["MONDAY", "FRIDAY"], "at": "09:00"}},
            {"weekdayTime": {"weekdays": ["MONDAY", "FRIDAY"], "at": "09:00"}},
        ),
        (
            {"dateTime": {"date": "2026-12-24", "at": "18:00"}},
            {"dateTime": {"date": "2026-12-24", "at": "18:00", "ifPassed": "GO_ON"}},
        ),
        (
            {"dateFrom": {"from": "ATTRIBUTE", "name": "born", "yearly": True, "at": "09:00"}},
            {
                "dateFrom": {
                    "from": "ATTRIBUTE",
                    "name": "born",
                    "days": 0,
                    "at": "09:00",
                    "yearly": True,
                    "ifPassed": "LEAVE",
                    "ifUnreadable": "END",
                }
            },
        ),
    ],
)
async def test_every_way_to_wait_comes_back_as_it_was_drawn(
    api: Api, way: dict[str, Any], told: dict[str, Any]
) -> None:
    draft = await draw(api, {"delay": {"key": "wait", **way}})
    assert draft["problems"] == []
    assert draft["steps"][1] == {"key": "wait", "outputs": ["next"], **NONE, **told}


async def test_a_delay_waits_in_exactly_one_way(api: Api) -> None:
    for ways in ({}, {"durationSeconds": 60, "clockTime": {"at": "09:00"}}):
        draft = await draw(api, {"delay": {"key": "wait", **ways}})
        [problem] = draft["problems"]
        assert problem["path"] == ["input", "graph", "steps", "1", "delay"]
        assert "exactly one way" in problem["message"]


async def test_a_date_has_outputs_for_what_may_come_of_it(api: Api) -> None:
    found = {"from": "PROPERTY", "name": "order.due", "days": -3, "at": "25:00", "ifUnreadable": "LEAVE"}
    draft = await draw(api, {"delay": {"key": "wait", "dateFrom": found}})
    assert draft["steps"][1]["outputs"] == ["next", "passed", "unreadable"]
    assert [(one["code"], one["path"][3:]) for one in draft["problems"]] == [
        ("INVALID", ["1", "delay", "dateFrom", "at"])
    ]


async def test_windows_and_silence_come_back_as_they_were_drawn(api: Api) -> None:
    window = {"weekdays": ["MONDAY"], "from": "09:00", "until": "18:00"}
    night = {"channels": ["sms", "push"], "ranges": [{"from": "21:00", "until": "08:00"}]}
    closed = {"channels": ["email"], "closed": ["SUNDAY"], "appliesTo": "ADVERTISEMENT"}
    draft = await draw(
        api,
        {"timeWindow": {"key": "open", "windows": [window, {"from": "10:00", "until": "24:00"}]}},
        silence=[night, closed],
    )
    assert draft["problems"] == []
    assert draft["steps"][1]["windows"] == [window, {"weekdays": [], "from": "10:00", "until": "24:00"}]
    assert draft["silence"] == [
        {**night, "closed": [], "appliesTo": "ALL"},
        {**closed, "ranges": []},
    ]


async def test_what_is_wrong_with_silence_is_told_with_its_path(api: Api) -> None:
    silence = [
        {"channels": ["sms"], "ranges": [{"from": "21:00", "until": "8am"}]},
        {"channels": ["email"]},
    ]
    draft = await draw(api, silence=silence)
    assert [(one["code"], one["path"]) for one in draft["problems"]] == [
        ("INVALID", ["input", "graph", "silence", "0", "ranges", "0", "until"]),
        ("MISSING", ["input", "graph", "silence", "1"]),
    ]
    always = {"channels": ["sms"], "ranges": [{"from": "00:00", "until": "24:00"}]}
    draft = await draw(api, silence=[always])
    assert [one["code"] for one in draft["problems"]] == ["NEVER_OPENS"]


async def test_a_preset_can_be_taken_over_as_it_is(api: Api) -> None:
    asked = "{ silencePresets { key why rules { channels ranges { from until } closed appliesTo } } }"
    [korea] = (await api.ask(asked))["silencePresets"]
    assert (korea["key"], "50(3)" in korea["why"]) == ("korea_advertising", True)
    draft = await draw(api, silence=korea["rules"])
    assert draft["problems"] == []
    assert draft["silence"] == korea["rules"]
    assert draft["silence"][0]["ranges"] == [{"from": "21:00", "until": "08:00"}]
