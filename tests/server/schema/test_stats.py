"""Figures: each with its base, exact in its period, and read in a few statements."""

from datetime import date
from typing import Any

import pytest

from server.aggregates.metrics import DEFINITIONS
from server.schema.ids import to_id
from server.store.tables import Message
from tests.server.schema.api import Api, hear
from tests.world import DAY, HOUR, MINUTE, NOON, abandoned_cart, line, step

pytestmark = pytest.mark.anyio

GOALS = [{"key": "bought", "event": "purchase", "amount_property": "total", "currency": "KRW"}]

STATS = """query($id: ID!, $period: PeriodInput, $version: Int) { journey(id: $id) {
  stats(period: $period, version: $version) {
    period { preset from until zone }
    watermark
    audience {
      entries users insideNow ended
      endedBy { reason count share { count of base rate } }
      refused { reason count }
    }
    performance {
      goal { key } reached { total users } hits
      perRun { count of base rate } perUser { count of base rate }
      revenue { amount currency } firstRevenue { amount }
    }
    communications {
      channel
      metrics { metric observable total unique users share { count of base rate } human machine unsure }
      messages { step { key } metrics { metric unique } issues { reason } }
      issues { family reason share { count of base rate } }
    }
    steps {
      step { key } isCurrent arrivals { total users } waitingNow left
      endedHere { reason count } dropOffs { rate } ofEntries { count of base rate }
      opened { observable unique } notSent { count of base }
    }
    edges { edge { from output to } isCurrent passed { total users } }
  } } }"""


async def stats(api: Api, journey_id: int, **variables: Any) -> dict[str, Any]:
    answer = await api.ask(STATS, id=to_id("Journey", journey_id), **variables)
    return dict(answer["journey"]["stats"])


async def lived(api: Api) -> int:
    """A journey that four have entered: one bought at once, two got a mail, one is inside."""
    world = api.world
    await world.add_connection("mail", "smtp")
    journey_id = await world.add_journey(abandoned_cart(goals=GOALS))
    await world.live(
        world.event("", NOON, user="kim", type="identify", email="kim@example.com"),
        world.event("add_to_cart", NOON + 1, user="kim"),
        world.event("add_to_cart", NOON + 1, user="lee"),
        world.event("add_to_cart", NOON + 1, user="choi"),
        world.event("purchase", NOON + MINUTE, user="choi", total=19900.5),
        world.event("purchase", NOON + 2 * MINUTE, user="choi", total=100),
        world.event("add_to_cart", NOON + 3 * MINUTE, user="choi"),
        until=NOON + 2 * HOUR,
    )
    await world.live(world.event("add_to_cart", NOON + 2 * HOUR, user="park"))
    return journey_id


async def test_entries_are_inside_now_or_have_ended(api: Api) -> None:
    found = await stats(api, await lived(api))
    assert found["audience"] == {
        "entries": 4,
        "users": 4,
        "insideNow": 1,
        "ended": 3,
        "endedBy": [
            {
                "reason": "COMPLETED",
                "count": 3,
                "share": {"count": 3, "of": 3, "base": "ENDED", "rate": 1.0},
            }
        ],
        "refused": [{"reason": "ALREADY_INSIDE", "count": 1}],
    }


async def test_a_goal_tells_runs_users_hits_and_money_apart(api: Api) -> None:
    found = await stats(api, await lived(api))
    assert found["performance"] == [
        {
            "goal": {"key": "bought"},
            "reached": {"total": 1, "users": 1},
            "hits": 2,
            "perRun": {"count": 1, "of": 4, "base": "ENTRIES", "rate": 0.25},
            "perUser": {"count": 1, "of": 4, "base": "USERS_ENTERED", "rate": 0.25},
            "revenue": {"amount": "20000.5", "currency": "KRW"},
            "firstRevenue": {"amount": "19900.5"},
        }
    ]


async def test_arrivals_at_a_step_wait_have_left_or_ended_there(api: Api) -> None:
    found = await stats(api, await lived(api))
    for one in found["steps"]:
        ended = sum(end["count"] for end in one["endedHere"])
        assert one["arrivals"]["total"] == one["waitingNow"] + one["left"] + ended
    by_key = {step["step"]["key"]: step for step in found["steps"]}
    assert by_key["hour"]["waitingNow"] == 1
    assert by_key["mail"]["arrivals"] == {"total": 2, "users": 2}
    assert by_key["mail"]["ofEntries"] == {"count": 2, "of": 4, "base": "ENTRIES", "rate": 0.5}
    assert by_key["cart"]["opened"] is None
    passed = {
        (edge["edge"]["from"], edge["edge"]["output"]): edge["passed"]["total"] for edge in found["edges"]
    }
    assert passed["bought", "yes"] == 1
    assert passed["bought", "otherwise"] == 2


