"""Draws: in the shares asked for, the same for the same person, moving as few as possible."""

from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from server.journey.draws import draw, fraction
from server.journey.experiments import NOTHING_DECIDED, Verdict, weights
from server.journey.holdout import is_held_out

names = st.text(max_size=20)
people = [f"user-{number}" for number in range(4000)]


@st.composite
def shares(draw_: st.DrawFn, least: int = 0) -> dict[str, int]:
    """Percentages of 2 to 10 branches that make a hundred."""
    number = draw_(st.integers(2, 10))
    cuts = draw_(st.lists(st.integers(0, 100 - least * number), min_size=number - 1, max_size=number - 1))
    edges = [0, *sorted(cuts), 100 - least * number]
    parts = [right - left + least for left, right in pairwise(edges)]
    return {"abcdefghij"[index]: part for index, part in enumerate(parts)}


@given(names, names)
def test_a_fraction_lies_between_0_and_1_and_is_always_the_same(one: str, other: str) -> None:
    assert 0 < fraction(one, other) < 1
    assert fraction(one, other) == fraction(one, other)
    assert fraction(one, other) != fraction(one + other)


def test_a_fraction_never_changes() -> None:
    """Or everybody who is inside would change branches with an upgrade."""
    assert fraction("kim", "7", "split") == pytest.approx(0.48684513365315146, abs=1e-15)
    assert [draw({"a": 50, "b": 50}, name, "7", "split") for name in ("kim", "lee", "park", "choi")] == [
        "b",
        "a",
        "b",
        "b",
    ]


@settings(max_examples=20, deadline=None)
@given(shares())
def test_branches_are_drawn_as_often_as_they_should(percents: dict[str, int]) -> None:
    counted = Counter(draw(weights(percents, NOTHING_DECIDED), name, "1", "split") for name in people)
    for output, percent in percents.items():
        # Five standard deviations of a coin that is thrown this often.
        assert abs(counted[output] / len(people) - percent / 100) < 5 * (0.25 / len(people)) ** 0.5
    assert all(counted[output] == 0 for output, percent in percents.items() if percent == 0)


def test_steps_and_journeys_draw_apart_from_each_other() -> None:
    """Who is in B of one is in B of the other as often as anybody."""
    half = {"a": 1.0, "b": 1.0}
    for other in (("1", "second"), ("2", "split")):
        both = sum(draw(half, name, "1", "split") == "b" == draw(half, name, *other) for name in people)
        assert abs(both / len(people) - 0.25) < 0.04


@settings(max_examples=25, deadline=None)
@given(shares(1), shares(1))
def test_a_change_moves_people_only_to_branches_that_grew_and_from_those_that_shrank(
    before: dict[str, int], after: dict[str, int]
) -> None:
    """Nobody is moved between two of which the one they had has not lost against the other."""
    for name in people[:500]:
        old, new = draw(_plain(before), name), draw(_plain(after), name)
        if old != new and old in after and new in before:
            assert after[new] / before[new] > after[old] / before[old]


@settings(max_examples=25, deadline=None)
@given(shares(1), st.integers(0, 9), st.integers(1, 50))
def test_a_winner_takes_from_the_others_and_gives_to_none(
    percents: dict[str, int], which: int, explored: int
) -> None:
    winner = list(percents)[which % len(percents)]
    assume(100 - explored >= percents[winner])
    decided = weights(percents, Verdict(winner, explored))
    assert sum(decided.values()) == pytest.approx(100)
    assert decided[winner] == 100 - explored
    for name in people[:300]:
        old, new = draw(_plain(percents), name), draw(decided, name)
        assert new in (old, winner)


@settings(max_examples=25, deadline=None)
@given(shares(1), st.integers(0, 9))
def test_without_a_share_for_the_others_all_go_to_the_winner(percents: dict[str, int], which: int) -> None:
    winner = list(percents)[which % len(percents)]
    decided = weights(percents, Verdict(winner))
    assert {draw(decided, name) for name in people[:100]} == {winner}


def test_a_winner_that_is_no_branch_any_more_changes_nothing() -> None:
    assert weights({"a": 30, "b": 70}, Verdict("c", 10)) == {"a": 30, "b": 70}


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 50), st.integers(0, 50))
def test_a_larger_holdout_holds_the_same_people_out_and_some_more(one: int, other: int) -> None:
    few, many = sorted((one, other))
    held = [{name for name in people if is_held_out(percent, name, 3)} for percent in (few, many)]
    assert held[0] <= held[1]
    assert abs(len(held[1]) / len(people) - many / 100) < 0.04
    assert few > 0 or not held[0]


def _plain(percents: dict[str, int]) -> dict[str, float]:
    return weights(percents, NOTHING_DECIDED)
