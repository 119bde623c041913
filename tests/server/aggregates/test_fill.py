"""A batch's counts and user sets, written and read back, on each database."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyroaring import BitMap

from server.aggregates import merge
from server.aggregates.calendar import ALL_TIME, ENTERED, HAPPENED, spans
from server.aggregates.fill import Tally
from server.aggregates.metrics import DEFINITIONS, Dimension, Metric
from server.store.tables import Counter, UserSet
from tests.world import DAY, HOUR, NOON, World

anyio = pytest.mark.anyio


def a_tally() -> Tally:
    return Tally(0, lambda project_id: "Asia/Seoul")


def test_every_metric_is_defined_once() -> None:
    assert [definition.metric for definition in DEFINITIONS] == list(Metric)
    assert all(definition.sentence.endswith(".") for definition in DEFINITIONS)


def test_counts_of_one_hour_are_added_up_and_those_of_the_next_are_apart() -> None:
    tally = a_tally()
    for at in (NOON, NOON + HOUR - 1, NOON + HOUR):
        tally.count(Metric.HITS, 1, 2, 3, "step", at, NOON - DAY, output="goal", amount=5)
    assert {key[2:4]: counts for key, counts in tally.counters().items()} == {
        (HAPPENED, NOON): [2, 10],
        (HAPPENED, NOON + HOUR): [1, 5],
        (HAPPENED, 20240313): [3, 15],
        (HAPPENED, 202403): [3, 15],
        (HAPPENED, ALL_TIME): [3, 15],
        (ENTERED, NOON - DAY): [3, 15],
        (ENTERED, 20240312): [3, 15],
        (ENTERED, 202403): [3, 15],
    }


@anyio
async def test_what_batches_count_is_added_to_what_is_there(world: World) -> None:
    for part in (1, 2):
        tally = a_tally()
        tally.count(Metric.REACHED, 1, 2, 3, "", NOON, NOON, output="goal", amount=700)
        tally.count(Metric.REACHED, 1, 2, 3, "", NOON, NOON, output="goal", n=-1, amount=-700)
        tally.count(Metric.ENTRIES, 1, 2, 3, "cart", NOON, NOON, n=part)
        async with world.db.write() as session:
            await tally.write(session, part)
    assert {(row.metric, row.n, row.amount) for row in await world.rows(Counter)} == {("entries", 3, 0)}
    [row] = await world.hours()
    assert row.span == NOON


async def write_parts(world: World, parts: list[set[int]], at: int = NOON) -> None:
    async with world.db.write() as session:
        for number, users in enumerate(parts, 1):
            tally = a_tally()
            for user in users:
                tally.include(Dimension.ENTERED, 1, 3, "7", user, at, at - DAY)
            await tally.write(session, number)


async def sets(world: World) -> dict[tuple[int, int], set[int]]:
    found: dict[tuple[int, int], set[int]] = {}
    for row in await world.rows(UserSet):
        found.setdefault((row.clock, row.span), set()).update(BitMap.deserialize(bytes(row.bitmap)))
    return found


@anyio
async def test_a_user_is_in_the_set_of_the_day_the_month_and_all_time(world: World) -> None:
    await write_parts(world, [{1, 5}])
    assert await sets(world) == {key: {1, 5} for key in spans(20240313, 20240312)}


@anyio
async def test_merging_parts_changes_no_answer_and_leaves_one_part(world: World) -> None:
    await write_parts(world, [{n, n * 1000} for n in range(merge.MOST_PARTS + 3)])
    before = await sets(world)
    async with world.db.read() as session:
        keys = await merge.crowded(session, 0)
    async with world.db.write() as session:
        await merge.merge(session, 0, keys)
    assert sorted(key[3:5] for key in keys) == sorted(spans(20240313, 20240312))
    assert len(await world.rows(UserSet)) == 5
    assert await sets(world) == before
    async with world.db.read() as session:
        assert await merge.crowded(session, 0) == []


@anyio
async def test_few_parts_are_left_alone(world: World) -> None:
    await write_parts(world, [{n} for n in range(merge.MOST_PARTS)])
    async with world.db.read() as session:
        assert await merge.crowded(session, 0) == []


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 90)), max_size=40))
def test_a_month_is_the_union_of_its_days(included: list[tuple[int, int]]) -> None:
    tally = a_tally()
    for user, days in included:
        tally.include(Dimension.ARRIVED, 1, 3, "7/step", user, NOON + days * DAY, NOON)
    sets = {key[3:5]: set(BitMap.deserialize(bits)) for key, bits in tally._bitmaps()}
    whole = {span: users for (clock, span), users in sets.items() if clock == HAPPENED}
    for level, users in whole.items():
        if 0 < level < 999_999:
            days_of_it = [found for day, found in whole.items() if day // 100 == level and day > 999_999]
            assert users == set().union(*days_of_it)
    assert whole.get(ALL_TIME, set()) == {user for user, _ in included}
