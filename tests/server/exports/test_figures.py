"""The statistics of goals, of a channel and of one message: what the API tells of them, as sheets."""

from decimal import Decimal
from typing import Any

import orjson
import pytest

from server.errors import BadInput, NotFound
from server.schema.ids import to_id
from server.store.tables import Version
from tests.server.exports.sheets import FIRST, SECOND, lived, sheet
from tests.server.schema.api import Api
from tests.world import World, reaching, saying

pytestmark = pytest.mark.anyio

PERIODS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({}, {}),
    ({"first": FIRST, "until": SECOND}, {"from": "2024-03-13", "until": "2024-03-14"}),
    ({"first": "2024-04-01"}, {"from": "2024-04-01"}),
]
METRICS = """metrics { metric observable total unique users human machine unsure share { of base rate } }
  issues { family reason share { count of rate } }"""
CREDIT = """total unique uniqueAfterOpen afterOpen afterSend assisted
  share { rate } shareAfterOpen { rate } revenue { amount currency }"""
CONVERSIONS = {
    "converted": "unique",
    "converted_after_open": "uniqueAfterOpen",
    "conversions": "total",
    "conversions_after_open": "afterOpen",
    "conversions_after_send": "afterSend",
    "assisted": "assisted",
}
STATS = f"""query($id: ID!, $period: PeriodInput, $goal: ID) {{ journey(id: $id) {{ stats(period: $period) {{
  performance {{
    goal {{ key title event }} reached {{ total users }} hits perRun {{ rate }} perUser {{ rate }}
    revenue {{ amount currency }} firstRevenue {{ amount }}
    credit {{ afterOpen {{ count }} afterSend {{ count }} uncredited {{ count }} }}
  }}
  communications {{ channel messages(goal: $goal) {{
    step {{ key }} isCurrent {METRICS} conversion {{ {CREDIT} }} credited {{ goal {{ key }} {CREDIT} }}
  }} }}
}} }} }}"""


async def stats(api: Api, journey_id: int, **variables: Any) -> dict[str, Any]:
    found = await api.ask(STATS, id=to_id("Journey", journey_id), **variables)
    return dict(found["journey"]["stats"])


def amount(money: dict[str, Any] | None) -> Decimal | None:
    return money and Decimal(money["amount"])


@pytest.mark.parametrize(("days", "period"), PERIODS)
async def test_goals_are_those_of_the_api(
    small_api: Api, days: dict[str, Any], period: dict[str, Any]
) -> None:
    journey_id = await lived(small_api.world)
    rows = await sheet(small_api.world, "goal_statistics", **days)
    found = (await stats(small_api, journey_id, period=period))["performance"]
    assert [row["key"] for row in rows] == ["bought", "came"]
    for row, goal in zip(rows, found, strict=True):
        credit = goal["credit"]
        assert {name: row[name] for name in row if name not in ("as_of", "counted_until")} == {
            "journey_id": to_id("Journey", journey_id),
            "journey_title": "Journey",
            "from": period.get("from"),
            "until": period.get("until"),
            "clock": "happened",
            **{name: goal["goal"][name] for name in ("key", "title", "event")},
            "window_days": 30,
            "runs": goal["reached"]["total"],
            "users": goal["reached"]["users"],
            "run_rate": goal["perRun"]["rate"],
            "user_rate": goal["perUser"]["rate"],
            "hits": goal["hits"],
            "revenue": amount(goal["revenue"]),
            "first_revenue": amount(goal["firstRevenue"]),
            "currency": (goal["revenue"] or {}).get("currency"),
            "after_open": credit["afterOpen"]["count"],
            "after_send": credit["afterSend"]["count"],
            "without_message": credit["uncredited"]["count"],
        }


async def test_one_goal_of_all_journeys_that_have_it(sqlite_world: World) -> None:
    world = sqlite_world
    other = [{"key": "came", "event": "visit"}]
    await lived(world)
    await world.add_journey(reaching(goals=other, event="never"), title="Other")
    await world.add_journey(reaching(event="never"), title="Bare")
    rows = await sheet(world, "goal_statistics", goal="came")
    assert [(row["journey_title"], row["key"], row["runs"]) for row in rows] == [
        ("Journey", "came", 1),
        ("Other", "came", 0),
    ]
    with pytest.raises(NotFound):
        await sheet(world, "goal_statistics", goal="nothing")


async def test_goals_by_day(sqlite_world: World) -> None:
    await lived(sqlite_world)
    rows = await sheet(sqlite_world, "goal_statistics", goal="bought", daily=True)
    assert [(row["from"], row["runs"], row["hits"], row["revenue"]) for row in rows] == [
        ("2024-03-13", 1, 2, Decimal("20000.5")),
        ("2024-03-14", 0, 0, 0),
    ]


@pytest.mark.parametrize("goal", [None, "bought", "came"])
@pytest.mark.parametrize(("days", "period"), PERIODS)
async def test_a_channel_is_that_of_the_api(
    small_api: Api, days: dict[str, Any], period: dict[str, Any], goal: str | None
) -> None:
    journey_id = await lived(small_api.world)
    for channel in (await stats(small_api, journey_id, period=period, goal=goal))["communications"]:
        name = "pigeon" if channel["channel"] == "OTHER" else channel["channel"].lower()
        about = {"journey_id": journey_id, "channel": name, "goal": goal}
        rows = await sheet(small_api.world, "channel_statistics", **about, **days)
        for row, message in zip(rows, channel["messages"], strict=True):
            assert (row["step_key"], row["is_current"]) == (message["step"]["key"], message["isCurrent"])
            for metric in message["metrics"]:
                same_metric(row, metric)
            same_credit(row, message["conversion"])


