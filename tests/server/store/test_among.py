"""A list as one parameter: found by an index, and right in every condition."""

from typing import Any

import pytest
from sqlalchemy import or_, select

from server.store.among import among
from server.store.bulk import table_of
from server.store.tables import Run, User
from tests.world import NOON, World

pytestmark = pytest.mark.anyio
_users, _runs = table_of(User), table_of(Run)


async def people(world: World) -> None:
    for name in "abcd":
        await world.send(world.event("", NOON, user=name, type="identify"))
    await world.settle()


async def found(world: World, *conditions: Any) -> list[int]:
    numbers = sorted(row.number for row in await world.rows(User))
    async with world.db.read() as session:
        statement = select(_users.c.number).where(*conditions).order_by(_users.c.number)
        rows = await session.rows(statement, {"numbers": numbers[:2]})
    return [row.number for row in rows]


async def test_it_holds_alone_turned_round_and_beside_others(sqlite_world: World) -> None:
    await people(sqlite_world)
    here = among(_users.c.number, "numbers")
    assert await found(sqlite_world, here) == [0, 1]
    assert await found(sqlite_world, ~here) == [2, 3]
    assert await found(sqlite_world, or_(here, _users.c.number == 3), _users.c.number > 0) == [1, 3]


async def test_sqlite_looks_the_values_up_instead_of_looking_through_the_shard(sqlite_world: World) -> None:
    mine = (_users.c.shard == 0, _users.c.project_id == 1, among(_users.c.number, "numbers"))
    text = str(select(_users.c.number).where(*mine).compile(dialect=sqlite_world.db.engine.dialect))
    async with sqlite_world.db.engine.connect() as connection:
        plan = await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}", (0, 1, "[1]"))
        steps = [row[3] for row in plan]
    assert "SEARCH user USING PRIMARY KEY (shard=? AND project_id=? AND number=?)" in steps


async def test_sqlite_finds_runs_by_their_users_and_not_by_looking_through_the_shard(
    sqlite_world: World,
) -> None:
    """Its planner is told, by figures of ours, that a shard tells nothing apart."""
    dialect = sqlite_world.db.engine.dialect
    mine = (_runs.c.shard == 0, _runs.c.project_id == 1, among(_runs.c.user_number, "numbers"))
    text = str(select(_runs).where(*mine).compile(dialect=dialect))
    async with sqlite_world.db.engine.connect() as connection:
        plan = await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}", (0, 1, "[1]"))
        steps = [row[3] for row in plan]
    assert "SEARCH run USING INDEX run_by_user (shard=? AND project_id=? AND user_number=?)" in steps
