"""Segments of a project: found, listed, changed."""

from collections.abc import Sequence

from sqlalchemy import delete, select
from sqlmodel import col
from sqlmodel import select as select_record

from server.clock import Instant

from .bulk import table_of
from .paging import Page, Slice, sliced, within
from .sessions import ReadSession, WriteSession
from .tables import Segment

_table = table_of(Segment)


async def by_ids(session: ReadSession, project_id: int, ids: Sequence[int]) -> dict[int, Segment]:
    rows = await session.rows(
        select(_table).where(_table.c.project_id == project_id, _table.c.id.in_(list(ids)))
    )
    return {row.id: row for row in rows}


async def of_project(session: ReadSession, project_id: int) -> list[Segment]:
    """All of a project's: to see what uses a list."""
    return list(await session.rows(select(_table).where(_table.c.project_id == project_id)))


async def page(session: ReadSession, project_id: int, page: Page) -> Slice:
    """One page of a project's segments, by name."""
    statement = select(_table).where(_table.c.project_id == project_id)
    return sliced(await session.rows(within(statement, (_table.c.name, _table.c.id), page)), page)


async def names(session: ReadSession, project_id: int) -> set[str]:
    rows = await session.rows(select(_table.c.name).where(_table.c.project_id == project_id))
    return {row.name for row in rows}


async def has_name(session: ReadSession, project_id: int, name: str, *, but: int | None = None) -> bool:
    """Whether another segment of the project has the name."""
    statement = select(_table.c.id).where(_table.c.project_id == project_id, _table.c.name == name)
    return any(row.id != but for row in await session.rows(statement))


async def locked(session: WriteSession, project_id: int, segment_id: int) -> Segment | None:
    """The segment, held until this transaction is over."""
    wanted = select_record(Segment).where(
        col(Segment.project_id) == project_id, col(Segment.id) == segment_id
    )
    return (await session.exec(wanted.with_for_update())).first()


async def create(session: WriteSession, project_id: int, name: str, conditions: str, now: Instant) -> Segment:
    segment = Segment(project_id=project_id, name=name, conditions=conditions, created_at=now, changed_at=now)
    session.add(segment)
    await session.flush()
    return segment


async def remove(session: WriteSession, project_id: int, segment_id: int) -> None:
    await session.run(delete(_table).where(_table.c.project_id == project_id, _table.c.id == segment_id))
