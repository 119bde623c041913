"""The test between branches holds what it promises, however often it is looked at."""

import random
from collections import Counter
from collections.abc import Iterator
from math import comb, erf, exp, inf, log, pi, sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.journey.evidence import TYPICAL, Comparison, Drawn, compare

ALPHA = 0.05
counts = st.integers(0, 5000)
percents = st.integers(1, 99)


def of(hits: int, control_hits: int, *, weight: float = 50, control_weight: float = 50) -> Comparison:
    return compare([Drawn(weight, control_weight, hits, control_hits)], ALPHA)


def boundaries(most: int, weight: float) -> Iterator[tuple[int, int]]:
    """For each number of hits: fewer of the branch than the first, or more than the second, are proof."""
    low = high = 0
    for n in range(1, most + 1):
        # One more hit moves either of them by one at most.
        low += _is_proof(low, n, weight)
        high += not _is_proof(high + 1, n, weight)
        yield low, high


def _is_proof(hits: int, n: int, weight: float) -> bool:
    return of(hits, n - hits, weight=weight, control_weight=100 - weight).is_proven


def ever_wrong(most: int, weight: float) -> float:
    """The exact probability that a test without an effect is ever proof, when looked at after every hit."""
    alive, wrong, chance = {0: 1.0}, 0.0, weight / 100
    for low, high in boundaries(most, weight):
        following: Counter[int] = Counter()
        for hits, probability in alive.items():
            following[hits] += probability * (1 - chance)
            following[hits + 1] += probability * chance
        wrong += sum(probability for hits, probability in following.items() if not low <= hits <= high)
        alive = {hits: probability for hits, probability in following.items() if low <= hits <= high}
    return wrong


@pytest.mark.parametrize("weight", [50, 20])
def test_without_an_effect_it_is_wrong_in_one_of_twenty_at_most_when_looked_at_after_every_hit(
    weight: float,
) -> None:
    assert 0.005 < ever_wrong(500, weight) <= ALPHA


def test_looking_once_at_a_plain_test_again_and_again_would_be_wrong_far_more_often() -> None:
    """What the test is for: the usual test at 5 %, looked at after every hit from the tenth on."""
    alive, wrong = {0: 1.0}, 0.0
    for n in range(1, 801):
        following: Counter[int] = Counter()
        for hits, probability in alive.items():
            following[hits] += probability / 2
            following[hits + 1] += probability / 2
        sure = {hits for hits in following if n >= 10 and abs(2 * hits - n) > 1.96 * sqrt(n)}
        wrong += sum(following[hits] for hits in sure)
        alive = {hits: probability for hits, probability in following.items() if hits not in sure}
    assert wrong > 0.3


def test_several_branches_together_are_wrong_no_more_often_also_with_people_who_take_their_time() -> None:
    """Four branches alike; who reaches the goal does so late, unevenly, and each hit is looked at."""
    chance, wrong = random.Random(4), 0
    for _ in range(50):
        people = sorted((chance.expovariate(0.2) + at / 50, chance.randrange(4)) for at in range(160))
        hits: Counter[int] = Counter()
        for _, branch in people:
            hits[branch] += 1
            others = (branch,) if branch else (1, 2, 3)
            if any(
                compare([Drawn(25, 25, hits[other], hits[0])], ALPHA, comparisons=3).is_proven
                for other in others
            ):
                wrong += 1
                break
    assert wrong <= 50 * ALPHA


