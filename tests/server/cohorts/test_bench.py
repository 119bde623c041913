"""The benchmark of cohort reports compares before it measures: here over the API of a small world."""

from datetime import date

import pytest

from bench import _user_days, _user_days_stored
from bench.cohort import BASE, DOCUMENTS, asked, cells_of, counted, differences
from tests.server.schema.api import open_api
from tests.world import World


@pytest.mark.anyio
async def test_the_api_says_what_plain_python_counts(world: World) -> None:
    days, dates = _user_days.made(60, 300), _user_days.dates(date(2024, 3, 12))
    await _user_days_stored.store(world.db, days, dates, world.shards)
    wanted = counted(days)
    async with open_api(world) as api:
        for question, document in DOCUMENTS.items():
            told = cells_of(await api.ask(document, input=asked(question, dates)))
            assert told == wanted["plain" if question == BASE else question]


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
