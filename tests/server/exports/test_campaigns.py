"""The statistics of journeys: every figure is the one that the API tells for the same days."""

from decimal import Decimal
from typing import Any

import pytest

from server.schema.ids import to_id
from tests.server.exports.sheets import FIRST, GOALS, SECOND, lived, sheet
from tests.server.schema.api import Api
from tests.world import DAY, NOON, World, reaching

pytestmark = pytest.mark.anyio

PERIODS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({}, {}),
    ({"first": FIRST, "until": SECOND}, {"from": "2024-03-13", "until": "2024-03-14"}),
    ({"first": SECOND}, {"from": "2024-03-14"}),
    ({"first": "2024-04-01"}, {"from": "2024-04-01"}),
]
STATS = """query($id: ID!, $period: PeriodInput, $clock: Clock! = HAPPENED) { journey(id: $id) {
  id title status createdAt
  stats(period: $period, clock: $clock) {
    watermark
    audience {
      entries users insideNow ended endedBy { reason count } refused { reason count } heldOut
      dropOffs { count } messaged { count }
    }
    performance {
      goal { key title currency } reached { total users } hits perRun { rate } perUser { rate }
      revenue { amount currency }
    }
    cost { amount currency } priced
    communications { channel cost { amount currency } priced
      metrics { metric total unique users human machine unsure share { rate } } }
  } } }"""


async def stats(api: Api, journey_id: int, **variables: Any) -> dict[str, Any]:
    found = await api.ask(STATS, id=to_id("Journey", journey_id), **variables)
    return dict(found["journey"]["stats"])


@pytest.mark.parametrize("clock", ["happened", "entered"])
@pytest.mark.parametrize(("days", "period"), PERIODS)
async def test_every_figure_of_a_channel_is_that_of_the_api(
    small_api: Api, days: dict[str, Any], period: dict[str, Any], clock: str
) -> None:
    journey_id = await lived(small_api.world)
    (row,) = await sheet(small_api.world, "campaign_statistics", clock=clock, **days)
    found = await stats(small_api, journey_id, period=period, clock=clock.upper())
    compared = 0
    for channel in found["communications"]:
        name = "pigeon" if channel["channel"] == "OTHER" else channel["channel"].lower()
        for metric in channel["metrics"]:
            column = f"{name}_{metric['metric'].lower()}"
            each = metric["metric"] in ("OPENS", "CLICKS")
            assert row[column] == metric["total" if each else "unique"], column
            compared += 1
            for actor in ("human", "machine", "unsure"):
                if metric["metric"] in ("OPENED", "CLICKED"):
                    assert row[f"{column}_{actor}"] == metric[actor], (column, actor)
            if metric["metric"] == "SENT":
                assert row[f"{name}_recipients"] == metric["users"]
            if metric["metric"] == "CLICKED":
                assert row[f"{name}_ctr"] == (metric["share"] or {}).get("rate")
        assert costs(row, name) == told_costs(channel)
    assert costs(row, "total") == told_costs(found)
    assert compared > 80


def costs(row: dict[str, Any], name: str) -> tuple[Any, ...]:
    return row[f"{name}_priced"], row[f"{name}_cost"], row[f"{name}_cost_currency"]


def told_costs(told: dict[str, Any]) -> tuple[Any, ...]:
    currencies = ", ".join(one["currency"] for one in told["cost"]) or None
    return told["priced"], Decimal(told["cost"][0]["amount"]) if len(told["cost"]) == 1 else None, currencies


async def test_what_messages_cost_is_told_by_channel_and_never_added_across_currencies(
    sqlite_world: World,
) -> None:
    await lived(sqlite_world)
    (row,) = await sheet(sqlite_world, "campaign_statistics")
    assert costs(row, "sms") == (1, Decimal("8.4"), "KRW")
    assert costs(row, "whatsapp") == (1, Decimal("0.0079"), "USD")
    assert costs(row, "kakao") == (1, 0, "KRW"), "free of charge is a price"
    assert costs(row, "email") == (0, None, None), "nobody has told, which is not nought"
    assert costs(row, "total") == (3, None, "KRW, USD")


