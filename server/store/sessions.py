"""Two kinds of session, so that a function says in its signature whether it only reads."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import CursorResult, Executable
from sqlmodel.ext.asyncio.session import AsyncSession

from .bulk import Bulk

CHUNK = 5000
"""Values in one list: a statement stays some hundred kilobytes."""


class ReadSession(AsyncSession):
    """One snapshot of the database; whatever it writes is refused or rolled back."""

    async def rows(self, statement: Executable, values: dict[str, Any] | None = None) -> Sequence[Any]:
        """The rows of a statement, as plain tuples with names."""
        connection = await self.connection()
        return (await connection.execute(statement, values or {})).all()

    async def rows_in(
        self, statement: Executable, name: str, wanted: Iterable[Any], values: dict[str, Any] | None = None
    ) -> list[Any]:
        """Like `rows` for a statement with an `among` list, a chunk of the wanted values at a time."""
        found: list[Any] = []
        listed = list(wanted)
        for start in range(0, len(listed), CHUNK):
            found += await self.rows(statement, {**(values or {}), name: listed[start : start + CHUNK]})
        return found


class WriteSession(ReadSession):
    """One transaction, committed by whoever opened it."""

    async def run(self, statement: Executable, values: dict[str, Any] | None = None) -> int:
        """A statement that changes rows. Returns how many."""
        connection = await self.connection()
        result: CursorResult[Any] = await connection.execute(statement, values or {})
        return result.rowcount

    async def bulk(self, bulk: Bulk, rows: Sequence[tuple[Any, ...]]) -> None:
        """One statement for many rows of plain tuples, in the order of the bulk's columns."""
        if rows:
            connection = await self.connection()
            dialect = connection.dialect
            await connection.exec_driver_sql(bulk.sql(dialect), bulk.ordered(dialect, rows))
