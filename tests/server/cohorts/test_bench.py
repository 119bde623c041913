"""The benchmark of cohort reports compares a real server with plain Python before it measures."""

import pytest

from bench import _user_days
from bench.cohort import check, counted, differences


def test_a_server_says_what_plain_python_counts() -> None:
    assert check(40, 200) > 100


def test_a_cell_that_differs_is_told() -> None:
    cells = counted(_user_days.made(40, 200))["plain"]
    wrong = {**cells, (0, 0): cells.get((0, 0), 0) + 1}
    assert differences(cells, cells) == []
    assert differences(wrong, cells) == [
        f"base date 0, day 0: {wrong[0, 0]} here, {cells.get((0, 0), 0)} there"
    ]


@pytest.mark.parametrize("size", [(40, 200), (5_000, 20_000)])
def test_there_are_as_many_people_and_days_as_asked_for(size: tuple[int, int]) -> None:
    users, user_days = size
    made = _user_days.made(users, user_days)
    assert len(set(made.user.tolist())) == users
    assert len(set(zip(made.user.tolist(), made.day.tolist(), strict=True))) == len(made.user)
    assert len(made.user) == pytest.approx(user_days, rel=0.2)
