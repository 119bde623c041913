"""Receipts that found no message yet: kept for a while, since the message's own news may be on its way."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select

from server.clock import Instant

from .bulk import deleting, inserting, table_of
from .sessions import ReadSession, WriteSession
from .tables import Unclaimed

_unclaimed = table_of(Unclaimed)
_KEEP = inserting(Unclaimed, once=True)
_DROP = deleting(Unclaimed, "connection_id", "key")


async def keep(session: WriteSession, rows: Sequence[tuple[int, str, bytes, Instant]]) -> None:
    """Rows of connection, key, receipt and when it was heard. What is there already stays as it is."""
    await session.bulk(_KEEP, rows)


async def since(session: ReadSession, since: Instant, most: int) -> Sequence[Any]:
    """The receipts heard since then that found no message, the newest first."""
    statement = select(_unclaimed).where(_unclaimed.c.heard_at >= since)
    return await session.rows(statement.order_by(_unclaimed.c.heard_at.desc()).limit(most))


async def drop(session: WriteSession, keys: Sequence[tuple[int, str]]) -> None:
    await session.bulk(_DROP, keys)
