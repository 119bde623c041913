"""What a project is connected to, without what is secret about it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select

from . import uses
from .bulk import table_of
from .sessions import ReadSession
from .tables import Connection, ConnectionHealth, Message

_table, _health, _messages = table_of(Connection), table_of(ConnectionHealth), table_of(Message)
_PLAIN = [column for column in _table.columns if column.name != "sealed"]


async def of_project(session: ReadSession, project_id: int) -> list[Connection]:
    """The project's connections by name, past their sealed part."""
    statement = select(*_PLAIN).where(_table.c.project_id == project_id).order_by(_table.c.name)
    return list(await session.rows(statement))


@dataclass(frozen=True, slots=True)
class Use:
    """What keeps a connection from being taken away: who would miss it."""

    journeys: list[tuple[int, str]]
    """Id and title of the running or paused journeys with a version that names it and still sends."""
    messages: int
    """Those that wait to be sent through it, or are on their way."""


async def health(session: ReadSession, ids: Sequence[int]) -> dict[int, ConnectionHealth]:
    """How these connections fare; one that nothing was sent through yet has no entry."""
    rows = await session.rows(select(_health).where(_health.c.connection_id.in_(list(ids))))
    return {row.connection_id: row for row in rows}


async def backlog(session: ReadSession, shards: int, ids: Sequence[int]) -> dict[int, int]:
    """How many messages wait to be handed over to each of these; without those of paused journeys."""
    statement = (
        select(_messages.c.connection_id, func.count())
        .where(
            _messages.c.shard.in_(list(range(shards))),
            _messages.c.connection_id.in_(list(ids)),
            _messages.c.due_at.is_not(None),
        )
        .group_by(_messages.c.connection_id)
    )
    found: dict[int, int] = {row[0]: row[1] for row in await session.rows(statement)}
    return {connection_id: found.get(connection_id, 0) for connection_id in ids}


async def use(session: ReadSession, project_id: int, shards: int, connection_id: int, name: str) -> Use:
    journeys = await uses.journeys(session, project_id, lambda graph: names(graph, name))
    # The empty provider's name lets the index find what has not been taken over.
    statement = select(func.count()).where(
        _messages.c.shard.in_(list(range(shards))),
        _messages.c.connection_id == connection_id,
        _messages.c.provider_id == "",
        _messages.c.status.in_(("queued", "attempted")),
    )
    return Use(journeys, int((await session.rows(statement))[0][0]))


def names(graph: Mapping[str, Any], connection: str) -> bool:
    """Whether a step of this graph says that it sends through this connection."""
    return any(step.get("connection") == connection for step in graph["steps"])


async def name_of(session: ReadSession, connection_id: int) -> str:
    """Empty for one that is gone."""
    rows = await session.rows(select(_table.c.name).where(_table.c.id == connection_id))
    return str(rows[0].name) if rows else ""


async def project_of(session: ReadSession, connection_id: int) -> int | None:
    """The project that it belongs to; None for one that is gone."""
    rows = await session.rows(select(_table.c.project_id).where(_table.c.id == connection_id))
    return int(rows[0].project_id) if rows else None
