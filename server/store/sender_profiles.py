"""Sender profiles, as relays told of them last, and when they are asked again."""

from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import select, update

from server.clock import Instant

from .among import among_these
from .bulk import table_of
from .sessions import ReadSession, WriteSession
from .tables import SenderProfile

_table = table_of(SenderProfile)


async def by_connections(session: ReadSession, ids: Collection[int]) -> dict[int, Any]:
    rows = await session.rows(select(_table).where(among_these(_table.c.connection_id, list(ids))))
    return {row.connection_id: row for row in rows}


async def of_project(session: ReadSession, project_id: int) -> list[Any]:
    """By connection."""
    statement = select(_table).where(_table.c.project_id == project_id)
    return list(await session.rows(statement.order_by(_table.c.connection_id)))


async def daily_cap(session: ReadSession, project_id: int, connection_id: int | None) -> int | None:
    """How many messages a day the profile may send yet, as its relay told; none if it told nothing."""
    statement = select(_table.c.daily_cap).where(
        _table.c.project_id == project_id, _table.c.connection_id == connection_id
    )
    rows = await session.rows(statement)
    return rows[0].daily_cap if rows else None


async def by_ids(session: ReadSession, project_id: int, ids: Collection[int]) -> dict[int, Any]:
    statement = select(_table).where(_table.c.project_id == project_id)
    rows = await session.rows(statement.where(among_these(_table.c.id, list(ids))))
    return {row.id: row for row in rows}


async def put(
    session: WriteSession, project_id: int, connection_id: int, told: Mapping[str, Any], now: Instant
) -> None:
    """Keeps what was told of a connection's profile; what is not told stays."""
    found = (await session.rows(select(_table.c.id).where(_table.c.connection_id == connection_id))) or None
    if found is None:
        given: dict[str, Any] = {"search_id": "", "state": "unknown", "created_at": now, "changed_at": now}
        session.add(SenderProfile(project_id=project_id, connection_id=connection_id, **{**given, **told}))
        await session.flush()
        return
    statement = update(_table).where(_table.c.connection_id == connection_id)
    await session.run(statement.values(**told, changed_at=now))
