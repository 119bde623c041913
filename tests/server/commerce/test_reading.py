"""What events tell of commerce, however they are written."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.commerce.amounts import read_amount, read_currency
from server.commerce.names import SPEC, Kind, read_words
from server.commerce.reading import (
    NO_AMOUNT,
    NO_ORDER_ID,
    UNREADABLE_AMOUNT,
    Cancelled,
    CouponTold,
    Ordered,
    Refunded,
    SignedUp,
    tell,
)

SEOUL = "Asia/Seoul"


def told(name: str, /, **body: Any) -> list[Any]:
    return tell(SPEC, name, body, SEOUL)


@pytest.mark.parametrize(
    ("written", "amount"),
    [
        (25, 250_000),
        (19.99, 199_900),
        ("19.99", 199_900),
        ("12,000", 120_000_000),
        ("1,234,567.5", 12_345_675_000),
        ("₩12,000", 120_000_000),
        ("￦ 12,000", 120_000_000),
        ("１２，０００원", 120_000_000),
        ("KRW 12000", 120_000_000),
        ("$19.99", 199_900),
        ("-5", -50_000),
        ("1e3", 10_000_000),
        (".5", 5000),
        (10**10, 10**14),
    ],
)
def test_amounts_are_read_as_shops_write_them(written: Any, amount: int) -> None:
    assert read_amount(written) == amount


@pytest.mark.parametrize(
    "written", [True, None, "", "free", "1,5", "1.234,56", "12 34", 10**10 + 1, "1e99", "NaN", [5], {"a": 1}]
)
def test_what_is_no_amount_is_none(written: Any) -> None:
    assert read_amount(written) is None


def test_currencies_have_three_letters() -> None:
    assert [read_currency(one) for one in ("krw", " USD ", "won", "₩", 5, None)] == [
        "KRW", "USD", "WON", "", "", "",
    ]  # fmt: skip


def test_what_was_paid_goes_before_what_counts_as_revenue() -> None:
    [order] = told("Order Completed", order_id=50314, total=30, revenue=25, value=20, currency="krw")
    assert order == Ordered("50314", 300_000, "KRW")
    [order] = told("Order Completed", order_id="a", total="none", revenue="25.00")
    assert (order.amount, order.flag) == (250_000, "")


def test_an_order_with_everything() -> None:
    lines = [
        {"product_id": "p1", "sku": "s1", "name": "니트", "category": "의류", "coupon": "LINE5"},
        {"product_id": 7, "price": 3},
        "no product",
    ]
    order, *coupons = told("order_completed", order_id="a", total=30, coupon="장바구니 20%", products=lines)
    assert order.products == (("p1", "s1", "니트", "의류"), ("7", "", "", ""))
    assert order.coupons == ("장바구니 20%", "LINE5")
    assert coupons == [CouponTold(Kind.COUPON_USED, code) for code in order.coupons]


def test_ga4_and_a_shops_own_names() -> None:
    items = [{"item_id": "SKU-01", "item_name": "Mug", "item_category": "Home"}]
    [order] = told("purchase", transaction_id="T-1", value=25, currency="EUR", items=items)
    assert (order.order_id, order.amount, order.products[0]) == (
        "T-1",
        250_000,
        ("SKU-01", "", "Mug", "Home"),
    )
    words = read_words('{"events": {"ordered": ["주문 완료"]}, "currency": "KRW"}')
    [order] = tell(words, "주문 완료", {"order_id": "a", "total": 5}, SEOUL)
    assert (order.amount, order.currency) == (50_000, "KRW")
    assert told("주문 완료") == told("order") == []


def test_what_cannot_be_read_is_told_as_a_flag() -> None:
    flags = [
        told("Order Completed", order_id="a")[0].flag,
        told("Order Completed", order_id="a", total="free")[0].flag,
        told("Order Completed", order_id="a", total=-1)[0].flag,
        told("Order Completed", total=5)[0].flag,
    ]
    assert flags == [NO_AMOUNT, UNREADABLE_AMOUNT, UNREADABLE_AMOUNT, NO_ORDER_ID]


def test_refunds_of_a_part_and_of_all() -> None:
    assert told("Order Refunded", order_id="a", total=30)[0] == Refunded("a", 300_000, "")
    assert told("Order Refunded", order_id="a", total=-30, refund_id=1)[0] == Refunded("a", 300_000, "", "1")
    assert told("Order Refunded", order_id="a")[0].amount is None
    lines = [{"price": "3", "quantity": 2}, {"price": 4}, {"price": "?"}, {"price": 1, "quantity": -1}]
    assert told("refund", transaction_id="a", items=lines)[0].amount == 100_000
    assert told("refund", transaction_id="a", value="all of it")[0].amount == 0


def test_lines_that_come_to_more_than_an_order_can_are_no_amount() -> None:
    line = {"price": 10**10, "quantity": 999_999}
    assert told("refund", order_id="a", items=[line] * 100)[0].amount == 0
    assert told("refund", order_id="a", items=[{"price": -(10**10), "quantity": 2}])[0].amount == 0
    assert told("refund", order_id="a", items=[{"price": 10**10}])[0].amount == 10**14


def test_cancellations_and_sign_ups() -> None:
    assert told("Order Cancelled", order_id="a") == [Cancelled("a")]
    assert told("Order Cancelled") == []
    assert told("Signed Up") == told("sign_up") == [SignedUp()]


def test_a_day_without_a_clock_time_is_over_at_its_end() -> None:
    [one] = told("Coupon Issued", code="A1", name="장바구니 20%", expires_at="2024-03-20")
    assert (one.code, one.name, one.expires_at) == ("A1", "장바구니 20%", 1_710_946_800_000)
    [one] = told("coupon_issued", code="A1", expires_at="2024-03-20T10:00:00Z")
    assert one.expires_at == 1_710_928_800_000
    assert told("Coupon Used", coupon_id=5)[0].code == "5"
    assert told("Coupon Expired", code="A1", expires_at="soon")[0].expires_at is None
    assert told("Coupon Issued") == []


anything: Any = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
NAMES = ("order_id", "total", "revenue", "currency", "products", "items", "coupon", "coupons", "code", "name",
         "expires_at", "refund_id")  # fmt: skip


@settings(max_examples=150)
@given(
    st.sampled_from(["purchase", "refund", "Order Cancelled", "Signed Up", "Coupon Issued"]),
    st.dictionaries(st.sampled_from(NAMES), anything, max_size=5),
)
def test_nothing_that_is_sent_is_an_error(name: str, body: dict[str, Any]) -> None:
    for one in tell(SPEC, name, body, SEOUL):
        amount = getattr(one, "amount", None)
        assert amount is None or 0 <= amount <= 100 * 10**14 * 10**6