async def test_what_a_channel_cannot_observe_is_not_observable_and_never_nought(api: Api) -> None:
    found = await stats(api, await lived(api))
    [email] = found["communications"]
    metrics = {one["metric"]: one for one in email["metrics"]}
    assert email["channel"] == "EMAIL"
    assert metrics["DELIVERED"] == {
        "metric": "DELIVERED",
        "observable": False,
        "total": None,
        "unique": None,
        "users": None,
        "share": None,
        "human": None,
        "machine": None,
        "unsure": None,
    }
    assert metrics["OPENED"]["observable"] is True
    assert metrics["OPENED"]["share"] == {"count": 0, "of": 0, "base": "SENT", "rate": None}


async def test_opens_by_people_and_machines_are_told_apart(api: Api) -> None:
    journey_id = await lived(api)
    [kims] = [message for message in await api.world.rows(Message) if message.status == "queued"]
    at = NOON + 3 * HOUR
    await hear(
        api.world,
        kims.id,
        ("accepted", at, {}),
        ("opened", at + 1, {"actor": "machine"}),
        ("opened", at + 2, {"actor": "human"}),
        ("opened", at + 3, {"actor": "human"}),
        ("delivered", at + 4, {}),
    )
    [email] = (await stats(api, journey_id))["communications"]
    metrics = {one["metric"]: one for one in email["metrics"]}
    assert metrics["SENT"]["share"] == {"count": 1, "of": 2, "base": "QUEUED", "rate": 0.5}
    opened = metrics["OPENED"]
    assert (opened["total"], opened["unique"], opened["users"]) == (3, 1, 1)
    assert (opened["human"], opened["machine"]) == (1, 1)
    opens = metrics["OPENS"]
    assert (opens["total"], opens["human"], opens["machine"]) == (3, 2, 1)
    # Whoever heard of a delivery could observe it, whatever its capabilities say.
    assert (metrics["DELIVERED"]["observable"], metrics["DELIVERED"]["unique"]) == (True, 1)


async def test_issues_name_their_family_and_reason_of_all_that_was_decided(api: Api) -> None:
    [email] = (await stats(api, await lived(api)))["communications"]
    assert email["issues"] == [
        {
            "family": "SKIPPED",
            "reason": "NO_ADDRESS",
            "share": {"count": 1, "of": 2, "base": "QUEUED", "rate": 0.5},
        }
    ]
    [message] = email["messages"]
    assert (message["step"]["key"], message["issues"]) == ("mail", [{"reason": "NO_ADDRESS"}])


async def test_a_period_is_days_of_the_projects_zone_and_inside_now_is_not_part_of_it(api: Api) -> None:
    journey_id = await lived(api)
    await api.world.settle(NOON + DAY)
    today = await stats(api, journey_id, period={"preset": "TODAY"})
    assert today["period"] == {
        "preset": "TODAY",
        "from": "2024-03-14",
        "until": "2024-03-15",
        "zone": "Asia/Seoul",
    }
    assert (today["audience"]["entries"], today["audience"]["users"]) == (0, 0)
    assert today["performance"][0]["perRun"] == {"count": 0, "of": 0, "base": "ENTRIES", "rate": None}
    for period in (
        {"preset": "YESTERDAY"},
        {"preset": "LAST_7_DAYS"},
        {"from": "2024-03-13", "until": "2024-03-14"},
        {"from": "2024-02-28"},
        {"until": "2030-01-01"},
        {"from": "2000-01-01", "until": "2200-01-01"},
    ):
        found = await stats(api, journey_id, period=period)
        assert (found["audience"]["entries"], found["audience"]["users"]) == (4, 4), period
        assert found["audience"]["insideNow"] == 0


