"""What is not kept apart is refused; what is kept is told whole."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from pyroaring import BitMap

from server.aggregates import deed_values
from server.cohorts import devices, listed
from server.cohorts.definition import Act, Breakdown, Definition
from server.cohorts.devices import Owners
from server.cohorts.words import Binds, Kind, Metric
from server.errors import BadInput
from server.store import declared
from tests.world import HOUR, NOON, World

from .test_by_moments import DAYS, HOURS, seen, told

pytestmark = pytest.mark.anyio


async def sizes(world: World, asked: Definition) -> int:
    return sum(row.size for row in (await told(world, asked)).groups[-1].rows)


async def test_a_value_that_came_up_too_late_is_refused(
    sqlite_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (deed_values, listed):
        monkeypatch.setattr(module, "MOST_VALUES", 2)
    world = sqlite_world
    await world.live(world.event("first", NOON, anonymous="x"), seen(world, NOON, "kim", "kim-pc"))
    never = replace(DAYS, entry=Act(Kind.EVENT, "late"))
    by_page = replace(DAYS, breakdown=Breakdown("landing", ("shop.kr/late",)))
    assert await sizes(world, by_page) == 0
    pages = [{"url": f"https://shop.kr/{name}"} for name in ("one", "late")]
    for number, page in enumerate(pages):
        context = {"page": page, "userAgent": "Mozilla/5.0 (Windows NT 10.0) Chrome/126.0.0.0"}
        await world.live(
            world.event("", NOON + HOUR, anonymous=f"d{number}", type="page", context=context),
            world.event("late", NOON + HOUR, anonymous="y"),
            until=NOON + 2 * HOUR,
        )
    for asked in (
        never,
        replace(HOURS, entry=Act(Kind.EVENT, "late")),
        replace(DAYS, returning=Act(Kind.EVENT, "late")),
        replace(DAYS, where=(Act(Kind.EVENT, "late"),)),
        by_page,
    ):
        with pytest.raises(BadInput, match=r"gathered under \(other\) and cannot be told apart"):
            await told(world, asked)
    assert await sizes(world, replace(DAYS, entry=Act(Kind.EVENT, "(other)"))) == 1


async def test_zeros_are_told_while_the_list_has_room(sqlite_world: World) -> None:
    await sqlite_world.live(sqlite_world.event("first", NOON, anonymous="x"))
    assert await sizes(sqlite_world, replace(DAYS, entry=Act(Kind.EVENT, "never"))) == 0


async def test_a_property_has_to_be_declared_and_is_asked_as_it_is_stored(sqlite_world: World) -> None:
    world, long = sqlite_world, "신발" * 100
    asked = replace(DAYS, entry=Act(Kind.EVENT, "looked", property="category", value=long))
    with pytest.raises(BadInput, match=r"'category' of 'looked': .*declareProperties"):
        await told(world, asked)
    async with world.db.write() as session:
        await declared.declare(session, world.project_id, [("looked", "category")], NOON)
    await world.live(world.event("looked", NOON, anonymous="x", category=long), until=NOON + HOUR)
    assert await sizes(world, asked) == 1


async def test_visits_of_a_source_are_those_that_came_from_it(sqlite_world: World) -> None:
    """Kim comes by a search engine once and directly three times, all on one day."""
    world = sqlite_world
    visits: list[Any] = [seen(world, NOON, "kim", "kim-pc", referrer="https://www.google.com/")]
    visits += [seen(world, NOON + hour * HOUR // 2, "kim", "kim-pc") for hour in (2, 4, 6)]
    await world.live(*visits, until=NOON + 4 * HOUR)
    by_source = Breakdown("source", ("search", "direct"), binds=Binds.BOTH)
    asked = replace(DAYS, metric=Metric.VISITS, breakdown=by_source, last_period=0)
    groups = {group.value: group for group in (await told(world, asked)).groups}
    assert {value: group.rows[0].cells[0].numerator for value, group in groups.items()} == {
        None: 4,
        "search": 1,
        "direct": 3,
    }
    assert [groups[value].totals.visits for value in (None, "search", "direct")] == [4, 1, 3]
    times = replace(asked, metric=Metric.TIMES, returning=Act(Kind.VISIT))
    rows = [group.rows[0] for group in (await told(world, times)).groups]
    assert [row.cells[0].numerator for row in rows] == [4, 1, 3]


def test_whose_devices_are_is_learned_by_older_snapshots_too() -> None:
    owners = Owners()
    owners.learn([0, 1, 2, 3], [0, 0, 1, 1])
    owners.learn([2], [1])
    assert owners.of(BitMap([1])) == BitMap([2, 3])


def test_what_nobody_asked_for_longest_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "MOST_BYTES", 800)
    known = devices.Known(((number, 0), Owners(np.zeros(50, dtype=np.int64))) for number in range(3))
    known.move_to_end((0, 0))
    devices.forget(known)
    assert list(known) == [(2, 0), (0, 0)]
