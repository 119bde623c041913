"""Receipts that found no message yet: kept for a while, since the message's own news may be on its way."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import bindparam, select, tuple_

from server.clock import Instant

from .bulk import deleting, inserting, table_of
from .sessions import ReadSession, WriteSession
from .tables import Unclaimed

_unclaimed = table_of(Unclaimed)
_KEEP = inserting(Unclaimed, once=True)
_DROP = deleting(Unclaimed, "connection_id", "key")
_OLD = (
    select(_unclaimed.c.connection_id, _unclaimed.c.key)
    .where(_unclaimed.c.heard_at < bindparam("before"))
    .order_by(_unclaimed.c.heard_at)
    .limit(bindparam("most"))
)


async def keep(session: WriteSession, rows: Sequence[tuple[int, str, bytes, Instant]]) -> None:
    """Rows of connection, key, receipt and when it was heard. What is there already stays as it is."""
    await session.bulk(_KEEP, rows)


Place = tuple[Instant, int, str]
"""When it was heard, connection and key."""


def place_of(row: Any) -> Place:
    return row.heard_at, row.connection_id, row.key


async def since(
    session: ReadSession, since: Instant, most: int, *, before: Place | None = None
) -> Sequence[Any]:
    """The receipts heard since then that found no message, the newest first; those before that place."""
    order = (_unclaimed.c.heard_at, _unclaimed.c.connection_id, _unclaimed.c.key)
    statement = select(_unclaimed).where(_unclaimed.c.heard_at >= since)
    if before is not None:
        statement = statement.where(tuple_(*order) < before, _unclaimed.c.heard_at <= before[0])
    return await session.rows(statement.order_by(*(one.desc() for one in order)).limit(most))


async def drop(session: WriteSession, keys: Sequence[tuple[int, str]]) -> None:
    await session.bulk(_DROP, keys)


async def forget(session: WriteSession, before: Instant, most: int) -> int:
    """Drops receipts that were heard before then, the oldest first. Returns how many."""
    rows = await session.rows(_OLD, {"before": before, "most": most})
    await drop(session, [(row.connection_id, row.key) for row in rows])
    return len(rows)