@pytest.mark.parametrize("clock", ["happened", "entered"])
@pytest.mark.parametrize(("days", "period"), PERIODS)
async def test_every_figure_of_people_and_goals_is_that_of_the_api(
    small_api: Api, days: dict[str, Any], period: dict[str, Any], clock: str
) -> None:
    journey_id = await lived(small_api.world)
    (row,) = await sheet(small_api.world, "campaign_statistics", clock=clock, **days)
    found = await stats(small_api, journey_id, period=period, clock=clock.upper())
    people = found["audience"]
    for column, told in (
        ("entries", people["entries"]),
        ("entered_users", people["users"]),
        ("inside", people["insideNow"]),
        ("ended", people["ended"]),
        ("held_out", people["heldOut"]),
        ("recipients", people["messaged"]["count"]),
        ("dropped_off", people["dropOffs"]["count"]),
        ("refused", sum(one["count"] for one in people["refused"])),
    ):
        assert row[column] == told, column
    for family, told in (("ended", people["endedBy"]), ("refused", people["refused"])):
        expected = {f"{family}_{one['reason'].lower()}": one["count"] for one in told}
        assert {k: v for k, v in row.items() if k.startswith(f"{family}_") and v} == expected
    for place, goal in enumerate(found["performance"], start=1):
        revenue = goal["revenue"]
        assert {name: row[f"goal_{place}_{name}"] for name in ("key", "title", "runs", "users", "hits")} == {
            "key": goal["goal"]["key"],
            "title": goal["goal"]["title"],
            "runs": goal["reached"]["total"],
            "users": goal["reached"]["users"],
            "hits": goal["hits"],
        }
        assert row[f"goal_{place}_run_rate"] == goal["perRun"]["rate"]
        assert row[f"goal_{place}_user_rate"] == goal["perUser"]["rate"]
        assert row[f"goal_{place}_revenue"] == (revenue and Decimal(revenue["amount"]))


async def test_the_known_figures(sqlite_world: World) -> None:
    await lived(sqlite_world, title="모든 채널")
    (row,) = await sheet(sqlite_world, "campaign_statistics")
    assert list(row.values())[:26] == [
        "모든 채널",
        "running",
        0,
        None,
        "TriggerBased",
        to_id("Journey", 1),
        2,  # entries
        2,  # Lee, without an address, was reached in the app and by the webhook
        0,
        2,
        9,  # seven channels for Kim, two for Lee
        pytest.approx(2 / 6),  # a push and an e-mail; the webhook cannot tell, nor can KakaoTalk
        2,
        1,
        1.0,
        1,
        1.0,
        3,
        1,
        1,
        1,
        1,
        1,
        1,
        1,
        1,
    ]


async def test_what_a_channel_cannot_tell_is_empty_and_not_nought(sqlite_world: World) -> None:
    await lived(sqlite_world)
    (row,) = await sheet(sqlite_world, "campaign_statistics", first=SECOND)
    assert (row["kakao_ctr"], row["kakao_clicked"], row["kakao_opened"]) == (None, None, None)
    assert (row["email_clicked"], row["email_ctr"]) == (0, None)
    assert row["average_ctr"] == 0.0
    assert row["sms_delivered"] is None


async def test_a_journey_in_which_nothing_happened_has_noughts_and_empty_rates(sqlite_world: World) -> None:
    await sqlite_world.add_journey(reaching(goals=GOALS), title="Empty")
    await sqlite_world.add_journey(reaching(), title="Bare")
    empty, bare = await sheet(sqlite_world, "campaign_statistics")
    for row in (empty, bare):
        for name in ("entries", "recipients", "inside", "ended", "total_sent", "goals", "total_failed"):
            assert row[name] == 0, name
        assert (row["average_ctr"], row["push_ctr"]) == (None, None)
    assert (empty["goal_1_runs"], empty["goal_1_run_rate"], empty["goal_1_user_rate"]) == (0, None, None)
    assert (empty["revenue"], bare["revenue"], bare["goal_1_runs"]) == (Decimal(0), None, None)


