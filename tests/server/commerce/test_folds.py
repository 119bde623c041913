"""Orders, lives and coupons are folds: the same in any order, however often told, however split up."""

from collections import Counter
from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from server.commerce.coupons import Coupon
from server.commerce.lives import Life
from server.commerce.names import Kind
from server.commerce.orders import CANCELLED, ORDERED, REFUNDED, SPENT, Counts, Order
from server.commerce.reading import CouponTold, Ordered, Refunded

TOLD = Ordered("a", 1000, "KRW", ("C1",), (("p", "", "", ""),))

Event = tuple[str, int, Any]


def play(order: Order, *events: Event) -> list[Counts]:
    found: list[Counts] = []
    for n, (kind, at, what) in enumerate(events):
        if kind == "order":
            found += order.order(what, at, f"digest-{n}")
        elif kind == "refund":
            found += order.refund(what, at, what.refund_id)
        else:
            found += order.cancel(at)
    return found


def refund(amount: int | None, id: str) -> Refunded:
    return Refunded("a", amount, "", id)


def test_an_order_told_twice_counts_once() -> None:
    order = Order("k")
    found = play(order, ("order", 10, TOLD), ("order", 11, replace(TOLD, amount=900)))
    assert found == [Counts(ORDERED, "", 10, 1), Counts(SPENT, "KRW", 10, 1000)]


def test_an_amount_that_was_missing_is_filled_in_on_the_day_of_the_order() -> None:
    order = Order("k")
    bare = replace(TOLD, amount=None, currency="", flag="no_amount")
    assert play(order, ("order", 10, bare)) == [Counts(ORDERED, "", 10, 1)]
    assert play(order, ("order", 99, TOLD)) == [Counts(SPENT, "KRW", 10, 1000)]
    assert (order.flag, order.currency) == ("", "KRW")


def test_no_more_is_given_back_than_was_paid() -> None:
    order = Order("k")
    found = play(
        order,
        ("order", 10, TOLD),
        ("refund", 20, refund(300, "1")),
        ("refund", 20, refund(300, "1")),
        ("refund", 30, refund(None, "2")),
        ("refund", 40, refund(500, "3")),
    )
    assert found[2:] == [Counts(REFUNDED, "KRW", 20, 300), Counts(REFUNDED, "KRW", 30, 700)]


def test_a_refund_waits_for_its_order() -> None:
    order = Order("k")
    assert play(order, ("refund", 20, refund(300, "1")), ("cancel", 30, None)) == []
    assert Counter(play(order, ("order", 10, TOLD))) == Counter(
        [
            Counts(ORDERED, "", 10, 1),
            Counts(CANCELLED, "", 30, 1),
            Counts(SPENT, "KRW", 10, 1000),
            Counts(REFUNDED, "KRW", 20, 300),
            Counts(REFUNDED, "KRW", 30, 700),
        ]
    )


def test_a_refund_without_an_order_stands_alone() -> None:
    alone = Refunded("", 300, "KRW")
    assert list(Order("k").refund(alone, 20, "d")) == [Counts(REFUNDED, "KRW", 20, 300)]


refunds = st.lists(st.none() | st.integers(0, 1200), max_size=4)
tellings = st.lists(st.sampled_from([1000, None]), max_size=3)


@st.composite
def histories(draw: st.DrawFn) -> list[Event]:
    events: list[Event] = [("refund", 20 + n, refund(wants, str(n))) for n, wants in enumerate(draw(refunds))]
    events += [("order", 10, replace(TOLD, amount=amount)) for amount in draw(tellings)]
    events += [("cancel", 15, None)] * draw(st.integers(0, 1))
    return draw(st.permutations(events))


def sums(found: list[Counts]) -> Counter[tuple[str, str]]:
    total: Counter[tuple[str, str]] = Counter()
    for one in found:
        total[one.deed, one.value] += one.amount
    return total


@settings(max_examples=150)
@given(histories(), st.randoms())
def test_orders_come_to_the_same_in_any_order(events: list[Event], chance: Any) -> None:
    otherwise = list(events)
    chance.shuffle(otherwise)
    one, two = sums(play(Order("k"), *events)), sums(play(Order("k"), *otherwise))
    assert one == two
    assert 0 <= one[REFUNDED, "KRW"] <= one[SPENT, "KRW"]
    if any(kind == "order" for kind, _, _ in events):
        assert one[ORDERED, ""] == 1


@settings(max_examples=150)
@given(histories(), st.integers(0, 8))
def test_two_people_who_turn_out_to_be_one_have_one_order(events: list[Event], at: int) -> None:
    """Whatever was told of whom: after the merge it is as if all had been told of one."""
    mine, theirs, one = Order("k"), Order("k"), Order("k")
    found = play(mine, *events[:at])
    play(theirs, *events[at:])
    found += mine.absorb(theirs)
    assert sums(found) == sums(play(one, *events))
    assert list(mine.absorb(theirs)) == []


def fold(counts: list[Counts], visits: list[int]) -> Life:
    life = Life()
    for one in counts:
        life.count(one)
    for at in visits:
        life.see(at)
        life.visit(at)
    return life


deeds = st.lists(
    st.builds(Counts, st.sampled_from([ORDERED, "signed_up", CANCELLED]), st.just(""), st.integers(0, 50),
              st.just(1)),
    max_size=6,
)  # fmt: skip


@settings(max_examples=100)
@given(deeds, st.lists(st.integers(0, 50), max_size=4), st.integers(0, 6), st.randoms())
def test_lives_are_the_same_in_any_order_and_any_parts(
    counts: list[Counts], visits: list[int], at: int, chance: Any
) -> None:
    whole = fold(counts, visits)
    otherwise = list(counts)
    chance.shuffle(otherwise)
    part = fold(otherwise[:at], [])
    part.add(fold(otherwise[at:], visits))
    assert part == whole


def coupon(events: list[tuple[CouponTold, int]]) -> Coupon:
    found = Coupon()
    for told, at in events:
        found.hear(told, at)
    return found


kinds = st.sampled_from([one for one in Kind if one.startswith("coupon")])
coupon_events = st.lists(
    st.tuples(
        st.builds(CouponTold, kinds, st.just("A"), st.sampled_from(["", "봄", "가을"]),
                  st.none() | st.integers(0, 9)),
        st.integers(0, 9),
    ),
    max_size=6,
)  # fmt: skip


@settings(max_examples=100)
@given(coupon_events, st.integers(0, 6), st.randoms())
def test_coupons_are_the_same_in_any_order_and_any_parts(events: Any, at: int, chance: Any) -> None:
    otherwise = list(events)
    chance.shuffle(otherwise)
    part = coupon(otherwise[:at])
    part.add(coupon(otherwise[at:]))
    assert part == coupon(events)