def test_an_effect_is_found_in_about_the_number_of_hits_that_theory_says() -> None:
    """A lift of 30 % among 4 000 hits is found nearly always, and at a median of some hundred hits."""
    chance, found = random.Random(7), []
    for _ in range(40):
        hits, n = 0, 0
        while n < 4000:
            n += 1
            hits += chance.random() < 1.3 / 2.3
            if n % 20 == 0 and of(hits, n - hits).is_proven:
                break
        found.append(n if of(hits, n - hits).is_better else inf)
    found.sort()
    assert found[-1] < 4000
    assert 300 < found[len(found) // 2] < 900


def test_the_evidence_is_that_of_a_plain_sum() -> None:
    """Computed again, as plainly as it can be: binomial likelihoods on a fine grid of ratios."""
    drawn = [Drawn(30, 50, 60, 70), Drawn(10, 80, 5, 40)]
    step, whole = 0.0005, 0.0
    for index in range(-8000, 8001):
        ratio = exp(index * step)
        likelihood = 1.0
        for one in drawn:
            share = one.weight / (one.weight + one.control_weight)
            there = share * ratio / (share * ratio + 1 - share)
            n = one.hits + one.control_hits
            by = (share**one.hits * (1 - share) ** one.control_hits) * comb(n, one.hits)
            likelihood *= there**one.hits * (1 - there) ** one.control_hits * comb(n, one.hits) / by
        whole += likelihood * exp(-((index * step / TYPICAL) ** 2) / 2)
    evidence = whole * step / (TYPICAL * sqrt(2 * pi))
    assert compare(drawn, ALPHA).p_value == pytest.approx(min(1.0, 1 / evidence), rel=1e-6)


def test_the_interval_is_where_the_same_evidence_does_not_speak_against() -> None:
    """At its ends, a test of that very ratio in the place of no difference would be at its threshold."""
    found = of(300, 200)
    assert found.high is not None
    for lift in (found.low, found.high):
        ratio = log(1 + lift)
        share = (1 + lift) / (2 + lift)
        against = -log(found.p_value) - (300 * ratio + 500 * log(1 - share) - 500 * log(0.5))
        assert against == pytest.approx(log(1 / ALPHA), abs=1e-6)


def test_it_is_about_as_wide_as_the_theory_of_large_numbers_says() -> None:
    found = of(6000, 5000)
    assert found.lift == pytest.approx(0.2)
    once = 1.96 * sqrt(1 / 6000 + 1 / 5000)
    assert found.high is not None
    half = (log(1 + found.high) - log(1 + found.low)) / 2
    assert 1.2 * once < half < 2.2 * once
    assert erf(1.96 / sqrt(2)) == pytest.approx(0.95, abs=1e-3)


@given(counts, counts, percents)
def test_proof_is_an_interval_without_0_and_a_small_p(hits: int, control_hits: int, weight: int) -> None:
    found = of(hits, control_hits, weight=weight, control_weight=100 - weight)
    assert 0 <= found.p_value <= 1
    assert found.is_proven == (found.p_value <= ALPHA)
    high = inf if found.high is None else found.high
    assert -1 <= found.low <= high
    assert found.is_proven == (not found.low <= 0 <= high)
    if found.lift is not None:
        assert found.low <= found.lift <= high


@given(counts, counts)
def test_the_two_sides_are_each_others_mirror(one: int, other: int) -> None:
    here, there = of(one, other), of(other, one)
    assert here.p_value == pytest.approx(there.p_value)
    assert here.is_proven == there.is_proven


@given(counts, counts, st.integers(1, 9))
def test_more_branches_ask_for_more_proof(hits: int, control_hits: int, others: int) -> None:
    alone = of(hits, control_hits)
    among = compare([Drawn(50, 50, hits, control_hits)], ALPHA, comparisons=others)
    assert among.p_value == pytest.approx(min(1.0, alone.p_value * others)) or alone.p_value == 1.0
    assert among.low <= alone.low + 1e-9


@given(st.lists(st.tuples(percents, st.integers(1, 200)), min_size=1, max_size=4))
def test_percentages_that_change_deceive_nobody(rounds: list[tuple[int, int]]) -> None:
    """Hits in the shares in which people were drawn, whatever those were, are no difference at all."""
    drawn = [
        Drawn(percent, 100 - percent, percent * size, (100 - percent) * size) for percent, size in rounds
    ]
    found = compare(drawn, ALPHA)
    assert found.lift == pytest.approx(0)
    assert not found.is_proven


def test_added_up_the_same_hits_would_deceive() -> None:
    """Many come early when few get B, and few when most do: of everybody together, B seems to do badly."""
    drawn = [Drawn(10, 90, 100, 900), Drawn(90, 10, 90, 10)]
    assert compare(drawn, ALPHA).lift == pytest.approx(0)
    together = compare([Drawn(50, 50, 190, 910)], ALPHA)
    assert together.is_proven


def test_a_branch_that_nobody_is_drawn_for_says_nothing() -> None:
    assert compare([Drawn(0, 100, 0, 500)], ALPHA) == compare([], ALPHA)
    nothing = compare([], ALPHA)
    assert (nothing.lift, nothing.low, nothing.high, nothing.is_proven) == (None, -1, None, False)
