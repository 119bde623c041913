"""Costs are booked by the price list when a result is known, and taken back when it changes."""

from typing import Any

import pytest
from sqlalchemy import text

from server.aggregates.metrics import Metric
from server.delivery.costs import Bill, charges, due_at
from server.delivery.status import DeliveryStatus
from server.schema.ids import to_id
from server.store import prices
from server.store.prices import Slot
from server.store.tables import Message
from tests.server.schema.api import Api, hear
from tests.server.schema.test_costs import can_be_counted_again, message, money, sent
from tests.world import DAY, HOUR, MINUTE, NOON

LINES = """{ channel kind source count vatPercent amount { amount currency } vat { amount }
    connection { name } }"""
OPEN = "{ channel kind why count }"
COSTS = f"""query($month: String) {{ costs(month: $month) {{
    month lines {LINES} totals {{ currency amount vat }} open {OPEN} }} }}"""
STATS = f"""query($id: ID!) {{ journey(id: $id) {{ stats {{
    priced cost {{ amount }} costLines {LINES} openCosts {OPEN}
    steps {{ step {{ key }} message {{ costLines {LINES} }} }} }} }} }}"""


async def put(api: Api, kind: str, won: int, at: int = NOON - DAY, connection_id: int | None = None) -> None:
    async with api.world.db.write() as session:
        slot = Slot("email", connection_id, kind)
        price = (won * 10_000, "KRW", 1000)
        await prices.put(session, api.world.project_id, slot, price, at, NOON - 2 * DAY)
    await api.world.settle()


async def costs(api: Api, month: str = "2024-03") -> Any:
    return (await api.ask(COSTS, month=month))["costs"]


async def ids(api: Api) -> list[int]:
    return [row.id for row in await api.world.rows(Message, "id")]


