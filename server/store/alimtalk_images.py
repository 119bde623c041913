"""Pictures of templates: kept once, and where each relay keeps them."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import func, select

from server.clock import Instant

from .among import among_these
from .bulk import replacing, table_of
from .sessions import ReadSession, WriteSession
from .tables import AlimtalkImage, AlimtalkImageAt

_table, _places = table_of(AlimtalkImage), table_of(AlimtalkImageAt)
_PLACE = replacing(AlimtalkImageAt, "name", "url", "uploaded_at")
_ABOUT = [column for column in _table.columns if column.name != "content"]


async def by_digests(
    session: ReadSession, project_id: int, kind: str, digests: Collection[str], *, content: bool = False
) -> dict[str, Any]:
    """With the picture itself only where that is asked for."""
    statement = select(*(_table.columns if content else _ABOUT))
    statement = statement.where(_table.c.project_id == project_id, _table.c.kind == kind)
    rows = await session.rows(statement.where(among_these(_table.c.digest, list(digests))))
    return {row.digest: row for row in rows}


async def count(session: ReadSession, project_id: int) -> int:
    rows = await session.rows(select(func.count()).where(_table.c.project_id == project_id))
    return int(rows[0][0])


async def add(session: WriteSession, image: AlimtalkImage) -> None:
    session.add(image)
    await session.flush()


async def places(session: ReadSession, connection_id: int, ids: Collection[int]) -> dict[int, Any]:
    """Where the relay of a connection keeps these, by image."""
    statement = select(_places).where(_places.c.connection_id == connection_id)
    rows = await session.rows(statement.where(among_these(_places.c.image_id, list(ids))))
    return {row.image_id: row for row in rows}


async def place(
    session: WriteSession, image: tuple[int, int], connection_id: int, name: str, url: str, at: Instant
) -> None:
    """`image` is its project and its number."""
    project_id, image_id = image
    await session.bulk(_PLACE, [(image_id, connection_id, project_id, name, url, at)])


async def by_digest(session: ReadSession, digest: str) -> Any | None:
    """A picture of whichever project, by what only who has it can know."""
    rows = await session.rows(select(_table).where(_table.c.digest == digest).limit(1))
    return rows[0] if rows else None
