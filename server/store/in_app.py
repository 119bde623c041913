"""Messages that apps show: what a reader has before them, and what was done with it."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, bindparam, delete, or_, select, update

from server.clock import Instant

from .bulk import inserting, table_of
from .paging import Page, Slice, sliced, within
from .receipts import MessageKey
from .sessions import ReadSession, WriteSession
from .tables import InApp
from .users import among

DELIVERED, SHOWN, INTERACTED, DISMISSED = "delivered_at", "shown_at", "interacted_at", "dismissed_at"
"""What is noted of a message: the columns of the first time."""

_table = table_of(InApp)
_PUT = inserting(
    InApp,
    "shard",
    "message_id",
    "project_id",
    "connection_id",
    "reader",
    "content",
    "sent_at",
    "expires_at",
    once=True,
)
_EXPIRED = (
    select(_table).where(_table.c.expires_at <= bindparam("now")).order_by(_table.c.expires_at).limit(1000)
)
_PLACE = (_table.c.sent_at, _table.c.message_id)

Reader = tuple[int, str]
"""Connection and user id."""


async def put(session: WriteSession, rows: Sequence[tuple[Any, ...]]) -> None:
    """Rows of shard, message, project, connection, reader, content, sent at, expires at; each once."""
    await session.bulk(_PUT, rows)


async def of_reader(session: ReadSession, reader: Reader, now: Instant, page: Page) -> Slice:
    """What a reader's app shows now, the newest first: neither expired nor put away."""
    statement = select(_table).where(*_shown_to(reader, now))
    rows = await session.rows(within(statement, _PLACE, page, descending=True))
    return sliced(rows, page)


async def since(session: ReadSession, reader: Reader, sent_at: Instant, now: Instant) -> Sequence[Any]:
    """What no app has fetched yet or was sent since then, the oldest first; at most a hundred."""
    new = or_(_table.c.delivered_at.is_(None), _table.c.sent_at >= sent_at)
    statement = select(_table).where(*_shown_to(reader, now), new)
    return await session.rows(statement.order_by(*_PLACE).limit(100))


async def of_keys(session: ReadSession, reader: Reader, keys: Sequence[MessageKey]) -> dict[MessageKey, Any]:
    """Those of these messages that are the reader's."""
    if not keys:
        return {}
    statement = select(_table).where(*_of(reader), among(_table, keys, "message_id"))
    return {(row.shard, row.message_id): row for row in await session.rows(statement)}


async def mark(session: WriteSession, what: str, keys: Sequence[MessageKey], at: Instant) -> None:
    """Notes the first time that something was done with these."""
    if keys:
        column = _table.c[what]
        here = update(_table).where(among(_table, keys, "message_id"), column.is_(None))
        await session.run(here.values({what: at}))


async def expired(session: ReadSession, now: Instant) -> Sequence[Any]:
    """What is shown to nobody any more, up to a thousand of them."""
    return await session.rows(_EXPIRED, {"now": now})


async def drop(session: WriteSession, keys: Sequence[MessageKey]) -> None:
    if keys:
        await session.run(delete(_table).where(among(_table, keys, "message_id")))


def _of(reader: Reader) -> tuple[ColumnElement[bool], ...]:
    connection_id, user_id = reader
    return _table.c.connection_id == connection_id, _table.c.reader == user_id


def _shown_to(reader: Reader, now: Instant) -> tuple[ColumnElement[bool], ...]:
    still = or_(_table.c.expires_at.is_(None), _table.c.expires_at > now)
    return *_of(reader), still, _table.c.dismissed_at.is_(None)
