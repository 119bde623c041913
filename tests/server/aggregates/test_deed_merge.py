"""Parts of deed sets are put together, and say the same; large ones are left alone."""

from random import Random

import pytest

from server.aggregates import deed_merge, deed_sets, deed_values
from server.aggregates.deed_merge import Crowded, _Part, smallest
from server.aggregates.deed_sets import Of
from server.aggregates.deed_tally import DeedKey, DeedTally
from server.aggregates.deed_values import Value, Values
from server.aggregates.deeds import MOST_VALUES, OTHER, Act, Deed, Unit, property_value
from server.aggregates.recount_deeds import Counted
from server.store.tables import DeedSet, DeedValue
from tests.world import NOON, World

pytestmark = pytest.mark.anyio
DAY = 20240313
BOUGHT = Of(Unit.USER, Deed.SPENT, "KRW")


async def add(world: World, part: int, values: Values, *acts: tuple[Of, int, int]) -> list[DeedKey]:
    """These do so much on a day, in one batch."""
    tally = DeedTally(0)
    for of, number, amount in acts:
        tally.add(world.project_id, *of, number, DAY, amount)
    async with world.db.write() as session:
        return await tally.write(session, part, values, NOON)


async def told(world: World, of: Of) -> dict[int, int]:
    async with world.db.read() as session:
        found = await deed_sets.read(session, world.project_id, 1, [of], [0])
    held = found.get((0, of, 0), deed_sets.EMPTY)
    amounts = held.amounts.tolist() if held.amounts is not None else [0] * len(held.users)
    return dict(zip(held.users, amounts, strict=True))


async def test_what_is_put_together_says_the_same_and_is_remembered(world: World) -> None:
    random, crowded, sums = Random(1), Crowded(), dict[int, int]()
    for part in range(1, 60):
        acts = [(BOUGHT, random.randrange(300), random.randrange(-5, 100_000)) for _ in range(7)]
        for _, number, amount in acts:
            sums[number] = sums.get(number, 0) + amount
        crowded.note(await add(world, part, Values(), *acts))
        async with world.db.read() as session:
            keys = await crowded.take(session, 0)
        before = await told(world, BOUGHT)
        async with world.db.write() as session:
            await deed_merge.merge(session, 0, keys)
        crowded.merged(keys)
        assert await told(world, BOUGHT) == before == sums
    rows = await world.rows(DeedSet)
    assert len(rows) < 3 * 2 * deed_merge.MOST_PARTS
    assert max(row.part for row in rows) == 59


async def test_parts_from_before_are_found_once_and_counted_until_they_are_merged(world: World) -> None:
    for part in range(1, 11):
        await add(world, part, Values(), (BOUGHT, part, 1))
    crowded = Crowded()
    async with world.db.read() as session:
        keys = await crowded.take(session, 0)
        assert {key[4] for key in keys} == {DAY, 202403, 0}
        # The transaction that should have merged them failed.
        assert await crowded.take(session, 0) == keys
        crowded.merged(keys[:1])
        assert await crowded.take(session, 0) == keys[1:]
        crowded.merged(keys)
        assert await crowded.take(session, 0) == []


async def test_what_is_appended_counts_until_it_is_merged(world: World) -> None:
    crowded, key = Crowded(shards=2), (1, "user", "spent", "KRW", 0)
    async with world.db.read() as session:
        assert await crowded.take(session, 0) == []
        for _ in range(deed_merge.MOST_PARTS):
            crowded.note([key])
        assert await crowded.take(session, 0) == await crowded.take(session, 0) == [key]
        crowded.merged([key])
        assert await crowded.take(session, 0) == []


def test_a_large_part_is_left_alone_until_as_much_has_come_together() -> None:
    small = [_Part(100, number) for number in range(8)]
    assert smallest([_Part(600_000, 99), *small]) == small
    assert len(smallest([_Part(1500, 99), *small])) == 9
    growing = [_Part(10 * 4**n, n) for n in range(9)]
    assert len(smallest(growing)) == deed_merge.MOST_PARTS // 2


