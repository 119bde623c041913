"""A database that an upgrade has left to be counted again."""

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest
from sqlalchemy import select, text, update

from server.aggregates import attribute_recount
from server.store import setup
from server.store.bulk import table_of
from server.store.database import Database
from server.store.sessions import ReadSession
from server.store.tables import Catalog

pytestmark = [pytest.mark.anyio, pytest.mark.postgres]

SILENCE_MS = 15_000


@pytest.fixture
async def db(new_postgres_database: Callable[[], str]) -> AsyncIterator[Database]:
    opened = Database(new_postgres_database(), silence_ms=SILENCE_MS)
    async with opened.write() as session:
        await session.run(update(table_of(Catalog)).values(recount_due=True))
    yield opened
    await opened.close()


async def test_of_several_servers_that_start_one_counts_and_the_others_wait_for_it(db: Database) -> None:
    done: list[str] = []

    async def start(name: str) -> None:
        async with db.write() as session:
            if await setup.recount_is_due(session):
                await session.rows(text("SELECT pg_sleep(0.1)"))
                done.append(f"{name} counts")
            done.append(name)

    await asyncio.gather(*(start(name) for name in "abc"))
    first = done[0][0]
    assert done[:2] == [f"{first} counts", first]
    assert sorted(done[1:]) == ["a", "b", "c"]


async def test_whoever_counts_may_be_silent_for_longer_than_a_server_otherwise_may(db: Database) -> None:
    async with db.write() as session:
        assert await setup.recount_is_due(session)
        assert await _silence(session) == "0"
    async with db.write() as session:
        assert not await setup.recount_is_due(session)
        assert await _silence(session) == "15s"


async def test_whoever_waits_for_the_one_that_counts_may_wait_for_long(db: Database) -> None:
    waited: list[str] = []

    async def wait() -> None:
        async with db.write() as session:
            assert not await setup.recount_is_due(session)
            waited.append(await _silence(session))

    async with db.write() as session:
        assert await setup.recount_is_due(session)
        waiting = asyncio.create_task(wait())
        await asyncio.sleep(0.2)
        assert waited == []
    await waiting
    assert waited == ["0"]


async def test_a_start_does_not_wait_for_those_who_work(db: Database) -> None:
    """Every batch holds the row of the catalog until it is committed."""
    async with db.write() as working, db.write() as starting:
        await working.rows(select(table_of(Catalog).c.epoch).with_for_update(read=True))
        assert not await asyncio.wait_for(attribute_recount.is_due(starting), 5)


async def _silence(session: ReadSession) -> str:
    return str((await session.rows(text("SHOW idle_in_transaction_session_timeout")))[0][0])
