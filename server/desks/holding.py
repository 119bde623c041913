"""Who looks at a relay holds its lease as long as the look takes: two looks at once would adopt twice."""

import asyncio
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager, suppress

from server.engine import leases
from server.store.database import Database

WORK = "desk"
RENEWED_EVERY = leases.LASTS_MS / 3000
"""Seconds. A relay with many templates takes longer than a lease lasts."""


async def take(db: Database, connection_ids: Collection[int], holder: str) -> list[int]:
    """Those of these connections that this holder may look at now."""
    if not connection_ids:
        return []
    async with db.write() as session:
        return [one for one in connection_ids if await leases.acquire(session, WORK, one, holder) is not None]


@asynccontextmanager
async def renewed(db: Database, connection_ids: Collection[int], holder: str) -> AsyncIterator[None]:
    """Renews what was taken until this is over, and then lets go of it."""
    over = asyncio.Event()

    async def renew() -> None:
        while not over.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(over.wait(), RENEWED_EVERY)
                return
            await take(db, connection_ids, holder)

    renewing = asyncio.create_task(renew())
    try:
        yield
    finally:
        over.set()
        await renewing
        if connection_ids:
            async with db.write() as session:
                for one in connection_ids:
                    await leases.leave(session, WORK, one, holder)
