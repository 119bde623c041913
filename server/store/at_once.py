"""SQLite without threads: whatever is asked is done before the asking returns.

For databases of one task and one thread, which have nobody to let in meanwhile: a statement then costs what
it costs, and not ten times that for being handed to another thread and back.
"""

import asyncio
import sqlite3
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import aiosqlite

_Asked = tuple[asyncio.Future[Any] | None, Callable[[], Any]]


class _AtOnce:
    """Stands where aiosqlite has the queue of its thread."""

    def put_nowait(self, asked: _Asked) -> None:
        future, function = asked
        try:
            result = function()
        except Exception as error:
            if future is None:
                raise
            future.set_exception(error)
        else:
            if future is not None:
                future.set_result(result)


class AtOnceConnection(aiosqlite.Connection):
    def __init__(self, path: Path) -> None:
        super().__init__(lambda: sqlite3.connect(path), 64)
        self._tx: Any = _AtOnce()

    def __await__(self) -> Generator[Any, None, aiosqlite.Connection]:
        return self._connect().__await__()


def connector(path: Path) -> Callable[[], Any]:
    """What SQLAlchemy calls for a connection."""

    async def connect() -> aiosqlite.Connection:
        return await AtOnceConnection(path)

    return connect
