"""Deed sets: parts add up, those who turned out to be others are left out, and little is read twice."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyroaring import BitMap

from server.aggregates import deed_sets
from server.aggregates.deed_sets import (
    Held,
    Of,
    Row,
    pack,
    put_together,
    unpack,
    without,
    write_deeds,
)
from server.aggregates.deeds import Deed, Unit, others_of, property_value, spread
from server.aggregates.held import at_once, users_at_once
from server.aggregates.remembered import Key, Known, Memory
from tests.world import World, statements

pytestmark = pytest.mark.anyio

BOUGHT = Of(Unit.USER, Deed.ORDERED, "")
CAME = Of(Unit.USER, Deed.SOURCE, "search")
GONE = Of(Unit.USER, Deed.MASKED, "")
DAY, MONTH = 20240313, 202403


def held(**amounts: int) -> Held:
    numbers = {int(name[1:]): amount for name, amount in amounts.items()}
    values = np.array([numbers[one] for one in sorted(numbers)], dtype=np.int64)
    return Held(BitMap(numbers), values if values.any() else None)


async def write(world: World, part: int, of: Of, *spans: int, shard: int = 0, **amounts: int) -> None:
    rows = [Row(shard, world.project_id, of, span, *held(**amounts)) for span in spans]
    async with world.db.write() as session:
        await write_deeds(session, part, rows)


async def read(
    world: World, *wanted: Of, spans: tuple[int, ...] = (DAY,)
) -> tuple[dict[tuple[Of, int], dict[int, int]], int]:
    """By deed and span, who did how much; and how many statements it took."""
    with statements(world.db) as seen:
        async with world.db.read() as session:
            found = await deed_sets.read(session, world.project_id, 1, wanted, spans)
    told = {
        (of, span): dict(
            zip(one.users, (one.amounts if one.amounts is not None else [0] * len(one.users)), strict=True)
        )
        for (_, of, span), one in found.items()
    }
    return told, len([one for one in seen if "FROM deed_set" in one])


async def test_parts_add_up(world: World) -> None:
    await write(world, 1, BOUGHT, *spread(DAY), u1=1, u7=2)
    await write(world, 2, BOUGHT, *spread(DAY), u7=3, u9=300)
    found, _ = await read(world, BOUGHT, CAME, spans=(DAY, MONTH, 0, 20240314))
    assert found == {(BOUGHT, span): {1: 1, 7: 5, 9: 300} for span in (DAY, MONTH, 0)}


async def test_what_has_not_changed_is_not_read_again(world: World) -> None:
    await write(world, 1, BOUGHT, *spread(DAY), u1=1)
    await write(world, 1, CAME, *spread(DAY), u1=0, u2=0)
    assert (await read(world, BOUGHT, CAME))[1] == 3
    assert (await read(world, BOUGHT, CAME))[1] == 2
    await write(world, 2, BOUGHT, *spread(DAY), u3=1)
    found, asked = await read(world, BOUGHT, CAME)
    assert (found, asked) == ({(BOUGHT, DAY): {1: 1, 3: 1}, (CAME, DAY): {1: 0, 2: 0}}, 4)


async def test_another_day_of_the_month_changes_nothing(world: World) -> None:
    await write(world, 1, BOUGHT, *spread(DAY), u1=1)
    await read(world, BOUGHT)
    await write(world, 2, BOUGHT, *spread(DAY + 1), u1=5)
    assert await read(world, BOUGHT) == ({(BOUGHT, DAY): {1: 1}}, 3)
    assert await read(world, BOUGHT) == ({(BOUGHT, DAY): {1: 1}}, 2)
    assert (await read(world, BOUGHT, spans=(DAY, DAY + 1)))[0] == {
        (BOUGHT, DAY): {1: 1},
        (BOUGHT, DAY + 1): {1: 5},
    }


async def test_all_shards_in_one_set(world: World) -> None:
    """The third of three shards has nobody, and of the second one is somebody else."""
    room = 2**32 // 3

    async def everybody() -> tuple[list[int], list[int]]:
        async with world.db.read() as session:
            asked = (session, world.project_id, 3, [BOUGHT], [DAY, DAY + 1])
            found = await deed_sets.read(*asked, in_one=True)
        one = found.pop((deed_sets.ALL_SHARDS, BOUGHT, DAY))
        assert not found
        assert one.amounts is not None
        return list(one.users), one.amounts.tolist()

    await write(world, 1, BOUGHT, *spread(DAY), shard=1, u1=300, u2=7)
    await write(world, 1, BOUGHT, *spread(DAY), u1=1)
    assert await everybody() == ([1, room + 1, room + 2], [1, 300, 7])
    await write(world, 2, GONE, 0, shard=1, u2=0)
    await write(world, 2, BOUGHT, *spread(DAY), u1=1, u4=2)
    assert await everybody() == ([1, 4, room + 1], [2, 2, 300])


def test_who_has_no_amount_has_0_beside_those_who_have() -> None:
    assert at_once({1: held(u5=3), 0: held(u2=0)}, 2).amounts == pytest.approx([0, 3])
    with pytest.raises(OverflowError, match="shard 0"):
        users_at_once({0: BitMap([2**31])}, 2)


async def test_who_turned_out_to_be_another_is_left_out(world: World) -> None:
    await write(world, 1, BOUGHT, *spread(DAY), u1=1, u2=2, u3=3)
    await write(world, 2, GONE, 0, u2=0)
    assert (await read(world, BOUGHT))[0] == {(BOUGHT, DAY): {1: 1, 3: 3}}
    await write(world, 3, GONE, 0, u3=0)
    assert (await read(world, BOUGHT))[0] == {(BOUGHT, DAY): {1: 1}}


async def test_devices_are_no_users(world: World) -> None:
    device = BOUGHT._replace(unit=Unit.DEVICE)
    await write(world, 1, device, *spread(DAY), u1=1)
    await write(world, 1, GONE, 0, u1=0)
    assert (await read(world, BOUGHT, device))[0] == {(device, DAY): {1: 1}}


async def test_without_amounts_none_are_read(world: World) -> None:
    await write(world, 1, BOUGHT, *spread(DAY), u1=1)
    async with world.db.read() as session:
        found = await deed_sets.read(session, world.project_id, 1, [BOUGHT], [DAY], with_amounts=False)
    assert found == {(0, BOUGHT, DAY): Held(BitMap([1]), None)}
    assert (await read(world, BOUGHT))[0] == {(BOUGHT, DAY): {1: 1}}


async def test_nothing_is_asked_for_nothing(world: World) -> None:
    assert await read(world) == ({}, 0)
    assert await read(world, BOUGHT, spans=()) == ({}, 0)


def test_what_is_remembered_stays_below_its_limit() -> None:
    memory = Memory(most_bytes=100)
    keys = [Key(1, (0, BOUGHT, day), True) for day in range(3)]
    for key in keys:
        memory.keep(key, Known(1, 1, held(u1=1), 40, 0, held(u1=1)))
    assert [memory.get(key) is not None for key in keys] == [False, True, True]


amounts = st.dictionaries(st.integers(0, 200_000), st.integers(-(2**40), 2**40), min_size=1, max_size=30)


@given(st.lists(amounts, min_size=1, max_size=5), st.sets(st.integers(0, 200_000), max_size=5))
def test_parts_are_what_a_dictionary_would_say(parts: list[dict[int, int]], masked: set[int]) -> None:
    whole = put_together([held(**{f"u{number}": n for number, n in part.items()}) for part in parts])
    gone = masked | set(list(parts[0])[:2])
    sums: dict[int, int] = {}
    for part in parts:
        for number, n in part.items():
            sums[number] = sums.get(number, 0) + n
    wanted = {number: sums[number] for number in sorted(sums) if number not in gone}
    shown = without(whole, BitMap(gone))
    values = shown.amounts if shown.amounts is not None else np.zeros(len(shown.users), dtype=np.int64)
    assert dict(zip(shown.users, values.tolist(), strict=True)) == wanted
    stored = unpack(pack(whole.amounts))
    assert whole.amounts is None or np.array_equal(
        stored if stored is not None else 0 * whole.amounts, whole.amounts
    )


@pytest.mark.parametrize(("most", "width"), [(127, 1), (128, 2), (-129, 2), (40_000, 4), (2**40, 8)])
def test_amounts_take_as_many_bytes_as_the_largest_needs(most: int, width: int) -> None:
    assert len(pack(np.array([1, most], dtype=np.int64))) == 1 + 2 * width


def test_what_is_too_much_is_gathered_under_its_own_property() -> None:
    value = property_value("purchase", "category", "shoes")
    assert others_of(Deed.PROPERTY, value) == property_value("purchase", "category", "(other)")
    assert others_of(Deed.ORIGIN, "example.com") == "(other)"