def same_metric(row: dict[str, Any], metric: dict[str, Any]) -> None:
    name = metric["metric"].lower()
    assert row[name] == metric["total" if name in ("opens", "clicks") else "unique"], name
    if metric["share"]:
        assert row[f"{name}_rate"] == metric["share"]["rate"], name
    if name in ("opened", "clicked"):
        assert row[f"{name}_users"] == metric["users"]
        for actor in ("human", "machine", "unsure"):
            assert row[f"{name}_{actor}"] == metric[actor]


def same_credit(row: dict[str, Any], credit: dict[str, Any]) -> None:
    assert row["conversions"] == credit["total"]
    assert row["conversions_after_open"] == credit["afterOpen"]
    assert row["conversions_after_send"] == credit["afterSend"]
    assert row["assisted"] == credit["assisted"]
    assert row["converted"] == credit["unique"]
    assert row["converted_rate"] == credit["share"]["rate"]
    assert row["converted_after_open"] == credit["uniqueAfterOpen"]
    assert row["converted_after_open_rate"] == credit["shareAfterOpen"]["rate"]
    assert row["revenue"] == amount(credit["revenue"])


@pytest.mark.parametrize(("days", "period"), PERIODS)
async def test_a_message_is_that_of_the_api(
    small_api: Api, days: dict[str, Any], period: dict[str, Any]
) -> None:
    journey_id = await lived(small_api.world)
    found = (await stats(small_api, journey_id, period=period))["communications"]
    (message,) = [one for channel in found for one in channel["messages"] if one["step"]["key"] == "email"]
    lines = await sheet(
        small_api.world, "message_statistics", journey_id=journey_id, step_key="email", **days
    )
    told = {(one["about"], one["name"], one["reason"], one["goal"]): one for one in lines}
    for metric in message["metrics"]:
        line = told.pop(("metric", metric["metric"].lower(), None, None))
        each = metric["metric"] in ("OPENS", "CLICKS")
        assert line["total"] == metric["total" if each else "unique"], metric
        assert line["users"] == metric["users"]
        assert (line["human"], line["machine"]) == (metric["human"], metric["machine"])
        if metric["share"]:
            assert (line["of"], line["rate"]) == (metric["share"]["of"], metric["share"]["rate"])
            assert line["base"] == metric["share"]["base"].lower()
    for issue in message["issues"]:
        line = told.pop(("issue", issue["family"].lower(), issue["reason"].lower(), None))
        assert (line["total"], line["rate"]) == (issue["share"]["count"], issue["share"]["rate"])
    for credit in message["credited"]:
        key = credit["goal"]["key"]
        lines = {how: told.pop(("conversion", how, None, key)) for how in CONVERSIONS}
        assert {how: line["total"] for how, line in lines.items()} == {
            how: credit[name] for how, name in CONVERSIONS.items()
        }
        assert lines["converted"]["rate"] == credit["share"]["rate"]
        assert lines["conversions"]["revenue"] == amount(credit["revenue"])
    assert not told


async def publish(world: World, journey_id: int, graph: dict[str, Any]) -> None:
    text = orjson.dumps(graph).decode()
    async with world.db.write() as session:
        session.add(Version(journey_id=journey_id, number=2, graph=text, published_at=0))


async def test_steps_of_earlier_versions_are_told_too(sqlite_world: World) -> None:
    journey_id = await lived(sqlite_world)
    await publish(sqlite_world, journey_id, reaching(saying("push", "other")))
    rows = await sheet(sqlite_world, "channel_statistics", journey_id=journey_id, channel="push")
    assert [(row["step_key"], row["is_current"], row["sent"]) for row in rows] == [
        ("other", True, 0),
        ("push", False, 1),
    ]
    lines = await sheet(sqlite_world, "message_statistics", journey_id=journey_id, step_key="email")
    assert {line["is_current"] for line in lines} == {False}


async def test_what_a_step_sent_stays_when_an_edit_gives_it_another_channel(sqlite_world: World) -> None:
    journey_id = await lived(sqlite_world)
    await publish(sqlite_world, journey_id, reaching(saying("sms", "push")))
    rows = await sheet(sqlite_world, "channel_statistics", journey_id=journey_id, channel="push")
    assert [(row["step_key"], row["is_current"], row["sent"]) for row in rows] == [("push", False, 1)]
    lines = await sheet(sqlite_world, "message_statistics", journey_id=journey_id, step_key="push")
    sent = [(line["channel"], line["total"]) for line in lines if line["name"] == "sent"]
    assert sent == [("sms", 0), ("push", 1)]
    (row,) = await sheet(sqlite_world, "campaign_statistics")
    assert (row["push_sent"], row["push_recipients"], row["total_sent"]) == (1, 1, 9)


@pytest.mark.parametrize(
    ("kind", "arguments", "error"),
    [
        ("channel_statistics", {"journey_id": 999, "channel": "email"}, NotFound),
        ("channel_statistics", {"journey_id": 1, "channel": "fax"}, NotFound),
        ("channel_statistics", {"journey_id": 1, "channel": "email", "goal": "none"}, NotFound),
        ("message_statistics", {"journey_id": 1, "step_key": "entry"}, NotFound),
        ("message_statistics", {"journey_id": 999, "step_key": "email"}, NotFound),
        ("campaign_statistics", {"first": SECOND, "until": FIRST}, BadInput),
    ],
)
async def test_what_is_not_there_is_refused_before_anything_is_written(
    sqlite_world: World, kind: str, arguments: dict[str, Any], error: type[Exception]
) -> None:
    await lived(sqlite_world)
    with pytest.raises(error):
        await sheet(sqlite_world, kind, **arguments)
