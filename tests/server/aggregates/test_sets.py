"""User sets that are remembered: always what the parts say, and not read again without need."""

import pytest
from pyroaring import BitMap
from sqlalchemy import delete

from server.aggregates import merge, sets
from server.aggregates.calendar import HAPPENED
from server.aggregates.fill import Tally
from server.aggregates.metrics import Dimension
from server.aggregates.sets import Asked, Memory, Place
from server.store.bulk import table_of
from server.store.tables import UserSet
from tests.world import DAY, NOON, World, statements

pytestmark = pytest.mark.anyio
PLACE = Place(0, "sent", "1/mail")
DAYS = (20240313, 20240314)


async def include(world: World, part: int, *users: int, day: int = 0) -> None:
    tally = Tally(0, lambda project_id: "Asia/Seoul")
    for user in users:
        at = NOON + day * DAY
        tally.include(Dimension.SENT, world.project_id, 1, PLACE.value, user, at, at)
    async with world.db.write() as session:
        await tally.write(session, part)


async def read(world: World, *spans: int) -> tuple[set[int], int]:
    """The users of these days, and how many statements it took."""
    asked = Asked(world.project_id, HAPPENED, spans, None)
    with statements(world.db) as seen:
        async with world.db.read() as session:
            found = await sets.read(session, asked, 1, {("sent", "opened"): [PLACE.value]})
    return set(found.get(PLACE, BitMap())), len([one for one in seen if "FROM user_set" in one])


async def test_what_has_not_changed_is_not_read_again(world: World) -> None:
    await include(world, 1, 10, 11)
    assert await read(world, *DAYS) == ({10, 11}, 2)
    assert await read(world, *DAYS) == ({10, 11}, 1)
    await include(world, 2, 11, 12, day=1)
    assert await read(world, *DAYS) == ({10, 11, 12}, 2)
    assert await read(world, DAYS[1]) == ({11, 12}, 2)
    assert await read(world, *DAYS) == ({10, 11, 12}, 1)


async def test_parts_that_are_merged_say_the_same(world: World) -> None:
    for part in range(1, 12):
        await include(world, part, part)
    before, _ = await read(world, *DAYS)
    async with world.db.write() as session:
        await merge.merge(session, 0, await merge.crowded(session, 0))
    assert (await read(world, *DAYS))[0] == before == set(range(1, 12))
    await include(world, 12, 50)
    assert (await read(world, *DAYS))[0] == before | {50}


async def test_what_is_gone_is_not_remembered(world: World) -> None:
    await include(world, 1, 10)
    assert (await read(world, *DAYS))[0] == {10}
    async with world.db.write() as session:
        await session.run(delete(table_of(UserSet)))
    assert await read(world, *DAYS) == (set(), 1)


async def test_no_more_is_remembered_than_fits() -> None:
    asked = Asked(1, HAPPENED, DAYS, None)
    users = BitMap(range(0, 1000, 2))
    memory = Memory(most_bytes=3 * len(users.serialize()))
    places = [Place(0, "sent", f"1/{number}") for number in range(4)]
    for place in places[:3]:
        memory.keep(asked, place, 1, users)
    assert memory.get(asked, places[0], 1) == users
    memory.keep(asked, places[3], 1, users)
    assert [memory.get(asked, place, 1) is None for place in places] == [False, True, False, False]
    memory.keep(asked, places[3], 2, users)
    assert memory.get(asked, places[3], 1) is None
