"""What a project is connected to, without what is secret about it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import func, select

from .bulk import table_of
from .sessions import ReadSession
from .tables import Connection, ConnectionHealth, Journey, Message, Run, ShardState, Version

_table, _health, _messages = table_of(Connection), table_of(ConnectionHealth), table_of(Message)
_journeys, _versions, _runs = table_of(Journey), table_of(Version), table_of(Run)
_states = table_of(ShardState)
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
    journeys = await _naming(session, project_id, name)
    # The empty provider's name lets the index find what has not been taken over.
    statement = select(func.count()).where(
        _messages.c.shard.in_(list(range(shards))),
        _messages.c.connection_id == connection_id,
        _messages.c.provider_id == "",
        _messages.c.status.in_(("queued", "attempted")),
    )
    return Use(journeys, int((await session.rows(statement))[0][0]))


async def _naming(session: ReadSession, project_id: int, name: str) -> list[tuple[int, str]]:
    """Journeys that let people in by a version with this connection, or have people inside of one."""
    statement = (
        select(_journeys.c.id, _journeys.c.title, _journeys.c.version, _versions.c.number, _versions.c.graph)
        .join(_versions, _versions.c.journey_id == _journeys.c.id)
        .where(_journeys.c.project_id == project_id, _journeys.c.status.in_(("running", "paused")))
        .order_by(_journeys.c.id)
    )
    found: dict[int, str] = {}
    for row in await session.rows(statement):
        if row.id in found or not names(orjson.loads(row.graph), name):
            continue
        if row.number == row.version or await _is_inside(session, row.id, row.number):
            found[row.id] = row.title
    return list(found.items())


def names(graph: Mapping[str, Any], connection: str) -> bool:
    """Whether a step of this graph says that it sends through this connection."""
    return any(step.get("connection") == connection for step in graph["steps"])


async def _is_inside(session: ReadSession, journey_id: int, version: int) -> bool:
    statement = select(_runs.c.id).where(
        _runs.c.shard.in_(select(_states.c.shard)),
        _runs.c.journey_id == journey_id,
        _runs.c.wake_at.is_not(None),
        _runs.c.version == version,
    )
    return bool(await session.rows(statement.limit(1)))
