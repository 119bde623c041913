"""How long a project keeps facts, and since when it has all of them."""

from typing import Any, NamedTuple

from sqlalchemy import Row, select, update

from server.clock import Instant

from .bulk import table_of
from .sessions import ReadSession, WriteSession
from .tables import FormerRun, Project
from .users import UserKey, among

_projects, _former = table_of(Project), table_of(FormerRun)


class Kept(NamedTuple):
    """What a project keeps."""

    days: int | None
    """How long after a run is over; none: for good."""
    since: Instant | None
    """Facts from before then may be gone; none: nothing is."""


async def of_project(session: ReadSession, project_id: int) -> Kept:
    statement = select(_projects.c.retention_days, _projects.c.kept_since)
    return Kept(*(await session.rows(statement.where(_projects.c.id == project_id)))[0])


async def change(session: WriteSession, project_id: int, days: int | None) -> None:
    mine = _projects.c.id == project_id
    await session.run(update(_projects).where(mine).values(retention_days=days))


async def missing_since(
    session: ReadSession, project_id: int, since: Instant | None, journey_id: int | None = None
) -> Instant | None:
    """If facts from `since` on, or from the very beginning, may be gone: since when all are kept.

    None if everything is there: nothing was deleted that is as young, or nothing of this journey.
    """
    kept = (await of_project(session, project_id)).since
    if kept is None or (since is not None and since >= kept):
        return None
    return kept if await _has_lost_any(session, project_id, journey_id) else None


async def _has_lost_any(session: ReadSession, project_id: int, journey_id: int | None) -> bool:
    statement = select(_former.c.id).where(_former.c.project_id == project_id)
    if journey_id is not None:
        statement = statement.where(_former.c.journey_id == journey_id)
    return bool(await session.rows(statement.limit(1)))


async def former_runs(session: ReadSession, project_id: int, journey_id: int, keys: list[UserKey]) -> int:
    """How many runs these users had in a journey of which only figures are kept."""
    statement = select(_former.c.id).where(
        _former.c.project_id == project_id, _former.c.journey_id == journey_id, among(_former, keys)
    )
    return len(await session.rows(statement))


async def latest_former_runs(
    session: ReadSession, project_id: int, journey_id: int, keys: list[UserKey], most: int
) -> list[Row[Any]]:
    """When these users came into a journey and left it, of runs of which only figures are kept, in order."""
    statement = select(_former.c.entered_at, _former.c.ended_at).where(
        _former.c.project_id == project_id, _former.c.journey_id == journey_id, among(_former, keys)
    )
    rows = await session.rows(statement.order_by(_former.c.entered_at.desc()).limit(most))
    return list(reversed(rows))