async def by_plain_sql(api: Api) -> list[tuple[str, int, int]]:
    """Kind, messages and won, from the messages and the price list alone."""
    statement = """select m.billed_as, count(*), sum(coalesce(p.amount, m.price)) from message m
        left join price_entry p on p.id = m.priced_by where m.price is not null
        group by m.billed_as order by m.billed_as"""
    async with api.world.db.read() as session:
        rows = await session.rows(text(statement))
    return [(row[0], int(row[1]), int(row[2]) // 10_000) for row in rows]


@pytest.mark.anyio
async def test_an_alimtalk_is_booked_when_delivered_and_a_text_when_taken_over(api: Api) -> None:
    await put(api, "alimtalk", 8)
    await put(api, "lms", 30)
    journey_id = await sent(api, "kim", "lee", "park", billed_as="alimtalk", delivered=0)
    assert (await costs(api))["open"] == [
        {"channel": "email", "kind": "alimtalk", "why": "OUTCOME", "count": 3}
    ]
    first, second, third = await ids(api)
    await hear(api.world, first, ("delivered", NOON + MINUTE, {}))
    await hear(api.world, second, ("failed", NOON + MINUTE, {"reason": "not_on_channel"}))
    await hear(api.world, third, ("priced", NOON + HOUR, {"price": 65_000, "currency": "KRW"}))
    found = await costs(api)
    booked = {
        **{"channel": "email", "kind": "alimtalk", "source": "PRICE_LIST", "count": 1, "vatPercent": "10"},
        **{"amount": money("8"), "vat": {"amount": "0.8"}, "connection": {"name": "mail"}},
    }
    told = {**booked, "source": "PROVIDER", "vatPercent": None, "amount": money("6.5"), "vat": None}
    assert sorted(found["lines"], key=lambda one: str(one["source"])) == [booked, told]
    assert (found["totals"], found["open"]) == ([{"currency": "KRW", "amount": "14.5", "vat": "0.8"}], [])
    stats = (await api.ask(STATS, id=to_id("Journey", journey_id)))["journey"]["stats"]
    assert (stats["priced"], stats["cost"], stats["openCosts"]) == (2, [{"amount": "14.5"}], [])
    assert stats["costLines"] == found["lines"]
    [step] = [one["message"] for one in stats["steps"] if one["message"]]
    assert step["costLines"] == found["lines"]
    assert await by_plain_sql(api) == [("alimtalk", 2, 14)]
    asked = "query($id: ID!) { message(id: $id) { cost { amount } costSource billedAs } }"
    row = (await api.world.rows(Message, "id"))[0]
    shown = (await api.ask(asked, id=to_id("Message", row.shard, row.id)))["message"]
    assert shown == {"cost": {"amount": "8"}, "costSource": "PRICE_LIST", "billedAs": "alimtalk"}
    # A result that changes later takes the booking back; one that is heard again changes nothing.
    await hear(api.world, first, ("delivered", NOON + MINUTE, {}))
    await hear(api.world, first, ("bounced", NOON + HOUR, {"reason": "unreachable"}))
    assert [one["source"] for one in (await costs(api))["lines"]] == ["PROVIDER"]
    assert (await message(api))[1]["cost"] is None
    await can_be_counted_again(api)


@pytest.mark.anyio
async def test_the_price_is_that_of_the_instant_at_which_it_was_taken_over(api: Api) -> None:
    await put(api, "", 10)
    await put(api, "", 8, NOON + HOUR)
    await sent(api, "kim", "lee")
    await put(api, "", 5, NOON + 2 * HOUR)
    later, _ = await ids(api)
    await hear(api.world, later, ("delivered", NOON + DAY, {}))
    assert await by_plain_sql(api) == [("email", 2, 20)]
    await can_be_counted_again(api)


@pytest.mark.anyio
async def test_the_kind_decides_in_whatever_order_it_is_told_and_no_price_is_told_as_such(api: Api) -> None:
    await put(api, "sms", 10)
    await sent(api, "kim", "lee", "park")
    assert [(one["kind"], one["why"], one["count"]) for one in (await costs(api))["open"]] == [
        ("email", "PRICE", 3)
    ]
    first, second, third = await ids(api)
    for message_id, kinds in ((first, ("sms",)), (second, ("lms", "sms")), (third, ("sms", "lms"))):
        for at, kind in enumerate(kinds, 1):
            await hear(api.world, message_id, ("delivered", NOON + at, {"billed_as": kind}))
    assert await by_plain_sql(api) == [("sms", 3, 30)]
    assert (await costs(api))["open"] == []
    await can_be_counted_again(api)


@pytest.mark.anyio
async def test_a_kind_that_is_told_late_has_its_own_line_of_the_list(api: Api) -> None:
    await put(api, "", 12)
    await put(api, "lms", 39)
    await sent(api, "kim")
    assert await by_plain_sql(api) == [("email", 1, 12)]
    (message_id,) = await ids(api)
    await hear(api.world, message_id, ("delivered", NOON + 1, {"billed_as": "lms"}))
    assert await by_plain_sql(api) == [("lms", 1, 39)]
    await can_be_counted_again(api)


@pytest.mark.anyio
async def test_nothing_is_booked_for_what_never_left_and_no_month_is_made_up(api: Api) -> None:
    await put(api, "", 10)
    await sent(api, "kim", refused=1)
    assert ((await costs(api))["open"], (await costs(api))["lines"]) == ([], [])
    assert (await costs(api, "2024-04"))["lines"] == []
    error = await api.error(COSTS, month="2024-13")
    assert error["extensions"]["code"] == "BAD_USER_INPUT"
    await can_be_counted_again(api)


def test_an_unknown_outcome_is_open_and_not_booked() -> None:
    unknown = {(Metric.UNKNOWN, "outcome_unknown"): NOON}
    for kind in ("alimtalk", "sms"):
        [one] = charges(Bill(7, kind), DeliveryStatus.UNKNOWN, unknown)
        assert (one.metric, one.output, one.reason) == (Metric.UNBILLED, f"7/{kind}//", "outcome")
        assert due_at(kind, DeliveryStatus.UNKNOWN, unknown) is None
