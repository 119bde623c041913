"""Texts can tell of a person's life and coupons."""

from typing import Any

import pytest

from tests.server.delivery.office import open_office, sign_up
from tests.world import DAY, NOON, World, reaching, saying

pytestmark = pytest.mark.anyio

CART = "장바구니 20%"
TEXT = (
    "{{ user.life.orders }} orders, {{ user.life.spent | money: user.life.currency }}, "
    "{{ user.life.days_since_last_order }} days ago, since {{ user.life.first_order_at | date }}; "
    "{% for coupon in user.coupons %}{{ coupon.name }} until {{ coupon.last_day }} "
    "({{ coupon.days_left }}) {% endfor %}"
)


async def said(world: World, *events: Any, text: str = TEXT) -> str:
    await world.add_connection()
    await world.add_journey(reaching(saying("email", connection="mail", text=text)))
    await world.live(*events)
    async with open_office(world) as office:
        await world.settle(NOON)
        await sign_up(world, "kim")
        await world.settle()
        await office.settle()
        return str(office.fake.sends[-1].content["text"])


async def test_a_text_tells_of_orders_and_of_coupons_that_can_be_used(world: World) -> None:
    tell = world.event
    order = {"currency": "KRW", "user": "kim"}
    found = await said(
        world,
        tell("Order Completed", NOON - 9 * DAY, order_id="a", total=12000, **order),
        tell("Order Completed", NOON - 3 * DAY, order_id="b", total="8,000", coupon="USED", **order),
        tell(
            "Coupon Issued", NOON - DAY, user="kim", code="A1", name="장바구니 20%", expires_at="2024-03-16"
        ),
        tell("Coupon Issued", NOON - DAY, user="kim", code="USED"),
        tell("Coupon Issued", NOON - DAY, user="kim", code="OVER", expires_at="2024-03-12"),
    )
    assert found.strip() == (
        "2 orders, 20,000원, 3 days ago, since 2024-03-04; 장바구니 20% until 2024-03-16 (3)"
    )


async def test_of_somebody_without_a_life_there_is_little_to_tell(sqlite_world: World) -> None:
    found = await said(sqlite_world)
    assert found.strip() == "0 orders, ,  days ago, since ;"


async def test_what_the_project_keeps_itself_goes_before(sqlite_world: World) -> None:
    own = sqlite_world.event("", NOON, user="kim", type="identify", life="long", coupons=["X"])
    assert await said(sqlite_world, own, text="{{ user.life }} {{ user.coupons[0] }}") == "long X"
