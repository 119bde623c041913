"""The price list: one price for each slot at any instant, and the past stays as it was."""

from datetime import datetime
from typing import Any

import pytest

from server.clock import to_datetime
from server.store import prices
from server.store.prices import Slot, Wanted, vat_of
from tests.server.schema.api import Api
from tests.world import DAY, HOUR, NOON, World

pytestmark = pytest.mark.anyio
LIST = """{ prices { edges { node {
    id channel kind validFrom validUntil vatPercent amount { amount currency } connection { name } } } } }"""
SET = "... on SetPricePayload { price { id validUntil } }"
REMOVED = "... on RemovePricePayload { id }"
ALIMTALK = {"channel": "kakao", "kind": "alimtalk"}


def iso(at: int) -> str:
    return to_datetime(at).isoformat()


async def listed(api: Api) -> list[dict[str, Any]]:
    return [edge["node"] for edge in (await api.ask(LIST))["prices"]["edges"]]


def instant(text: str | None) -> int | None:
    return None if text is None else int(datetime.fromisoformat(text).timestamp() * 1000)


async def test_a_new_price_ends_the_former_one_and_can_be_taken_back_until_it_holds(api: Api) -> None:
    now = api.world.clock.now()
    ten = await api.change("setPrice", SET, **ALIMTALK, amount="10", validFrom=iso(now - 10 * DAY))
    assert ten["__typename"] == "SetPricePayload"
    december = now + 5 * DAY
    eight = await api.change("setPrice", SET, **ALIMTALK, amount="8", validFrom=iso(december))
    first, second = await listed(api)
    assert (first["amount"], first["vatPercent"]) == ({"amount": "10", "currency": "KRW"}, "10")
    assert (instant(first["validUntil"]), instant(second["validFrom"])) == (december, december)
    again = await api.change("setPrice", SET, **ALIMTALK, amount="9", validFrom=iso(december))
    assert (again["__typename"], again["path"]) == ("InputProblem", ["input", "validFrom"])
    past = await api.change("setPrice", SET, **ALIMTALK, amount="9", validFrom=iso(now - DAY))
    assert "may be booked" in past["message"]
    kept = await api.change("removePrice", REMOVED, id=first["id"])
    assert kept["__typename"] == "InputProblem"
    assert (await api.change("removePrice", REMOVED, id=eight["price"]["id"]))["id"] == second["id"]
    assert [one["validUntil"] for one in await listed(api)] == [None]


async def test_nonsense_is_named_by_its_field(api: Api) -> None:
    for given, field in (
        ({"channel": "?", "amount": "1"}, "channel"),
        ({**ALIMTALK, "amount": "-1"}, "amount"),
        ({**ALIMTALK, "amount": "1", "currency": "won"}, "amount"),
        ({**ALIMTALK, "amount": "1", "vatPercent": "101"}, "vatPercent"),
        ({"channel": "kakao", "kind": "알림 톡!", "amount": "1"}, "kind"),
    ):
        refused = await api.change("setPrice", SET, **given)
        assert (refused["__typename"], refused["path"]) == ("InputProblem", ["input", field]), given


async def test_presets_say_where_they_are_from_and_hold_nothing(api: Api) -> None:
    text = "{ pricePresets { key source published prices { kind amount { amount } } } }"
    found = (await api.ask(text))["pricePresets"]
    assert all(one["source"].startswith("https://") and one["published"] for one in found)
    assert await listed(api) == []


async def test_the_most_specific_price_counts_and_a_gap_is_filled_without_an_overlap(world: World) -> None:
    project = world.project_id

    async def put(slot: Slot, amount: int, at: int) -> None:
        async with world.db.write() as session:
            await prices.put(session, project, slot, (amount, "KRW", 1000), at, NOON)

    for amount, slot in enumerate(
        (Slot("sms", None, ""), Slot("sms", None, "lms"), Slot("sms", 7, ""), Slot("sms", 7, "lms")), 1
    ):
        await put(slot, amount, NOON)
    await put(Slot("sms", None, ""), 9, NOON - DAY)
    wanted = [Wanted("sms", connection, kind, NOON) for connection in (None, 7, 8) for kind in ("sms", "lms")]
    before = Wanted("sms", 7, "lms", NOON - HOUR)
    async with world.db.read() as session:
        found = await prices.prices_for(session, project, [*wanted, before])
        other = await prices.price_at(session, project + 1, "sms", None, "sms", NOON)
    assert [price and price.amount for price in found.values()] == [1, 2, 3, 4, 1, 2, 9]
    assert other is None
    assert found[before].valid_until == NOON  # type: ignore[union-attr]  # it was put above
    assert vat_of(80_000, 1000) == 8_000
