"""Sums over cohorts, in whatever form the amounts are."""

import gc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyroaring import BitMap

from server.aggregates.held import Held
from server.cohorts import sums
from server.cohorts.sums import Listed, Weighted, amounts_of
from server.cohorts.words import Mode

PEOPLE = st.dictionaries(st.integers(0, 200_000), st.integers(-5, 70) | st.integers(0, 10**12), min_size=1)


def held(amounts: dict[int, int]) -> Held:
    values = np.array([amounts[number] for number in sorted(amounts)], dtype=np.int64)
    return Held(BitMap(amounts), values)


def within(held: Held, cohort: set[int]) -> int:
    return int(sums.totals([BitMap(cohort)], [amounts_of(held)], [(0, 0)], Mode.ON, 0)[0, 0])


@given(PEOPLE, st.sets(st.integers(0, 200_000)), st.integers(0, 3))
@settings(max_examples=60)
def test_a_sum_is_that_of_everybody_s_amount(amounts: dict[int, int], others: set[int], every: int) -> None:
    cohort = others | set(list(amounts)[:: every + 1])
    wanted = sum(amount for number, amount in amounts.items() if number in cohort)
    assert within(held(amounts), cohort) == wanted


def test_many_boxes_are_searched_and_seats_are_used_again(monkeypatch: pytest.MonkeyPatch) -> None:
    large = held({3: 10**6, 70_000: 10**7, 2**31: 10**8})
    for boxes in (512, 2, 512):
        monkeypatch.setattr(sums, "MOST_BOXES", boxes)
        assert within(large, {3, 2**31, 9}) == 10**6 + 10**8
        assert within(held({70_001: 500}), {70_001}) == 500


@pytest.mark.parametrize(("amount", "form"), [(1, Weighted), (64, Weighted), (65, Listed), (-1, Listed)])
def test_small_amounts_are_taken_apart_and_large_ones_looked_up(amount: int, form: type) -> None:
    assert isinstance(amounts_of(held({1: amount, 2: 0})), form)


def test_amounts_of_one_byte_do_not_run_over() -> None:
    narrow = Held(BitMap([1, 2, 3]), np.array([100, 100, 100], dtype=np.int8))
    assert within(narrow, {1, 2, 3}) == 300
    assert within(narrow, {1, 2, 9}) == 200


@pytest.mark.parametrize("amount", [2, 10**6])
def test_what_nobody_remembers_is_remembered_nowhere(amount: int) -> None:
    gc.collect()
    before = len(sums._known)
    some = held({1: amount, 2: 1})
    assert within(some, {1}) == amount
    del some
    gc.collect()
    assert len(sums._known) == before
