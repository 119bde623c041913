"""Published versions of a project's journeys."""

from collections import defaultdict
from collections.abc import Sequence

from sqlalchemy import Select, select

from .bulk import table_of
from .paging import Page, Slice, sliced, within
from .sessions import ReadSession
from .tables import Journey, Version

_table, _journeys = table_of(Version), table_of(Journey)


def _of_project(project_id: int) -> Select[tuple[object, ...]]:
    """A version has no project of its own: its journey does."""
    joined = select(_table).join(_journeys, _journeys.c.id == _table.c.journey_id)
    return joined.where(_journeys.c.project_id == project_id)


async def by_journeys(
    session: ReadSession, project_id: int, journey_ids: Sequence[int]
) -> dict[int, list[Version]]:
    """All versions of these journeys, the newest first."""
    statement = _of_project(project_id).where(_table.c.journey_id.in_(list(journey_ids)))
    found: defaultdict[int, list[Version]] = defaultdict(list)
    for row in await session.rows(statement.order_by(_table.c.number.desc())):
        found[row.journey_id].append(row)
    return found


async def by_keys(
    session: ReadSession, project_id: int, keys: Sequence[tuple[int, int]]
) -> dict[tuple[int, int], Version]:
    """Versions by journey and number."""
    statement = _of_project(project_id).where(
        _table.c.journey_id.in_({journey for journey, _ in keys}),
        _table.c.number.in_({number for _, number in keys}),
    )
    return {(row.journey_id, row.number): row for row in await session.rows(statement)}


async def page(session: ReadSession, project_id: int, journey_id: int, page: Page) -> Slice:
    """One page of a journey's versions, the newest first."""
    statement = _of_project(project_id).where(_table.c.journey_id == journey_id)
    rows = await session.rows(within(statement, [_table.c.number], page, descending=True))
    return sliced(rows, page)
