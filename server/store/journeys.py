"""Journeys of a project: found, listed, changed."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.exc import IntegrityError
from sqlmodel import col
from sqlmodel import select as select_record

from server.clock import Instant
from server.errors import BadInput, Conflict
from server.journey.status import JourneyStatus

from .bulk import table_of
from .paging import Page, Slice, sliced, within
from .sessions import ReadSession, WriteSession
from .tables import Journey

_table = table_of(Journey)

ORDERS = {
    "created_at": (_table.c.created_at, _table.c.id),
    "changed_at": (_table.c.changed_at, _table.c.id),
    "title": (_table.c.title, _table.c.id),
}
"""By what a list of journeys can be ordered. The id makes every place in the list unique."""


LONGEST_TEXT = 200
"""As many characters as a title has at most: nothing holds more."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which journeys: those to which all of this applies."""

    ids: tuple[int, ...] | None = None
    statuses: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    """An empty one is that of the journeys without a category."""
    text: str | None = None
    """A part of the title or the category, whatever its case."""
    kind: str | None = None
    """`campaign`, or empty for what somebody has drawn; none for both."""


async def by_ids(session: ReadSession, project_id: int, ids: Sequence[int]) -> dict[int, Journey]:
    rows = await session.rows(
        select(_table).where(_table.c.project_id == project_id, _table.c.id.in_(list(ids)))
    )
    return {row.id: row for row in rows}


async def published(session: ReadSession, project_id: int) -> set[int]:
    """The journeys of a project that have a version which people can enter."""
    statement = select(_table.c.id).where(_table.c.project_id == project_id, _table.c.version.is_not(None))
    return {row.id for row in await session.rows(statement)}


async def page(
    session: ReadSession, project_id: int, wanted: Wanted, order: str, page: Page, *, descending: bool
) -> Slice:
    """One page of a project's journeys, in one of the `ORDERS`."""
    statement = select(_table).where(_table.c.project_id == project_id, *_those(wanted))
    rows = await session.rows(within(statement, ORDERS[order], page, descending=descending))
    return sliced(rows, page)


def _those(wanted: Wanted) -> Iterable[ColumnElement[bool]]:
    if wanted.ids is not None:
        yield _table.c.id.in_(wanted.ids)
    if wanted.kind is not None:
        yield _table.c.kind == wanted.kind
    if wanted.statuses:
        yield _table.c.status.in_(wanted.statuses)
    if wanted.categories:
        yield _table.c.category.in_(wanted.categories)
    if wanted.text:
        if len(wanted.text) > LONGEST_TEXT:
            # SQLite fails over a pattern that is much longer.
            raise BadInput(f"A text to look for has at most {LONGEST_TEXT} characters.")
        part = wanted.text.lower()
        places = (func.lower(_table.c.title), func.lower(_table.c.category))
        yield or_(*(place.contains(part, autoescape=True) for place in places))


async def by_handle(session: ReadSession, project_id: int, handle: str) -> Journey | None:
    wanted = select_record(Journey).where(
        col(Journey.project_id) == project_id, col(Journey.handle) == handle
    )
    return (await session.exec(wanted)).first()


async def by_handles(session: ReadSession, project_id: int, handles: Iterable[str]) -> dict[str, int]:
    """The ids of the journeys that have these handles."""
    wanted = select(_table.c.handle, _table.c.id).where(
        _table.c.project_id == project_id, _table.c.handle.in_(list(handles))
    )
    return {row.handle: row.id for row in await session.rows(wanted)}


async def give_handle(session: WriteSession, journey: Journey, handle: str | None) -> None:
    """Raises Conflict if another journey of the project has it; the transaction is lost then."""
    journey.handle = handle
    try:
        await session.flush()
    except IntegrityError as error:
        raise Conflict(f"Another journey of this project has the handle {handle!r}.") from error


async def create(
    session: WriteSession, project_id: int, title: str, category: str, draft: str | None, now: Instant
) -> Journey:
    journey = Journey(
        project_id=project_id,
        title=title,
        category=category,
        status=JourneyStatus.DRAFT.value,
        draft=draft,
        draft_revision=1 if draft else 0,
        created_at=now,
        changed_at=now,
    )
    session.add(journey)
    await session.flush()
    return journey


async def locked(session: WriteSession, project_id: int, journey_id: int) -> Journey | None:
    """The journey, held until this transaction is over, so that two operators do not cross."""
    wanted = select_record(Journey).where(
        col(Journey.project_id) == project_id, col(Journey.id) == journey_id
    )
    return (await session.exec(wanted.with_for_update())).first()
