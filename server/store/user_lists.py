"""Uploaded lists of users: found, listed, changed; and who is on them."""

from collections.abc import Sequence

import orjson
from sqlalchemy import Text, and_, bindparam, case, delete, func, literal_column, or_, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import col
from sqlmodel import select as select_record

from server.clock import Instant

from .bulk import Bulk, table_of
from .paging import Page, Slice, sliced, within
from .sessions import ReadSession, WriteSession
from .tables import ListMember, UserList

_table, _members = table_of(UserList), table_of(ListMember)


def _adding() -> Bulk:
    """Puts users on a list. Of two lines about one user the later one holds, and none holds against none."""
    statements, nothing = {}, literal_column("''", Text())
    for name, dialect in (("sqlite", sqlite), ("postgresql", postgresql)):
        statement = dialect.insert(_members)
        fresh = statement.excluded
        later = or_(fresh.added_at > _members.c.added_at, _members.c.line == nothing)
        line = case((and_(fresh.line != nothing, later), fresh.line), else_=_members.c.line)
        put = {"line": line, "added_at": case((later, fresh.added_at), else_=_members.c.added_at)}
        keys = list(_members.primary_key)
        statements[name] = statement.on_conflict_do_update(index_elements=keys, set_=put)
    return Bulk(tuple(_members.columns.keys()), statements)


ADD = _adding()
CLEAR = delete(_members).where(
    _members.c.shard == bindparam("of_shard"), _members.c.list_id == bindparam("of_list")
)
LEAVE = delete(_members).where(
    _members.c.shard == bindparam("of_shard"),
    _members.c.project_id == bindparam("of_project"),
    _members.c.user_number == bindparam("of_number"),
)
"""Takes one user off all lists."""

# What tells a shard, in its inbox, to change who is on a list.
LIST_ADD, LIST_CLEAR = "list_add", "list_clear"
LIST_NAME = "list_name"
"""Names whom it puts on the list by their ids: they are made just before."""


async def by_ids(session: ReadSession, project_id: int, ids: Sequence[int]) -> dict[int, UserList]:
    rows = await session.rows(
        select(_table).where(_table.c.project_id == project_id, _table.c.id.in_(list(ids)))
    )
    return {row.id: row for row in rows}


async def page(session: ReadSession, project_id: int, page: Page) -> Slice:
    """One page of a project's lists, by name."""
    statement = select(_table).where(_table.c.project_id == project_id)
    return sliced(await session.rows(within(statement, (_table.c.name, _table.c.id), page)), page)


async def of_user(
    session: ReadSession, project_id: int, shard: int, number: int
) -> list[tuple[int, int, str]]:
    """The lists that a user is on: since when, and with which line."""
    statement = select(_members.c.list_id, _members.c.added_at, _members.c.line).where(
        _members.c.shard == shard,
        _members.c.project_id == project_id,
        _members.c.user_number == number,
    )
    return [(row.list_id, row.added_at, row.line) for row in await session.rows(statement)]


async def sizes(session: ReadSession, shards: int, ids: Sequence[int]) -> dict[int, int]:
    """How many users are on each of these lists."""
    statement = (
        select(_members.c.list_id, func.count())
        .where(_members.c.shard.in_(list(range(shards))), _members.c.list_id.in_(list(ids)))
        .group_by(_members.c.list_id)
    )
    return {row[0]: row[1] for row in await session.rows(statement)}


async def named(session: WriteSession, project_id: int, name: str) -> UserList | None:
    """The list of this name, held until this transaction is over."""
    wanted = select_record(UserList).where(col(UserList.project_id) == project_id, col(UserList.name) == name)
    return (await session.exec(wanted.with_for_update())).first()


async def locked(session: WriteSession, project_id: int, list_id: int) -> UserList | None:
    wanted = select_record(UserList).where(
        col(UserList.project_id) == project_id, col(UserList.id) == list_id
    )
    return (await session.exec(wanted.with_for_update())).first()


async def create(session: WriteSession, project_id: int, name: str, now: Instant) -> UserList:
    made = UserList(project_id=project_id, name=name, created_at=now, changed_at=now)
    session.add(made)
    await session.flush()
    return made


async def remove(session: WriteSession, project_id: int, list_id: int) -> None:
    await session.run(delete(_table).where(_table.c.project_id == project_id, _table.c.id == list_id))


async def columns(session: ReadSession, project_id: int) -> dict[str, frozenset[str]]:
    """By name of a list: of which columns it keeps the values of its lines."""
    rows = await session.rows(
        select(_table.c.name, _table.c.columns).where(_table.c.project_id == project_id)
    )
    return {row.name: frozenset(orjson.loads(row.columns or "[]")) for row in rows}


async def lines_of(
    session: ReadSession, list_id: int, keys: Sequence[tuple[int, int]]
) -> dict[tuple[int, int], str]:
    """What the lines of these users say, as JSON: a few users, for an example."""
    found: dict[tuple[int, int], str] = {}
    for shard in {shard for shard, _ in keys}:
        numbers = [number for home, number in keys if home == shard]
        statement = select(_members.c.user_number, _members.c.line).where(
            _members.c.shard == shard, _members.c.list_id == list_id, _members.c.user_number.in_(numbers)
        )
        found |= {(shard, row.user_number): row.line for row in await session.rows(statement)}
    return found


async def some_lines(session: ReadSession, shards: int, list_id: int, most: int) -> list[str]:
    """So many of its lines that keep values, as JSON."""
    statement = (
        select(_members.c.line)
        .where(_members.c.shard.in_(list(range(shards))), _members.c.list_id == list_id)
        .where(_members.c.line != "")
        .order_by(_members.c.shard, _members.c.user_number)
        .limit(most)
    )
    return [row.line for row in await session.rows(statement)]


async def names(session: ReadSession, project_id: int) -> dict[str, int]:
    """The project's lists by name."""
    rows = await session.rows(select(_table.c.name, _table.c.id).where(_table.c.project_id == project_id))
    return {row.name: row.id for row in rows}
