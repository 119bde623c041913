"""The probability to be the best: an integral, held against other ways to compute it."""

import random
from fractions import Fraction
from math import factorial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.journey.posterior import best_probabilities

seen = st.tuples(st.integers(0, 2000), st.integers(0, 2000)).map(lambda pair: (pair[0], sum(pair)))


def beta(a: int, b: int) -> Fraction:
    return Fraction(factorial(a - 1) * factorial(b - 1), factorial(a + b - 1))


def exactly(one: tuple[int, int], other: tuple[int, int]) -> float:
    """That the other is better, in fractions: with whole numbers the integral is a finite sum."""
    a, b = one[0] + 1, one[1] - one[0] + 1
    c, d = other[0] + 1, other[1] - other[0] + 1
    # P(X < x) of Beta(a, b) is a sum over the ways to have at least a of a + b - 1.
    n = a + b - 1
    ways = (
        Fraction(factorial(n), factorial(j) * factorial(n - j)) * beta(c + j, d + n - j)
        for j in range(a, n + 1)
    )
    return float(sum(ways) / beta(c, d))


@pytest.mark.parametrize(
    ("one", "other"),
    [((0, 0), (0, 0)), ((10, 100), (15, 100)), ((0, 40), (3, 25)), ((5, 5), (90, 100)), ((1, 300), (4, 300))],
)
def test_of_two_it_is_the_exact_fraction(one: tuple[int, int], other: tuple[int, int]) -> None:
    assert best_probabilities([one, other])[1] == pytest.approx(exactly(one, other), abs=2e-4)


def test_of_several_it_is_what_drawing_from_them_gives() -> None:
    branches = [(100, 1000), (120_000, 1_000_000), (3, 9), (0, 12)]
    chance, rounds = random.Random(11), 40_000
    won = [0] * len(branches)
    for _ in range(rounds):
        drawn = [chance.betavariate(hits + 1, people - hits + 1) for hits, people in branches]
        won[drawn.index(max(drawn))] += 1
    for found, counted in zip(best_probabilities(branches), won, strict=True):
        assert found == pytest.approx(counted / rounds, abs=0.01)


@settings(deadline=None)
@given(st.lists(seen, min_size=2, max_size=6))
def test_one_of_them_is_the_best(branches: list[tuple[int, int]]) -> None:
    found = best_probabilities(branches)
    assert sum(found) == pytest.approx(1)
    assert all(0 <= one <= 1 for one in found)
    assert found == best_probabilities(branches)


@settings(deadline=None)
@given(seen, st.integers(2, 8))
def test_branches_alike_are_equally_likely(branch: tuple[int, int], number: int) -> None:
    assert best_probabilities([branch] * number) == pytest.approx([1 / number] * number, abs=1e-3)


def test_a_million_people_are_no_trouble() -> None:
    worse, better = best_probabilities([(10_000, 1_000_000), (10_500, 1_000_000)])
    assert worse < 0.001
    assert better > 0.999
