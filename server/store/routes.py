"""What the dispatcher has to know of every connection, its settings and secrets aside."""

from typing import NamedTuple

from sqlalchemy import select

from server.clock import Instant

from .bulk import table_of
from .sessions import ReadSession
from .tables import Connection

_table = table_of(Connection)
_ALL = select(
    _table.c.id,
    _table.c.project_id,
    _table.c.adapter,
    _table.c.channel,
    _table.c.takes,
    _table.c.preference,
    _table.c.is_enabled,
    _table.c.concurrency,
    _table.c.rate_per_second,
    _table.c.changed_at,
).order_by(_table.c.preference, _table.c.id)


class RouteRow(NamedTuple):
    id: int
    project_id: int
    adapter: str
    channel: str
    takes: str
    preference: int
    is_enabled: bool
    concurrency: int | None
    rate_per_second: float | None
    changed_at: Instant


async def routes(session: ReadSession) -> list[RouteRow]:
    """The connections of all projects, the preferred first."""
    return [RouteRow(*row) for row in await session.rows(_ALL)]


async def channels(session: ReadSession, project_id: int) -> set[str]:
    """Those that a project has a connection for, on or off."""
    found = await session.rows(select(_table.c.channel).where(_table.c.project_id == project_id).distinct())
    return {row.channel for row in found}
