"""The properties of events by which a project wants to tell people apart."""

from collections.abc import Iterable
from typing import NamedTuple

from sqlalchemy import delete, select

from server.clock import Instant

from .bulk import inserting, table_of
from .sessions import ReadSession, WriteSession
from .setup import touch_catalog
from .tables import DeclaredProperty

MOST = 50
"""Properties of a project: each has up to a thousand sets for every day."""

_properties = table_of(DeclaredProperty)
_ADD = inserting(DeclaredProperty)


class Declared(NamedTuple):
    event: str
    property: str
    declared_at: Instant


async def of_project(session: ReadSession, project_id: int) -> list[Declared]:
    statement = select(_properties).where(_properties.c.project_id == project_id)
    rows = await session.rows(statement.order_by(_properties.c.event, _properties.c.property))
    return [Declared(row.event, row.property, row.declared_at) for row in rows]


async def declare(
    session: WriteSession, project_id: int, wanted: Iterable[tuple[str, str]], at: Instant
) -> None:
    """These and no others from now on. What was counted of the others stays."""
    known = {(one.event, one.property): one.declared_at for one in await of_project(session, project_id)}
    await session.run(delete(_properties).where(_properties.c.project_id == project_id))
    rows = [(project_id, *one, known.get(one, at)) for one in sorted(set(wanted))]
    await session.bulk(_ADD, rows)
    await touch_catalog(session)
