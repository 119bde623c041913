"""How connections fare, as the dispatcher last wrote it down."""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import select

from server.clock import Instant

from .bulk import replacing, table_of
from .sessions import ReadSession, WriteSession
from .tables import ConnectionHealth

_table = table_of(ConnectionHealth)
_COLUMNS = (
    "breaker",
    "failures",
    "opened",
    "open_until",
    "changed_at",
    "succeeded_at",
    "failed_at",
    "reason",
    "code",
    "detail",
)
_SAVE = replacing(ConnectionHealth, *_COLUMNS)


class HealthRow(NamedTuple):
    """In the order of the table's columns."""

    connection_id: int
    breaker: str
    failures: int
    opened: int
    open_until: Instant | None
    changed_at: Instant
    succeeded_at: Instant | None
    failed_at: Instant | None
    reason: str
    code: str
    detail: str


async def all_rows(session: ReadSession) -> list[HealthRow]:
    """Of every connection that anything was heard of yet."""
    statement = select(_table.c.connection_id, *(_table.c[name] for name in _COLUMNS))
    return [HealthRow(*row) for row in await session.rows(statement)]


async def save(session: WriteSession, rows: Sequence[HealthRow]) -> None:
    await session.bulk(_SAVE, rows)
