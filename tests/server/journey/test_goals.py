"""Goals: which events reach them, and what they are worth."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.journey.goals import DAY, Goal, read_goal, to_amount
from server.journey.moment import Predicate
from server.journey.reading import Reader


@pytest.mark.parametrize(
    ("value", "amount"),
    [
        (19900, 199_000_000),
        (0.1, 1000),
        ("19.99", 199_900),
        (" 7 ", 70_000),
        (-5, -50_000),
        ("1e3", 10_000_000),
        (0.00004, 0),
        (True, 0),
        (None, 0),
        ("a lot", 0),
        ("NaN", 0),
        ("-Infinity", 0),
        (float("inf"), 0),
        (10**15, 0),
        ("1e999999999", 0),
        ([1], 0),
    ],
)
def test_an_amount_is_read_to_the_ten_thousandth_and_is_nothing_where_it_is_none(
    value: Any, amount: int
) -> None:
    assert to_amount(value) == amount


@given(st.lists(st.decimals(-1000, 1000, places=2), max_size=20))
def test_sums_of_amounts_are_exact(amounts: list[Any]) -> None:
    assert sum(to_amount(str(amount)) for amount in amounts) == int(sum(amounts) * 10_000)


def test_a_goal_is_reached_by_its_event_with_its_properties() -> None:
    goal = Goal(key="g", title="G", event="purchase", where=(Predicate("total", "at_least", 10),))
    assert goal.is_reached_by("purchase", {"total": 10})
    assert not goal.is_reached_by("purchase", {"total": 9})
    assert not goal.is_reached_by("purchase", {})
    assert not goal.is_reached_by("refund", {"total": 10})


def test_what_is_left_out_of_a_goal_has_its_default() -> None:
    reader = Reader({"key": "bought", "event": "purchase"})
    assert read_goal(reader) == Goal(key="bought", title="bought", event="purchase", window_ms=30 * DAY)
    assert reader.problems == []


def test_a_window_beyond_ninety_days_is_refused() -> None:
    reader = Reader({"key": "g", "event": "e", "window_ms": 90 * DAY + 1})
    read_goal(reader)
    assert [(problem.path, problem.code) for problem in reader.problems] == [(("window_ms",), "out_of_range")]