async def test_amounts_of_different_currencies_are_never_added(sqlite_world: World) -> None:
    world = sqlite_world
    won = {"key": "won", "event": "purchase", "amount_property": "won", "currency": "KRW"}
    usd = {"key": "usd", "event": "purchase", "amount_property": "usd", "currency": "USD"}
    await world.add_journey(reaching(goals=[won]), title="Won")
    await world.add_journey(reaching(goals=[usd]), title="Dollar")
    await world.add_journey(reaching(goals=[usd, won]), title="Both")
    await world.live(
        world.event("sign_up", NOON, user="kim"),
        world.event("purchase", NOON + 1, user="kim", won=13_000, usd="9.9"),
    )
    rows = await sheet(world, "campaign_statistics")
    told = {row["title"]: (row["revenue"], row["currency"]) for row in rows}
    assert told == {
        "Won": (13_000, "KRW"),
        "Dollar": (Decimal("9.9"), "USD"),
        "Both": (None, "KRW, USD"),
    }
    both = rows[-1]
    assert (both["goal_1_revenue"], both["goal_1_currency"]) == (Decimal("9.9"), "USD")
    assert (both["goal_2_revenue"], both["goal_2_currency"]) == (13_000, "KRW")


async def test_the_filter_chooses_as_it_does_in_the_list(sqlite_world: World) -> None:
    world = sqlite_world
    ids = [
        await world.add_journey(reaching(), title=title, status=status)
        for title, status in (("Spring", "running"), ("Summer", "archived"), ("Autumn", "finished"))
    ]

    async def titles(**wanted: Any) -> list[str]:
        return [row["title"] for row in await sheet(world, "campaign_statistics", **wanted)]

    assert await titles() == ["Spring", "Summer", "Autumn"]
    assert await titles(statuses=("archived",)) == ["Summer"]
    assert await titles(statuses=("archived", "running"), text="sP") == ["Spring"]
    assert await titles(ids=(ids[2], ids[0])) == ["Spring", "Autumn"]
    assert await titles(categories=("Shop",)) == []
    assert await titles(ids=()) == []


async def test_more_journeys_than_one_reading_takes_are_all_there_once(sqlite_world: World) -> None:
    for number in range(45):
        await sqlite_world.add_journey(reaching(), title=f"{number}")
    found = [row["title"] for row in await sheet(sqlite_world, "campaign_statistics")]
    assert found == [f"{number}" for number in range(45)]


async def test_by_day_there_is_a_row_for_each_day_on_which_anything_happened(sqlite_world: World) -> None:
    await lived(sqlite_world)
    await sqlite_world.live(sqlite_world.event("sign_up", NOON + 5 * DAY, user="park"))
    rows = await sheet(sqlite_world, "campaign_statistics", daily=True)
    assert [(row["from"], row["until"]) for row in rows] == [
        ("2024-03-13", "2024-03-14"),
        ("2024-03-14", "2024-03-15"),
        ("2024-03-18", "2024-03-19"),
    ]
    for row, day in zip(rows, ("2024-03-13", "2024-03-14", "2024-03-18"), strict=True):
        (whole,) = await sheet(sqlite_world, "campaign_statistics", first=row["from"], until=row["until"])
        assert whole == row, day


@pytest.mark.parametrize("journeys", [1, 20])
async def test_the_number_of_journeys_does_not_change_that_of_the_statements(api: Api, journeys: int) -> None:
    for number in range(journeys):
        await api.world.add_journey(reaching(goals=GOALS), title=f"{number}")
    with api.statements() as seen:
        await sheet(api.world, "campaign_statistics")
    assert len([one for one in seen if "SELECT" in one]) <= 12