async def test_a_project_has_so_many_values_and_then_no_more(world: World) -> None:
    values = Values()
    did = [(Of(Unit.USER, Deed.DID, f"event {n:04}"), n, 1) for n in range(MOST_VALUES + 5)]
    await add(world, 1, values, *did)
    await add(world, 2, values, (Of(Unit.USER, Deed.DID, "late"), 7, 1), did[0])
    # Another worker, who has to find out.
    await add(world, 3, Values(), (Of(Unit.USER, Deed.DID, "later"), 8, 1), (BOUGHT, 1, 1))
    rows = await world.rows(DeedValue)
    assert {row.dimension for row in rows} == {Deed.DID}
    assert len(rows) == MOST_VALUES
    assert await told(world, did[0][0]) == {0: 2}
    others = await told(world, Of(Unit.USER, Deed.DID, OTHER))
    assert others == {7: 1, 8: 1, **dict.fromkeys(range(MOST_VALUES, MOST_VALUES + 5), 1)}


@pytest.mark.parametrize("deed", [Deed.MEDIUM, Deed.AD, Deed.ORIGIN])
async def test_whatever_links_name_is_limited(
    world: World, monkeypatch: pytest.MonkeyPatch, deed: Deed
) -> None:
    monkeypatch.setattr(deed_values, "MOST_VALUES", 2)
    await add(world, 1, Values(), *((Of(Unit.USER, deed, f"tag {n}"), n, 1) for n in range(4)))
    assert await told(world, Of(Unit.USER, deed, "tag 1")) == {1: 1}
    assert await told(world, Of(Unit.USER, deed, OTHER)) == {2: 1, 3: 1}


async def test_no_value_of_a_property_makes_room_for_itself(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deed_values, "MOST_VALUES", 2)
    sizes = [Of(Unit.USER, Deed.PROPERTY, property_value("view", "size", f"{n}\x1fz")) for n in range(4)]
    raw = Of(Unit.USER, Deed.PROPERTY, "view\x1fsize\x1f9\x1fz")
    await add(world, 1, Values(), *((of, n, 1) for n, of in enumerate(sizes)), (raw, 9, 1))
    others = Of(Unit.USER, Deed.PROPERTY, property_value("view", "size", OTHER))
    assert await told(world, sizes[1]) == {1: 1}
    assert await told(world, others) == {2: 1, 3: 1, 9: 1}


async def test_amounts_stop_where_64_bits_would_end(world: World) -> None:
    of, most = Of(Unit.USER, Deed.SPENT, "KRW"), 2**62 - 1
    for part in range(1, 5):
        await add(world, part, Values(), (of, 1, 2**70), (of, 2, most), (of, 3, 2**61 - 1), (of, 4, 1))
    wanted = {1: most, 2: most, 3: most, 4: 4}
    assert await told(world, of) == wanted
    counted = Counted({})
    for _ in range(4):
        acts = ((1, most), (2, most), (3, 2**61 - 1), (4, 1))
        for number, amount in acts:
            counted.add(world.project_id, Unit.USER, number, [Act(Deed.SPENT, "KRW", DAY, amount)])
    [again] = counted.take().values()
    assert again.amounts is not None
    assert again.amounts.tolist() == [*wanted.values()]


async def test_every_property_has_room_of_its_own(world: World) -> None:
    values = Values()
    colours = [
        (Of(Unit.USER, Deed.PROPERTY, property_value("view", "colour", str(n))), n, 1)
        for n in range(MOST_VALUES + 1)
    ]
    size = Of(Unit.USER, Deed.PROPERTY, property_value("view", "size", "95"))
    await add(world, 1, values, *colours, (size, 1, 1))
    others = Of(Unit.USER, Deed.PROPERTY, property_value("view", "colour", OTHER))
    assert len(await told(world, others)) == 1
    assert await told(world, size) == {1: 1}
    assert values.has_own(Value(world.project_id, *size[1:]))
