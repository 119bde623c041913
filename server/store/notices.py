"""Notices for operators: written once for each cause, listed, and put away when seen."""

from collections.abc import Sequence
from dataclasses import dataclass

import structlog
from sqlalchemy import func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from server.clock import Instant

from . import paging
from .bulk import table_of
from .paging import Page, Slice
from .sessions import ReadSession, WriteSession
from .tables import Notice

_table = table_of(Notice)
_KEYS = (_table.c.at, _table.c.id)
log = structlog.get_logger("notices")


@dataclass(frozen=True, slots=True)
class Told:
    """What an operator should know. `cause` names what has happened: of one cause a project hears once.

    Something that may happen again has a part in its cause that is then another, such as the instant.
    """

    project_id: int
    kind: str
    cause: str
    text: str
    at: Instant
    journey_id: int | None = None
    connection_id: int | None = None
    pool_id: int | None = None


async def tell(session: WriteSession, told: Sequence[Told]) -> int:
    """Writes those of a cause that was not told before, and logs them. Returns how many are new."""
    if not told:
        return 0
    dialect = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
    insert = dialect.insert(_table).values([_values(one) for one in told])
    once = insert.on_conflict_do_nothing(index_elements=["project_id", "cause"])
    rows = await session.rows(once.returning(_table.c.project_id, _table.c.cause))
    fresh = {tuple(row) for row in rows}
    for one in told:
        if (one.project_id, one.cause) in fresh:
            log.warning("notice", kind=one.kind, project=one.project_id, text=one.text)
    return len(fresh)


def _values(one: Told) -> dict[str, object]:
    return {
        "project_id": one.project_id,
        "kind": one.kind,
        "cause": one.cause,
        "text": one.text,
        "at": one.at,
        "journey_id": one.journey_id,
        "connection_id": one.connection_id,
        "pool_id": one.pool_id,
        "seen_at": None,
    }


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which notices. What is None does not matter."""

    kinds: tuple[str, ...] = ()
    is_seen: bool | None = None
    journey_id: int | None = None


async def page(session: ReadSession, project_id: int, wanted: Wanted, page: Page) -> Slice:
    """The latest first."""
    statement = select(_table).where(_table.c.project_id == project_id)
    if wanted.kinds:
        statement = statement.where(_table.c.kind.in_(wanted.kinds))
    if wanted.journey_id is not None:
        statement = statement.where(_table.c.journey_id == wanted.journey_id)
    if wanted.is_seen is not None:
        seen = _table.c.seen_at.is_not(None)
        statement = statement.where(seen if wanted.is_seen else ~seen)
    return paging.sliced(await session.rows(paging.within(statement, _KEYS, page, descending=True)), page)


async def by_id(session: ReadSession, project_id: int, notice_id: int) -> Notice | None:
    rows = await session.rows(
        select(_table).where(_table.c.id == notice_id, _table.c.project_id == project_id)
    )
    return rows[0] if rows else None


async def dismiss(session: WriteSession, project_id: int, notice_id: int, now: Instant) -> None:
    """Notes that it was seen; the first time counts."""
    mine = (_table.c.id == notice_id, _table.c.project_id == project_id, _table.c.seen_at.is_(None))
    await session.run(update(_table).where(*mine).values(seen_at=now))


async def unseen(session: ReadSession) -> dict[str, int]:
    """How many nobody has seen yet, by kind, over all projects."""
    statement = select(_table.c.kind, func.count()).where(_table.c.seen_at.is_(None)).group_by(_table.c.kind)
    return {row[0]: row[1] for row in await session.rows(statement)}
