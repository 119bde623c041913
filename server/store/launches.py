"""Launches: which are due in a shard, how far each has come, and what a journey's come to together."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select, bindparam, case, delete, func, select, update

from server.clock import Instant

from .bulk import inserting, table_of
from .sessions import ReadSession
from .tables import EntryRequest, Launch, ListMember, User

_table, _requests = table_of(Launch), table_of(EntryRequest)
_users, _members = table_of(User), table_of(ListMember)

ADD = inserting(Launch, once=True)
LAUNCH = "launch"
"""The command that lets a segment or a list in, as a request over the API asks."""

_MINE = (_table.c.shard == bindparam("of_shard"), _table.c.journey_id == bindparam("of_journey"))
_THIS = (*_MINE, _table.c.entry_key == bindparam("of_entry"), _table.c.occurrence == bindparam("of_which"))
_OF_ENTRY = (*_MINE, _table.c.entry_key == bindparam("of_entry"), _table.c.request_id.is_(None))
HOLD = update(_table).where(*_MINE, _table.c.done_at.is_(None)).values(held=True)
RELEASE = update(_table).where(*_MINE).values(held=False)
CLOSE = update(_table).where(*_THIS).values(done_at=bindparam("at"))
DROP = delete(_table).where(*_OF_ENTRY, _table.c.began_at.is_(None), _table.c.done_at.is_(None))
"""Of an entry everything that has not begun."""
BELONG = update(_table).where(*_OF_ENTRY).values(version=bindparam("now_in"))
MOVE = (
    update(_table)
    .where(*_THIS)
    .values(
        cursor=bindparam("to"),
        entered=_table.c.entered + bindparam("more_entered"),
        refused=_table.c.refused + bindparam("more_refused"),
        due_at=bindparam("goes_on_at"),
        done_until=bindparam("until"),
        next_at=bindparam("later_at"),
        began_at=bindparam("begun_at"),
        done_at=bindparam("over_at"),
    )
)
_DUE = (
    select(_table)
    .where(_table.c.shard == bindparam("shard"), _table.c.due_at <= bindparam("now"))
    .where(_table.c.done_at.is_(None), ~_table.c.held)
    .order_by(_table.c.due_at, _table.c.journey_id, _table.c.entry_key, _table.c.occurrence)
    .limit(bindparam("most"))
)
_USERS = (
    select(_users.c.number)
    .where(_users.c.shard == bindparam("shard"), _users.c.project_id == bindparam("project_id"))
    .where(_users.c.number > bindparam("after"))
    .where(_users.c.merged_into.is_(None), _users.c.erased_at.is_(None))
    .order_by(_users.c.number)
    .limit(bindparam("most"))
)
_MEMBERS = _USERS.where(_users.c.user_id.is_not(None))
_ON_LIST = (
    select(_members.c.user_number, _members.c.line)
    .where(_members.c.shard == bindparam("shard"), _members.c.list_id == bindparam("list_id"))
    .where(_members.c.user_number > bindparam("after"))
    .order_by(_members.c.user_number)
    .limit(bindparam("most"))
)


def this(launch: Any) -> dict[str, Any]:
    """Which launch, for the statements above."""
    return {
        "of_shard": launch.shard,
        "of_journey": launch.journey_id,
        "of_entry": launch.entry_key,
        "of_which": launch.occurrence,
    }


async def due(session: ReadSession, shard: int, now: Instant, most: int) -> Sequence[Any]:
    return await session.rows(_DUE, {"shard": shard, "now": now, "most": most})


async def of_journeys(session: ReadSession, shard: int, ids: Sequence[int]) -> Sequence[Any]:
    """What their entries have planned in this shard, and what has become of it."""
    statement = select(_table).where(
        _table.c.shard == shard, _table.c.journey_id.in_(list(ids)), _table.c.request_id.is_(None)
    )
    return await session.rows(statement)


async def request(session: ReadSession, request_id: int) -> Any:
    return (await session.rows(select(_requests).where(_requests.c.id == request_id)))[0]


async def everybody(
    session: ReadSession, shard: int, project_id: int, after: int, most: int, *, members: bool = False
) -> list[int]:
    """The numbers of the users behind this one, without those who are others now, or erased."""
    about = {"shard": shard, "project_id": project_id, "after": after, "most": most}
    return [row[0] for row in await session.rows(_MEMBERS if members else _USERS, about)]


async def on_list(session: ReadSession, shard: int, list_id: int, after: int, most: int) -> dict[int, str]:
    """The numbers of those on it behind this one, each with what else their line said, as JSON."""
    about = {"shard": shard, "list_id": list_id, "after": after, "most": most}
    return {row.user_number: row.line for row in await session.rows(_ON_LIST, about)}


def summed(shards: int) -> Select[Any]:
    """One row for each launch: what its shards' parts come to together."""
    parts = func.count()
    done = func.count(_table.c.done_at)
    return (
        select(
            _table.c.journey_id,
            _table.c.entry_key,
            _table.c.occurrence,
            _table.c.request_id,
            func.min(_table.c.due_at).label("due_at"),
            func.min(_table.c.began_at).label("began_at"),
            case((done == parts, func.max(_table.c.done_at)), else_=None).label("done_at"),
            func.sum(_table.c.entered).label("entered"),
            func.sum(_table.c.refused).label("refused"),
        )
        .where(_table.c.shard.in_(list(range(shards))))
        .group_by(_table.c.journey_id, _table.c.entry_key, _table.c.occurrence, _table.c.request_id)
    )


async def latest(
    session: ReadSession, shards: int, journey_ids: Sequence[int], most: int
) -> dict[int, list[Any]]:
    """So many launches of each of these journeys, those due last first."""
    together = summed(shards).where(_table.c.journey_id.in_(journey_ids)).subquery()
    order = (together.c.due_at.desc(), together.c.entry_key)
    place = func.row_number().over(partition_by=together.c.journey_id, order_by=order).label("place")
    placed = select(together, place).subquery()
    statement = select(placed).where(placed.c.place <= most).order_by(placed.c.journey_id, placed.c.place)
    found: dict[int, list[Any]] = {}
    for row in await session.rows(statement):
        found.setdefault(row.journey_id, []).append(row)
    return found
