"""SQLite's thread is asked once a statement.

aiosqlite has a thread for each connection, and SQLAlchemy asks it four times for one statement: for a cursor,
to execute, for the rows, and to close the cursor. Each way there and back costs a fifth of a millisecond or
so, which is more than most of our statements do. Here all four are one function that the thread runs.
Whoever streams rows still has a cursor that stays open.
"""

import sqlite3
from collections import deque
from typing import Any, NamedTuple

import aiosqlite
from sqlalchemy.dialects.sqlite.aiosqlite import (
    AsyncAdapt_aiosqlite_connection,
    AsyncAdapt_aiosqlite_cursor,
    AsyncAdapt_aiosqlite_dbapi,
)
from sqlalchemy.util.concurrency import await_


class Done(NamedTuple):
    """What is left of a cursor that has done its work."""

    description: Any = None
    rowcount: int = -1
    lastrowid: int | None = None
    rows: tuple[Any, ...] | list[Any] = ()
    arraysize: int = 1


def _execute(connection: sqlite3.Connection, operation: str, parameters: Any) -> Done:
    cursor = connection.execute(operation, () if parameters is None else parameters)
    rows = cursor.fetchall() if cursor.description else []
    return _done(cursor, rows)


def _execute_many(connection: sqlite3.Connection, operation: str, parameters: Any) -> Done:
    return _done(connection.executemany(operation, parameters), [])


def _done(cursor: sqlite3.Cursor, rows: list[Any]) -> Done:
    done = Done(cursor.description, cursor.rowcount, cursor.lastrowid, rows)
    cursor.close()
    return done


class Cursor(AsyncAdapt_aiosqlite_cursor):
    """Opens, executes, fetches and closes in one trip."""

    __slots__ = ()

    def __init__(self, adapt_connection: AsyncAdapt_aiosqlite_connection) -> None:
        self._adapt_connection = adapt_connection
        self._connection = adapt_connection._connection
        self._cursor: Any = Done()
        self._soft_closed_memoized: Any = {}
        self._rows: deque[Any] = deque()

    async def _execute_async(self, operation: Any, parameters: Any) -> Any:
        await self._ask(_execute, operation, parameters)

    async def _executemany_async(self, operation: Any, seq_of_parameters: Any) -> Any:
        await self._ask(_execute_many, operation, seq_of_parameters)

    async def _ask(self, function: Any, operation: str, parameters: Any) -> None:
        connection: Any = self._connection
        async with self._adapt_connection._execute_mutex:
            self._cursor = await connection._execute(function, connection._conn, operation, parameters)
        self._rows = deque(self._cursor.rows)

    async def _async_soft_close(self) -> None:
        """It is closed already; its rows stay."""

    def close(self) -> None:
        self._rows.clear()


class Connection(AsyncAdapt_aiosqlite_connection):
    __slots__ = ()

    _cursor_cls: Any = Cursor


class Driver(AsyncAdapt_aiosqlite_dbapi):
    """What SQLAlchemy takes for the driver."""

    def connect(self, *arguments: Any, **named: Any) -> Connection:
        create = named.pop("async_creator_fn", None)
        connection: Any = (create or aiosqlite.connect)(*arguments, **named)
        if create is None:
            connection._thread.daemon = True  # It must not keep a process that wants to end.
        return Connection(self, await_(connection))


DRIVER = Driver(aiosqlite, sqlite3)