@pytest.mark.parametrize(
    "period",
    [
        {"preset": "TODAY", "from": "2024-03-13"},
        {"from": "2024-03-14", "until": "2024-03-14"},
        {"from": "0001-01-01"},
        {"until": "9999-12-31"},
    ],
)
async def test_a_period_that_means_nothing_is_refused(small_api: Api, period: dict[str, str]) -> None:
    journey_id = await small_api.world.add_journey(abandoned_cart())
    error = await small_api.error(STATS, id=to_id("Journey", journey_id), period=period)
    assert error["extensions"]["code"] == "BAD_USER_INPUT"


@pytest.mark.parametrize("period", [{"from": "2150-01-01"}, {"until": "2000-01-01"}])
async def test_before_everything_and_far_ahead_nobody_did_anything(api: Api, period: dict[str, str]) -> None:
    found = await stats(api, await lived(api), period=period)
    assert (found["audience"]["entries"], found["audience"]["users"]) == (0, 0)
    assert found["audience"]["insideNow"] == 1


async def test_figures_of_one_version_are_those_of_its_own_users(api: Api) -> None:
    everything = await stats(api, await lived(api))
    found = await stats(api, await lived_id(api), version=1)
    assert found["audience"] == everything["audience"]
    assert found["performance"][0]["perUser"] == everything["performance"][0]["perUser"] is not None
    nobody = (await stats(api, await lived_id(api), version=2))["audience"]
    assert (nobody["entries"], nobody["users"]) == (0, 0)


CLOCKS = """
query ($id: ID!, $clock: Clock!, $day: Date!, $after: Date!) {
  journey(id: $id) { stats(period: {from: $day, until: $after}, clock: $clock) {
    audience { entries users ended }
    performance { reached { total users } hits }
    over(metric: ENDED, by: DAY) { at count }
  } }
}
"""


async def test_by_the_clock_of_the_entry_what_happens_later_belongs_to_the_day_of_the_entry(api: Api) -> None:
    world = api.world
    steps = (step("cart", "entry_event", event="go"), step("wait", "delay", duration_ms=2 * DAY))
    goal = {"key": "bought", "event": "buy"}
    journey_id = await world.add_journey(line(*steps, step("done", "exit"), goals=[goal]))
    for day, user in ((0, "kim"), (1, "lee"), (2, "min")):
        await world.live(world.event("go", NOON + day * DAY, user=user))
        await world.live(world.event("buy", NOON + (day + 1) * DAY, user=user))
    await world.settle(NOON + 5 * DAY)
    days = {"day": "2024-03-13", "after": "2024-03-15"}
    entered, happened = [
        (await api.ask(CLOCKS, id=to_id("Journey", journey_id), clock=clock, **days))["journey"]["stats"]
        for clock in ("ENTERED", "HAPPENED")
    ]
    assert entered["audience"] == {"entries": 2, "users": 2, "ended": 2}
    assert happened["audience"] == {"entries": 2, "users": 2, "ended": 0}
    assert [(one["at"], one["count"]) for one in entered["over"]] == [
        ("2024-03-12T15:00:00+00:00", 1),
        ("2024-03-13T15:00:00+00:00", 1),
    ]
    assert happened["over"] == []
    assert entered["performance"] == [{"reached": {"total": 2, "users": 2}, "hits": 2}]
    assert happened["performance"] == [{"reached": {"total": 1, "users": 1}, "hits": 1}]


async def lived_id(api: Api) -> int:
    return int((await api.world.runs())[0].journey_id)


async def test_the_watermark_says_how_far_the_figures_reach(api: Api) -> None:
    journey_id = await lived(api)
    assert (await stats(api, journey_id))["watermark"] == "2024-03-13T13:00:00+00:00"
    api.world.clock.reach(NOON + 4 * HOUR)
    assert (await stats(api, journey_id))["watermark"] == "2024-03-13T14:00:00+00:00"
    await api.world.send(api.world.event("add_to_cart", NOON + 130 * MINUTE, user="new"))
    assert (await stats(api, journey_id))["watermark"] == "2024-03-13T13:10:00+00:00"


async def test_a_series_has_points_of_hours_days_and_weeks(api: Api) -> None:
    journey_id = await lived(api)
    text = """query($id: ID!) { journey(id: $id) { stats {
        hours: over(metric: ENTRIES, by: HOUR) { at count }
        days: over(metric: ENTRIES) { at count }
        weeks: over(metric: HITS, by: WEEK) { at count amount }
    } } }"""
    found = (await api.ask(text, id=to_id("Journey", journey_id)))["journey"]["stats"]
    assert found == {
        "hours": [
            {"at": "2024-03-13T11:00:00+00:00", "count": 3},
            {"at": "2024-03-13T13:00:00+00:00", "count": 1},
        ],
        "days": [{"at": "2024-03-12T15:00:00+00:00", "count": 4}],
        "weeks": [{"at": "2024-03-10T15:00:00+00:00", "count": 2, "amount": "20000.5"}],
    }


