"""The inbox of a shard: appended by whoever hears something, emptied by the shard's loop."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import bindparam, func, select

from server.clock import Instant

from .bulk import deleting, inserting, table_of
from .sessions import ReadSession, WriteSession
from .tables import Inbox

EVENT = "event"
FORWARDED = "forwarded"
"""An event that another shard has found to belong here; it was new when it arrived there."""
HISTORY = "history"
"""An event of an import: a fact that moves nobody."""
RECEIPT = "receipt"

_table = table_of(Inbox)
_APPEND_NUMBERED = inserting(Inbox)
_APPEND = inserting(Inbox, "shard", "project_id", "kind", "payload", "arrived_at")
_REMOVE = deleting(Inbox, "shard", "id")
_TAKE = (
    select(_table.c.id, _table.c.project_id, _table.c.kind, _table.c.payload, _table.c.arrived_at)
    .where(_table.c.shard == bindparam("shard"))
    .order_by(_table.c.id)
    .limit(bindparam("most"))
)
_LAST_ID = select(func.max(_table.c.id)).where(_table.c.shard == bindparam("shard"))


class Entry(NamedTuple):
    """One thing that has happened."""

    shard: int
    project_id: int
    kind: str
    payload: bytes
    arrived_at: Instant


class Row(NamedTuple):
    id: int
    project_id: int
    kind: str
    payload: bytes
    arrived_at: Instant


@dataclass(frozen=True, slots=True)
class Backlog:
    rows: int
    oldest_at: Instant | None


async def append(session: WriteSession, entries: Sequence[Entry]) -> None:
    """Appends in the order given. On SQLite the one writer numbers the rows; PostgreSQL has a sequence."""
    if not entries:
        return
    if session.get_bind().dialect.name != "sqlite":
        await session.bulk(_APPEND, entries)
        return
    last: dict[int, int] = {}
    for shard in {entry.shard for entry in entries}:
        last[shard] = (await session.rows(_LAST_ID, {"shard": shard}))[0][0] or 0
    rows = []
    for shard, project_id, kind, payload, arrived_at in entries:
        last[shard] += 1
        rows.append((shard, last[shard], project_id, kind, payload, arrived_at))
    await session.bulk(_APPEND_NUMBERED, rows)


async def take(session: ReadSession, shard: int, most: int) -> list[Row]:
    """The oldest rows. They stay until `remove`, so that a crash leaves them to be done again."""
    return [Row(*row) for row in await session.rows(_TAKE, {"shard": shard, "most": most})]


async def remove(session: WriteSession, shard: int, ids: Sequence[int]) -> None:
    await session.bulk(_REMOVE, [(shard, id) for id in ids])


async def backlog(session: ReadSession) -> Backlog:
    row = (await session.rows(select(func.count(), func.min(_table.c.arrived_at)).select_from(_table)))[0]
    return Backlog(row[0], row[1])
