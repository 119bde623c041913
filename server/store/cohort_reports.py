"""Saved cohort reports of a project: found, listed, changed."""

from collections.abc import Sequence

from sqlalchemy import delete, select
from sqlmodel import col
from sqlmodel import select as select_record

from .bulk import table_of
from .paging import Page, Slice, sliced, within
from .sessions import ReadSession, WriteSession
from .tables import CohortReport

_table = table_of(CohortReport)


async def by_ids(session: ReadSession, project_id: int, ids: Sequence[int]) -> dict[int, CohortReport]:
    rows = await session.rows(
        select(_table).where(_table.c.project_id == project_id, _table.c.id.in_(list(ids)))
    )
    return {row.id: row for row in rows}


async def of_project(session: ReadSession, project_id: int) -> list[CohortReport]:
    """All of a project's: to see what uses a segment."""
    of_it = select(_table).where(_table.c.project_id == project_id)
    return list(await session.rows(of_it.order_by(_table.c.name, _table.c.id)))


async def page(session: ReadSession, project_id: int, page: Page) -> Slice:
    """One page of a project's reports, by name."""
    statement = select(_table).where(_table.c.project_id == project_id)
    return sliced(await session.rows(within(statement, (_table.c.name, _table.c.id), page)), page)


async def count(session: ReadSession, project_id: int) -> int:
    return len(await session.rows(select(_table.c.id).where(_table.c.project_id == project_id)))


async def has_name(session: ReadSession, project_id: int, name: str, *, but: int | None = None) -> bool:
    """Whether another report of the project has the name."""
    statement = select(_table.c.id).where(_table.c.project_id == project_id, _table.c.name == name)
    return any(row.id != but for row in await session.rows(statement))


async def locked(session: WriteSession, project_id: int, report_id: int) -> CohortReport | None:
    """The report, held until this transaction is over."""
    wanted = select_record(CohortReport).where(
        col(CohortReport.project_id) == project_id, col(CohortReport.id) == report_id
    )
    return (await session.exec(wanted.with_for_update())).first()


async def create(session: WriteSession, report: CohortReport) -> int:
    session.add(report)
    await session.flush()
    assert report.id is not None
    return report.id


async def remove(session: WriteSession, project_id: int, report_id: int) -> None:
    await session.run(delete(_table).where(_table.c.project_id == project_id, _table.c.id == report_id))
