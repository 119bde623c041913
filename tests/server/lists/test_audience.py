"""Lists of users from files: whom a line names, what is wrong with others, and what becomes of the list."""

from collections.abc import AsyncIterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from server.errors import BadInput
from server.lists import audience
from server.lists.audience import Upload
from server.store.tables import ListMember, User, UserList
from tests.server.engine.divided import divided_world, without_complaint
from tests.world import NOON, World

pytestmark = pytest.mark.anyio


@pytest.fixture
async def four_shards() -> AsyncIterator[World]:
    with without_complaint():
        async with divided_world(4) as world:
            yield world


async def people(world: World) -> None:
    tell = world.event
    await world.live(
        tell("", NOON, user="김철수", type="identify", email="kim@example.com", phone="010-1234-5678"),
        tell("", NOON, user="lee", type="identify", email="shared@example.com"),
        tell("", NOON, user="park", type="identify", email="shared@example.com"),
        tell("view", NOON, anonymous="phone"),
    )


async def upload(world: World, text: str, name: str = "march", at: int = NOON, **more: Any) -> Upload:
    wish = audience.Wish(name, **more)
    found = await audience.take_in(world.db, StringIO(text), world.project_id, world.shards, wish, at)
    await world.settle()
    return found


async def on(world: World) -> list[str]:
    users = {(user.shard, user.number): user.user_id or "nameless" for user in await world.rows(User)}
    return sorted(users[row.shard, row.user_number] for row in await world.rows(ListMember))


async def test_a_line_names_a_user_by_an_id_or_by_an_address_that_only_one_has(world: World) -> None:
    await people(world)
    lines = ["user_id,anonymous_id,email,phone", "lee,,,", ",phone,,", ",,kim@example.com,", ",,,01012345678"]
    found = await upload(world, "\n".join(lines))
    assert (found.taken.changed, found.taken.known, found.taken.refused) == (3, 1, 0)
    assert await on(world) == ["lee", "nameless", "김철수"]
    assert [one.name for one in await world.rows(UserList)] == ["march"]


async def test_every_bad_line_is_named_and_the_good_ones_are_kept(world: World) -> None:
    await people(world)
    lines = ["user_id,email", "lee,", ",shared@example.com", "nobody,", ",", "a,b,c", '"x', f"{'y' * 201},"]
    found = (await upload(world, "\n".join(lines))).taken
    assert (found.changed, found.refused) == (1, 4)
    told = [one.split(":")[0] for one in found.problems]
    assert sorted(told) == ["line 3", "line 4", "line 6", "line 8"]
    assert any("2 users have the email 'shared@example.com'" in one for one in found.problems)
    assert await on(world) == ["lee"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp949", "euc-kr"])
async def test_a_file_is_read_in_whatever_encoding(
    sqlite_world: World, tmp_path: Path, encoding: str
) -> None:
    world, path = sqlite_world, tmp_path / "명단.csv"
    await people(world)
    path.write_bytes("user_id,이름\n김철수,철수\n".encode(encoding))
    about = (world.db, path, world.project_id, world.shards, audience.Wish("march"), NOON)
    assert (await audience.take_in(*about)).taken.changed == 1
    await world.settle()
    assert await on(world) == ["김철수"]


async def test_a_file_without_any_of_the_columns_changes_nothing(sqlite_world: World) -> None:
    with pytest.raises(BadInput, match="none of the columns"):
        await upload(sqlite_world, "name\nkim")
    assert await sqlite_world.rows(UserList) == []


async def test_again_adds_and_replacing_takes_the_others_off_and_a_dry_run_tries(world: World) -> None:
    await people(world)
    await upload(world, "user_id\nlee")
    await upload(world, "user_id\nlee\npark")
    assert await on(world) == ["lee", "park"]
    tried = await upload(world, "user_id\n김철수", replaces=True, dry_run=True)
    assert (tried.taken.changed, await on(world)) == (1, ["lee", "park"])
    await upload(world, "user_id\n김철수", replaces=True)
    assert await on(world) == ["김철수"]


async def test_a_merge_takes_the_membership_along(four_shards: World) -> None:
    world = four_shards
    await world.live(world.event("", NOON, user="kim", type="identify", name="Kim"))
    await world.live(world.event("view", NOON, anonymous="phone"))
    await upload(world, "anonymous_id\nphone")
    assert await on(world) == ["nameless"]
    await world.live(world.event("view", NOON + 1, user="kim", anonymous="phone"))
    assert await on(world) == ["kim"]


async def test_who_turned_out_to_be_another_while_the_file_was_read_is_followed(four_shards: World) -> None:
    world = four_shards
    await world.live(world.event("", NOON, user="kim", type="identify", name="Kim"))
    await world.live(world.event("view", NOON, anonymous="phone"))
    await world.send(world.event("view", NOON + 1, user="kim", anonymous="phone"))
    await upload(world, "anonymous_id\nphone")
    assert await on(world) == ["kim"]
