"""How long runs stay: classes of times, and percentiles that are known well enough."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from server.aggregates.stays import PRECISION, class_of, percentile

A_YEAR = 366 * 86_400_000


@given(st.lists(st.integers(0, A_YEAR), min_size=1, max_size=200), st.floats(0.01, 1))
def test_a_percentile_is_wrong_by_less_than_five_per_cent(stays: list[int], share: float) -> None:
    counts = Counter(class_of(one) for one in stays if one)
    found = percentile(counts, stays.count(0), share)
    wanted = sorted(stays)[max(1, -int(-share * len(stays) // 1)) - 1]
    assert found is not None
    assert abs(found - wanted) <= wanted * PRECISION * 1.001
    assert PRECISION < 0.05


def test_of_nobody_nothing_is_known() -> None:
    assert percentile({}, 0, 0.5) is None


def test_whoever_passed_at_once_counts_as_well() -> None:
    assert percentile({class_of(60_000): 1}, 9, 0.9) == 0
    assert percentile({class_of(60_000): 1}, 9, 0.95) != 0
