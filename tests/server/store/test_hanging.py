"""A process that hangs while it hands a statement over: what it had locked is free again."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable

import pytest
from sqlalchemy import text

from server.store.database import Database
from tests.waiting import until

pytestmark = [pytest.mark.anyio, pytest.mark.postgres]

HANGS = """
import asyncio, os, signal, sys
from sqlalchemy import text
from server.store.database import Database

def rows():
    for number in range(200_000):
        if number == 150_000:
            os.kill(os.getpid(), signal.SIGSTOP)
        yield (number,)

async def main():
    db = Database(sys.argv[1], silence_ms=500)
    async with db.engine.begin() as connection:
        raw = (await connection.get_raw_connection()).driver_connection
        await connection.execute(text("LOCK TABLE journey"))
        await raw.executemany("INSERT INTO numbers VALUES ($1)", rows())

asyncio.run(main())
"""
WORKS = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'INSERT INTO numbers%' AND state = 'active'"


@pytest.fixture
async def db(new_postgres_database: Callable[[], str]) -> AsyncIterator[Database]:
    opened = Database(new_postgres_database())
    async with opened.write() as session:
        await session.run(text("CREATE TABLE numbers (n bigint)"))
    yield opened
    await opened.close()


async def sees(db: Database, sql: str, wanted: int) -> bool:
    async with db.read() as session:
        found: int = (await session.rows(text(sql)))[0][0]
    return found == wanted


async def test_its_session_is_ended_and_nothing_of_it_is_kept(db: Database) -> None:
    url = db.url.render_as_string(hide_password=False)
    hung = await asyncio.create_subprocess_exec(sys.executable, "-c", HANGS, url)
    try:
        await until(lambda: sees(db, WORKS, 1))
        await until(lambda: sees(db, WORKS, 0))
        async with db.write() as session:
            await session.run(text("LOCK TABLE journey"))
        assert await sees(db, "SELECT count(*) FROM numbers", 0)
    finally:
        hung.kill()
        await hung.wait()
