"""Decisions about splits by chance: given once, kept for good, read by the loop and by the figures."""

from collections import defaultdict
from collections.abc import Sequence

from sqlalchemy import ColumnElement, select, true
from sqlalchemy.dialects import postgresql, sqlite

from .bulk import table_of
from .sessions import ReadSession, WriteSession
from .setup import touch_catalog
from .tables import Verdict

TEST, PEOPLE = "test", "people"
_table = table_of(Verdict)
VerdictKey = tuple[int, str]
"""A journey and a step of it."""


async def of_everybody(session: ReadSession) -> dict[VerdictKey, list[Verdict]]:
    """All there are, for the loop."""
    return await _by_step(session, true())


async def by_journeys(
    session: ReadSession, project_id: int, ids: Sequence[int]
) -> dict[VerdictKey, list[Verdict]]:
    return await _by_step(session, (_table.c.project_id == project_id) & _table.c.journey_id.in_(list(ids)))


async def _by_step(session: ReadSession, about: ColumnElement[bool]) -> dict[VerdictKey, list[Verdict]]:
    """By journey and step, the earliest first."""
    found: defaultdict[VerdictKey, list[Verdict]] = defaultdict(list)
    for row in await session.rows(select(_table).where(about).order_by(_table.c.round)):
        found[row.journey_id, row.step_key].append(row)
    return dict(found)


async def give(session: WriteSession, verdict: Verdict) -> bool:
    """Keeps it, and has every worker know. Returns False if this round was decided by others meanwhile."""
    dialect = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
    insert = dialect.insert(_table).values(**verdict.model_dump()).on_conflict_do_nothing()
    given = await session.run(insert) == 1
    if given:
        await touch_catalog(session)
    return given
