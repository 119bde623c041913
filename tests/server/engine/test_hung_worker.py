"""A worker that hangs in the middle of a turn, with its shards locked: the others take them over."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from server.clock import WallClock
from server.config import ENGINE, Settings
from server.engine import leases
from server.engine.batch import Batch
from server.ingest.messages import ArrivedEvent
from server.runtime import Runtime, open_runtime
from server.store.database import Database
from server.store.sessions import WriteSession
from tests.server.engine.balance import balances
from tests.waiting import until
from tests.world import World, line, open_world, step

pytestmark = [pytest.mark.anyio, pytest.mark.postgres]

PEOPLE = 30
GRAPH = line(
    step("in", "entry_event", event="sign_up"), step("moment", "delay", duration_ms=1000), step("out", "exit")
)


class Hang:
    """Holds up the turns of one database's sessions after they have written, before they commit."""

    def __init__(self, db: Database) -> None:
        self.db = db
        self.has_begun, self.is_over = asyncio.Event(), asyncio.Event()
        self._write = Batch.write

    async def write(self, batch: Batch, session: WriteSession) -> None:
        await self._write(batch, session)
        if session.bind is self.db.engine and not self.is_over.is_set():
            self.has_begun.set()
            await self.is_over.wait()


@pytest.fixture
async def world(new_postgres_database: Callable[[], str]) -> AsyncIterator[World]:
    async with open_world(new_postgres_database()) as opened:
        yield opened


@asynccontextmanager
async def worker(world: World) -> AsyncIterator[Runtime]:
    settings = Settings(
        database_url=world.db.url.render_as_string(hide_password=False), discover_plugins=False
    )
    async with open_runtime(settings, parts=(ENGINE,)) as runtime:
        yield runtime


def signs_up(world: World, user: str) -> ArrivedEvent:
    return world.event("sign_up", WallClock().now(), user=user)


async def has_ended(world: World, people: int) -> bool:
    return await world.total("ended") == people


async def test_others_take_its_shards_over_and_it_writes_nothing_stale(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leases, "LASTS_MS", 2000)
    await world.add_journey(GRAPH)
    async with worker(world) as hung:
        hang = Hang(hung.db)
        monkeypatch.setattr(Batch, "write", lambda batch, session: hang.write(batch, session))
        await until(lambda: len(hung.engine.mine) == world.shards)
        await world.send(*(signs_up(world, f"user-{n}") for n in range(PEOPLE)))
        try:
            await until(hang.has_begun.is_set)
            async with worker(world):
                await until(lambda: has_ended(world, PEOPLE))
        finally:
            hang.is_over.set()
        # It goes on in the middle of a turn of which nothing is left, starts again, and has its shards back.
        await world.send(signs_up(world, "one-more"))
        await until(lambda: has_ended(world, PEOPLE + 1))
    assert await world.total("entries") == PEOPLE + 1
    await balances(world)
