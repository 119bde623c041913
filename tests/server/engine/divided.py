"""Worlds with as many shards as a test wants, each a copy of one empty database on SQLite."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from structlog.testing import capture_logs

from server.store import setup
from server.store.database import Database
from server.store.migrations import migrate
from tests.world import World, open_world

_empty: dict[int, bytes] = {}


@contextmanager
def without_complaint() -> Iterator[None]:
    """Fails if the engine had to log an error: a batch that fails is tried again in parts, and hides it."""
    with capture_logs() as told:
        yield
    assert [entry for entry in told if entry["log_level"] in ("error", "critical")] == []


@asynccontextmanager
async def divided_world(shards: int, **about: Any) -> AsyncIterator[World]:
    """A world of its own, gone at the end."""
    with TemporaryDirectory(prefix="sojourn-test-") as folder:
        path = Path(folder) / "sojourn.db"
        if shards not in _empty:
            _empty[shards] = await _make(Path(folder), shards)
        path.write_bytes(_empty[shards])
        async with open_world(f"sqlite:///{path}", **about) as world:
            yield world


async def _make(folder: Path, shards: int) -> bytes:
    path = folder / "template.db"
    db = Database(f"sqlite:///{path}")
    await migrate(db.engine)
    async with db.write() as session:
        await setup.prepare(session, shards)
    await db.close()
    return path.read_bytes()