async def test_a_variable_that_is_left_out_leaves_an_argument_its_default(api: Api) -> None:
    journey_id = to_id("Journey", await lived(api))
    text = """query($id: ID!, $by: Interval, $fill: Boolean, $step: ID) { journey(id: $id) { stats {
        over(metric: ENTRIES, by: $by, fill: $fill, step: $step) { at count }
        health { over(by: $by) { entries } }
    } } }"""
    found = (await api.ask(text, id=journey_id))["journey"]["stats"]
    assert found["over"] == [{"at": "2024-03-12T15:00:00+00:00", "count": 4}]
    assert found["health"]["over"] == [{"entries": 4}]
    error = await api.error(text, id=journey_id, by=None)
    assert "by" in error["message"]
    assert "INTERNAL_ERROR" not in str(error)


async def test_four_journeys_take_as_many_statements_as_one(api: Api) -> None:
    await lived(api)
    text = """query($first: Int) { journeys(first: $first) { edges { node {
        id title kind goals { key } stats(period: {preset: LAST_7_DAYS}) {
            audience { entries users insideNow }
            performance { reached { total users } }
            steps { arrivals { total users } }
            over(metric: ENTRIES) { at count }
        } } } } }"""
    for _ in range(3):
        await api.world.add_journey(abandoned_cart())
    # The user sets are remembered from then on.
    await api.ask(text, first=4)
    counts = []
    for first in (1, 4):
        with api.statements() as seen:
            answer = await api.ask(text, first=first)
        assert len(answer["journeys"]["edges"]) == first
        counts.append(len([statement for statement in seen if "SELECT" in statement]))
    assert counts[0] == counts[1] <= 12


async def test_forty_steps_take_as_many_statements_as_two(api: Api) -> None:
    first, last = step("in", "entry_event", event="add_to_cart"), step("out", "exit")
    waits = [step(f"wait-{number}", "delay", duration_ms=HOUR) for number in range(38)]
    counts = []
    for graph in (line(first, last), abandoned_cart(), line(first, *waits, last)):
        journey_id = await api.world.add_journey(graph)
        with api.statements() as seen:
            await stats(api, journey_id)
        counts.append(len([statement for statement in seen if "SELECT" in statement]))
    assert counts[0] == counts[1] == counts[2] <= 10


def test_every_metric_of_the_api_says_what_its_definition_says() -> None:
    from server.schema.root import SCHEMA

    values = SCHEMA._schema.get_type("Metric").values
    assert {name.lower(): value.description for name, value in values.items()} == {
        definition.metric.value: definition.sentence for definition in DEFINITIONS
    }


async def test_many_users_are_counted_once_however_many_days_they_came(api: Api) -> None:
    world = api.world
    await world.add_connection()
    journey_id = await world.add_journey(abandoned_cart())
    for day in range(40):
        await world.live(
            *(world.event("add_to_cart", NOON + day * DAY + n, user=f"user {n}") for n in range(5))
        )
    await world.settle(NOON + 41 * DAY)
    found = await stats(api, journey_id, period={"from": str(date(2024, 3, 1))})
    assert (found["audience"]["entries"], found["audience"]["users"]) == (200, 5)
    found = await stats(api, journey_id, period={"from": "2024-03-20", "until": "2024-04-02"})
    assert (found["audience"]["entries"], found["audience"]["users"]) == (65, 5)


async def test_a_day_begins_with_its_midnight_and_ends_before_the_next(api: Api) -> None:
    world, midnight = api.world, NOON + 4 * HOUR
    await world.add_connection()
    journey_id = await world.add_journey(abandoned_cart())
    await world.live(
        world.event("add_to_cart", midnight - 1, user="kim"),
        world.event("add_to_cart", midnight, user="lee"),
    )
    for first, until in (("2024-03-13", "2024-03-14"), ("2024-03-14", "2024-03-15")):
        audience = (await stats(api, journey_id, period={"from": first, "until": until}))["audience"]
        assert (audience["entries"], audience["users"]) == (1, 1)
