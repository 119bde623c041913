"""What a project is connected to, without what is secret about it."""

from sqlalchemy import select

from .bulk import table_of
from .sessions import ReadSession
from .tables import Connection

_table = table_of(Connection)
_PLAIN = [column for column in _table.columns if column.name != "sealed"]


async def of_project(session: ReadSession, project_id: int) -> list[Connection]:
    """The project's connections by name, past their sealed part."""
    statement = select(*_PLAIN).where(_table.c.project_id == project_id).order_by(_table.c.name)
    return list(await session.rows(statement))
