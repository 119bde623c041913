"""What providers charge: of each message the last price; in figures by currency, never added up across."""

from typing import Any

import pytest

from server.aggregates import recount
from server.schema.ids import to_id
from server.store.tables import Message
from tests.server.delivery.office import open_office, sign_up, welcome
from tests.server.schema.api import Api, hear
from tests.world import DAY, HOUR, MINUTE, NOON

pytestmark = pytest.mark.anyio

GOALS = [{"key": "bought", "event": "purchase", "amount_property": "total", "currency": "KRW"}]
MONEY = "{ amount currency }"
STATS = f"""query($id: ID!, $period: PeriodInput) {{ journey(id: $id) {{ stats(period: $period) {{
    cost {MONEY} priced revenuePerMessage {MONEY}
    communications {{ cost {MONEY} priced revenuePerMessage {MONEY}
      messages {{ cost {MONEY} priced revenuePerMessage {MONEY} conversion {{ revenue {MONEY} }} }} }}
    steps {{ step {{ key }} message {{ cost {MONEY} }} }}
    over(metric: COST) {{ at count amount }}
}} }} }}"""
MESSAGE = f"query($id: ID!) {{ message(id: $id) {{ cost {MONEY} receipts {{ kind price {MONEY} }} }} }}"


async def sent(api: Api, *names: str, **settings: Any) -> int:
    """A journey that has written to these, through a provider that behaves like this."""
    world = api.world
    await world.add_connection(**settings)
    journey_id = await world.add_journey({**welcome(), "goals": GOALS})
    await sign_up(world, *names)
    async with open_office(world) as office:
        await office.settle()
    return journey_id


async def stats(api: Api, journey_id: int, **variables: Any) -> Any:
    answer = await api.ask(STATS, id=to_id("Journey", journey_id), **variables)
    return answer["journey"]["stats"]


async def message(api: Api, number: int = 0) -> tuple[int, Any]:
    row = (await api.world.rows(Message, "id"))[number]
    return row.id, (await api.ask(MESSAGE, id=to_id("Message", row.shard, row.id)))["message"]


async def can_be_counted_again(api: Api) -> None:
    async with api.world.db.read() as session:
        assert await recount.differences(session) == []


def money(amount: str, currency: str = "KRW") -> dict[str, str]:
    return {"amount": amount, "currency": currency}


async def test_what_a_provider_charges_is_told_of_the_message_and_of_all_that_it_is_part_of(api: Api) -> None:
    journey_id = await sent(api, "kim", "lee", price="8.4")
    await api.world.live(api.world.event("purchase", NOON + HOUR, user="kim", total=30_000))
    found = await stats(api, journey_id)
    told = {"cost": [money("16.8")], "priced": 2, "revenuePerMessage": [money("15000")]}
    [email] = found["communications"]
    assert {name: found[name] for name in told} == told
    assert {name: email[name] for name in told} == told
    assert email["messages"] == [{**told, "conversion": {"revenue": money("30000")}}]
    costs = {one["step"]["key"]: one["message"] and one["message"]["cost"] for one in found["steps"]}
    assert costs == {"entry": None, "mail": [money("16.8")], "done": None}
    _, shown = await message(api)
    assert shown["cost"] == money("8.4")
    assert {one["kind"]: one["price"] for one in shown["receipts"]}["ACCEPTED"] == money("8.4")
    await can_be_counted_again(api)


async def test_the_price_told_last_counts_and_the_figures_move_by_the_difference(api: Api) -> None:
    journey_id = await sent(api, "kim", price="8.4")
    message_id, _ = await message(api)
    later: dict[str, Any] = {"price": 90_000, "currency": "KRW"}
    await hear(api.world, message_id, ("priced", NOON + 2 * DAY, later))
    await hear(api.world, message_id, ("priced", NOON + DAY, {"price": 10_000, "currency": "USD"}))
    found = await stats(api, journey_id)
    assert (found["cost"], found["priced"]) == ([money("9")], 1)
    assert (await message(api))[1]["cost"] == money("9")
    # It counts when the provider took the message over, whenever the price was told.
    assert (await stats(api, journey_id, period={"from": "2024-03-14"}))["cost"] == []
    await can_be_counted_again(api)


async def test_currencies_are_told_apart_and_no_series_adds_them_up(api: Api) -> None:
    journey_id = await sent(api, "kim", "lee")
    for number, (price, currency) in enumerate([(79, "USD"), (84_000, "KRW")]):
        message_id, shown = await message(api, number)
        assert shown["cost"] is None
        told = {"price": price, "currency": currency}
        await hear(api.world, message_id, ("delivered", NOON + MINUTE, told))
    found = await stats(api, journey_id)
    assert found["cost"] == [money("8.4"), money("0.0079", "USD")]
    assert [(one["count"], one["amount"]) for one in found["over"]] == [(2, "0")]
    await can_be_counted_again(api)


async def test_where_nobody_tells_a_price_nothing_is_known_and_not_nought(api: Api) -> None:
    found = await stats(api, await sent(api, "kim"))
    assert (found["cost"], found["priced"], found["revenuePerMessage"]) == ([], 0, [money("0")])


async def test_free_of_charge_is_a_price(api: Api) -> None:
    found = await stats(api, await sent(api, "kim", price="0"))
    assert (found["cost"], found["priced"]) == ([money("0")], 1)
    await can_be_counted_again(api)
