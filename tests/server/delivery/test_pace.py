"""So many a second, and every project its part."""

from hypothesis import given
from hypothesis import strategies as st

from server.delivery.pace import Pace
from server.delivery.sharing import Shares


def test_a_pace_lets_a_burst_go_and_then_so_many_a_second() -> None:
    pace = Pace(per_second=8)
    assert [pace.take(1, 100.0) for _ in range(4)] == [0, 0, 0.125, 0.25]
    assert pace.take(1, 100.375) == 0
    assert pace.take(2, 200.0) == 0


@given(st.floats(0.1, 1000), st.lists(st.tuples(st.integers(1, 5), st.floats(0, 1)), max_size=50))
def test_no_more_leaves_than_the_rate_allows(rate: float, turns: list[tuple[int, float]]) -> None:
    pace, now, leaving = Pace(rate), 0.0, []
    for number, passed in turns:
        now += passed
        leaving.append((now + pace.take(number, now), number))
    last = max((at for at, _ in leaving), default=0.0)
    assert sum(number for _, number in leaving) <= pace.burst + rate * last + 1e-6 * len(turns) + 1e-6


def test_whoever_comes_later_finds_room_at_once() -> None:
    shares = Shares(1000)
    taken = {}
    for project in (1, 2, 3):
        taken[project] = 0
        while room := shares.room(project):
            shares.pick_up(project, room)
            taken[project] += room
    assert taken[1] <= 500
    assert all(room > 100 for room in taken.values())
    assert sum(taken.values()) <= 1000


def test_projects_are_served_in_turn_whatever_number_of_connections_they_have() -> None:
    project_of = {10: 1, 11: 1, 12: 1, 20: 2, 30: 3}.__getitem__
    shares = Shares(100)
    first = shares.in_turn([10, 11, 12, 20, 30], project_of)
    assert {project_of(one) for one in first[:3]} == {1, 2, 3}
    assert sorted(first) == [10, 11, 12, 20, 30]
    assert project_of(shares.in_turn([10, 20], project_of)[0]) == 2
