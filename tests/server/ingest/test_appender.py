"""The appender, when the database is away for a moment."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from sqlalchemy.exc import OperationalError

from server.ingest.appender import Appender
from server.store.database import Database
from server.store.sessions import ReadSession
from tests.waiting import until
from tests.world import World

pytestmark = pytest.mark.anyio


class AwayOnce(Database):
    """Its first reader finds nobody there."""

    was_away = False

    @asynccontextmanager
    async def read(self) -> AsyncIterator[ReadSession]:
        if not self.was_away:
            self.was_away = True
            raise OperationalError("SELECT", {}, OSError("the connection was reset"))
        async with super().read() as session:
            yield session


async def test_the_backlog_is_looked_at_again_after_the_database_was_away(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.ingest.appender.LOOK_SECONDS", 0.3)
    db = AwayOnce(world.db.url.render_as_string(hide_password=False))
    appender = Appender(db, max_queue=10, max_backlog=10, backlog=1000)
    stopping = asyncio.Event()
    running = asyncio.create_task(appender.run(stopping))
    try:
        await until(lambda: not appender.backlog)
    finally:
        stopping.set()
        await running
        await db.close()
    assert db.was_away
