"""Retention of a real clickstream, by platform and by channel: what plain SQL says of the CSV.

Of some of its people; with SHOPPERS=600 in the environment, of all of them: 31,106 events.
"""

import os
import shutil
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import pytest

from server.clock import DAY
from server.cohorts.answering import answer
from server.cohorts.asking import Asker
from server.cohorts.definition import Breakdown, Days, Definition
from server.cohorts.report import AMOUNT_SCALE, Group
from server.cohorts.words import Alignment, Binds, DeviceFilter, Granularity, Metric, Occurrence, Unit
from tests.replay import shoppers
from tests.replay.shoppers import CLASSES, DATA, MONDAY, SOURCES, Row, Told
from tests.world import World, open_world

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(not DATA.exists(), reason="needs a clickstream that is not part of the project"),
]
USERS = int(os.environ.get("SHOPPERS", "40"))
AT_ONCE = 2000
DAYS = Definition(days=Days(date(2024, 1, 4), date(2024, 7, 1)), last_period=30)
WEEKS = replace(DAYS, granularity=Granularity.WEEK, last_period=20)
Cells = dict[tuple[int, int], int]


class Shop(NamedTuple):
    world: World
    told: Told
    rows: list[Row]


@pytest.fixture(scope="module")
async def shop(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Shop]:
    """The people have lived, and SQL knows what they did."""
    path = tmp_path_factory.mktemp("shop") / "shop.db"
    shutil.copy(sqlite_template, path)
    rows = shoppers.read(USERS)
    async with open_world(f"sqlite:///{path}", start=rows[0].at) as world:
        for start in range(0, len(rows), AT_ONCE):
            some = rows[start : start + AT_ONCE]
            await world.send(*(world.event(row.name, row.at, **shoppers.event_of(row)) for row in some))
            await world.settle(some[-1].at)
        await world.settle(rows[-1].at + DAY)
        yield Shop(world, Told(rows), rows)


async def groups(world: World, asked: Definition) -> dict[str | None, Group]:
    async with world.db.read() as session:
        asker = Asker(session, world.project_id, world.shards, "Asia/Seoul", world.clock.now())
        told = await answer(asker, asked)
    return {group.value: group for group in told.groups}


def cells(group: Group, granularity: Granularity, scale: int = 1) -> Cells:
    """Those that are not 0, by the number of the day or week and how many later."""
    found: Cells = {}
    for row in group.rows:
        bucket = (row.day - date(1970, 1, 1)).days
        bucket = (bucket - MONDAY) // 7 if granularity is Granularity.WEEK else bucket
        for cell in row.cells:
            if cell.numerator:
                found[bucket, cell.first] = cell.numerator // scale
    return found


def within(told: Iterator[tuple[int, int, int]], last: int) -> Cells:
    return {(bucket, n): people for bucket, n, people in told if n <= last}


async def test_retention_is_what_sql_says_of_the_csv(shop: Shop) -> None:
    world, told, _ = shop
    compared = 0
    for asked in (DAYS, WEEKS):
        bucket = asked.granularity.value
        for unit, column in ((Unit.USER, "person"), (Unit.DEVICE, "device")):
            for dimension, values in (("device", CLASSES), ("source", SOURCES)):
                for binds in Binds:
                    breakdown = Breakdown(dimension, tuple(sorted(set(values.values()))), binds=binds)
                    found = await groups(world, replace(asked, unit=unit, breakdown=breakdown))
                    for value in breakdown.values:
                        here = f"{'class' if dimension == 'device' else 'source'} = '{value}'"
                        back = here if binds is Binds.BOTH else "TRUE"
                        says = told.retention(column, bucket, here, back=back)
                        wanted = within(says, asked.last_period)
                        assert cells(found[value], asked.granularity) == wanted
                        compared += len(wanted)
    assert compared > (5000 if USERS > 500 else 1000)


async def test_the_first_time_is_what_sql_says_of_the_csv(shop: Shop) -> None:
    world, told, _ = shop
    for asked in (DAYS, WEEKS):
        first = replace(asked, occurrence=Occurrence.FIRST_EVER)
        (group,) = (await groups(world, first)).values()
        wanted = within(told.retention("person", asked.granularity.value, first=True), asked.last_period)
        assert cells(group, asked.granularity) == wanted


async def test_one_device_at_a_time_is_what_sql_says(shop: Shop) -> None:
    world, told, _ = shop
    for device in (DeviceFilter.PC_WEB, DeviceFilter.MOBILE_WEB):
        here = f"class = '{device.value}'"
        for binds, back in ((Binds.ENTRY, "TRUE"), (Binds.BOTH, here)):
            asked = replace(DAYS, unit=Unit.DEVICE, device=device, device_binds=binds)
            (group,) = (await groups(world, asked)).values()
            assert cells(group, Granularity.DAY) == within(
                told.retention("device", "day", here, back=back), 30
            )


async def test_what_was_bought_later_is_what_sql_says(shop: Shop) -> None:
    world, told, _ = shop
    for metric, what, scale in ((Metric.PURCHASES, "orders", 1), (Metric.REVENUE, "spent", AMOUNT_SCALE)):
        (group,) = (await groups(world, replace(DAYS, metric=metric))).values()
        assert cells(group, Granularity.DAY, scale) == within(told.spent(what), 30)


async def test_days_from_the_first_visit_on_are_what_the_rows_say(shop: Shop) -> None:
    """Each person's own days, and the same person's hours of the clock."""
    world, _, rows = shop
    first: dict[str, int] = {}
    seen: dict[tuple[int, int], set[str]] = {}
    for row in rows:
        entry = first.setdefault(row.user, row.at)
        day = (datetime.fromtimestamp(entry / 1000, shoppers.SEOUL).date() - date(1970, 1, 1)).days
        seen.setdefault((day, (row.at - entry) // DAY), set()).add(row.user)
    wanted = {key: len(people) for key, people in seen.items() if key[1] <= 30}
    (group,) = (await groups(world, replace(DAYS, alignment=Alignment.ROLLING))).values()
    assert cells(group, Granularity.DAY) == wanted


async def test_hours_are_what_the_rows_say(shop: Shop) -> None:
    world, _, rows = shop
    first = date(2024, 3, 1)
    days = Days(first, first + timedelta(days=20))
    hour = 3_600_000
    hours: dict[str, set[int]] = {}
    for row in rows:
        hours.setdefault(row.user, set()).add(row.at // hour)
    since = datetime.combine(first, datetime.min.time(), shoppers.SEOUL).timestamp() * 1000 // hour
    wanted: dict[tuple[int, int], int] = {}
    for seen in hours.values():
        for entry in seen:
            for n in range(25):
                if since <= entry < since + 20 * 24 and entry + n in seen:
                    key = (int(entry - since), n)
                    wanted[key] = wanted.get(key, 0) + 1
    asked = replace(DAYS, days=days, granularity=Granularity.HOUR, last_period=24)
    (group,) = (await groups(world, asked)).values()
    found = {
        (at, one.first): one.numerator
        for at, row in enumerate(group.rows)
        for one in row.cells
        if one.numerator
    }
    assert found == wanted
