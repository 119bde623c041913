"""Opens the database and hands out sessions.

SQLite is treated as what it is: one connection writes and does every checkpoint, many read.
That is also what keeps versions before 3.51.3 clear of the documented race between two
connections of which one checkpoints.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import event, make_url
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from server.errors import CannotOpen

from . import hanging
from .at_once import connector
from .one_trip import DRIVER
from .sessions import ReadSession, WriteSession

_SQLITE_PRAGMAS = (
    "busy_timeout=30000",
    "foreign_keys=ON",
    "trusted_schema=OFF",
    "cell_size_check=ON",
)
_SQLITE_WRITER = (
    "page_size=8192",
    "journal_mode=WAL",
    # NORMAL loses acknowledged commits in a power cut; commits are grouped, so FULL costs next to nothing.
    "synchronous=FULL",
    "wal_autocheckpoint=4000",
    "journal_size_limit=67108864",
    "cache_size=-65536",
)
_SQLITE_READER = ("query_only=ON", "wal_autocheckpoint=0", "cache_size=-8192")


class Database:
    """The open database: `read()` gives a snapshot, `write()` a transaction."""

    def __init__(
        self,
        url: str,
        *,
        readers: int = 4,
        beside: bool = False,
        throwaway: bool = False,
        silence_ms: int | None = None,
    ) -> None:
        """`beside` is for a process beside the server's: it takes a database that is there, and on SQLite
        leaves the checkpoints to the server. `throwaway` is for an SQLite file that is good until the process
        ends and belongs to one task: nothing waits for the disk or for another thread. `silence_ms` is how
        long PostgreSQL waits for the next word of an open transaction before it ends it (`hanging.py`).
        Raises CannotOpen.
        """
        self.url = parse_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self._writing: asyncio.Lock | None = asyncio.Lock() if self.is_sqlite else None
        if self.is_sqlite:
            if beside and not Path(self.url.database or "").exists():
                raise CannotOpen(f"There is no database at {self.url.database}: `sojourn migrate` makes one.")
            pragmas = (*_SQLITE_WRITER, "wal_autocheckpoint=0") if beside else _SQLITE_WRITER
            pragmas = (*pragmas, "synchronous=OFF") if throwaway else pragmas
            more = {"async_creator": connector(Path(self.url.database or ""))} if throwaway else {}
            self._writer = _sqlite_engine(self.url, pragmas, "BEGIN IMMEDIATE", size=1, **more)
            self._reader = _sqlite_engine(self.url, _SQLITE_READER, "BEGIN", size=readers, **more)
        else:
            self._writer = _postgres_engine(self.url, silence_ms)
            self._reader = self._writer.execution_options(
                isolation_level="REPEATABLE READ", postgresql_readonly=True
            )

    @asynccontextmanager
    async def read(self) -> AsyncIterator[ReadSession]:
        async with ReadSession(self._reader, expire_on_commit=False) as session:
            yield session

    @asynccontextmanager
    async def write(self) -> AsyncIterator[WriteSession]:
        """A transaction: committed at the end of the block, rolled back if the block raises."""
        if self._writing is None:
            async with self._begin() as session:
                yield session
            return
        # On SQLite we queue here, in order, rather than in SQLite's own waiting, which knows no order.
        async with self._writing, self._begin() as session:
            yield session

    @asynccontextmanager
    async def _begin(self) -> AsyncIterator[WriteSession]:
        async with WriteSession(self._writer, expire_on_commit=False) as session, session.begin():
            yield session

    @property
    def engine(self) -> AsyncEngine:
        """The engine that writes: for migrations."""
        return self._writer

    async def close(self) -> None:
        await self._reader.dispose()
        await self._writer.dispose()


def parse_url(url: str) -> URL:
    """`sqlite:///path` or `postgresql://user:password@host/name`, with the driver that we use."""
    try:
        parsed = make_url(url)
    except Exception as error:
        raise CannotOpen(
            "The database's URL cannot be read; wanted sqlite:///path or postgresql://user:password@host/name."
        ) from error
    backend = parsed.get_backend_name()
    if backend == "sqlite":
        if not parsed.database or parsed.database == ":memory:":
            raise CannotOpen("SQLite needs a file: sqlite:///path/to/sojourn.db. Nothing in memory survives.")
        return parsed.set(drivername="sqlite+aiosqlite")
    if backend in ("postgresql", "postgres"):
        return parsed.set(drivername="postgresql+asyncpg")
    raise CannotOpen(f"Databases are sqlite:/// or postgresql://, found {parsed.drivername}://.")


def _postgres_engine(url: URL, silence_ms: int | None) -> AsyncEngine:
    about = {"server_settings": hanging.settings(silence_ms)}
    engine = create_async_engine(url, pool_pre_ping=True, pool_size=8, max_overflow=8, connect_args=about)
    if silence_ms is not None:
        hanging.limit_transactions(engine.sync_engine, silence_ms)
    return engine


def _sqlite_engine(url: URL, pragmas: tuple[str, ...], begin: str, *, size: int, **more: Any) -> AsyncEngine:
    engine = create_async_engine(url, module=DRIVER, pool_size=size, max_overflow=0, pool_timeout=30, **more)

    @event.listens_for(engine.sync_engine, "connect")
    def prepare(connection: Any, record: Any) -> None:
        # Python's own transaction handling would begin late and without IMMEDIATE; we begin ourselves.
        connection.isolation_level = None
        # SQLite's own knows the capitals of ASCII only.
        connection.create_function("lower", 1, str.lower, deterministic=True)
        cursor = connection.cursor()
        for pragma in (*_SQLITE_PRAGMAS, *pragmas):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def begin_transaction(connection: Any) -> None:
        connection.exec_driver_sql(begin)

    return engine
