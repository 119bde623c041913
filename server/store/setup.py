"""Makes a new database ready: its shards, and the row that tells when the catalog has changed."""

from sqlalchemy import Column, func, select, update

from . import hanging
from .bulk import inserting, table_of
from .sessions import ReadSession, WriteSession
from .tables import Catalog, ShardState

SHARDS_ON_SQLITE = 1
SHARDS_ON_POSTGRESQL = 64
MOST_SHARDS = 4096

_CATALOG = inserting(Catalog, once=True)
_STATES = inserting(ShardState, once=True)


async def prepare(session: WriteSession, shards: int = 0) -> int:
    """Divides a new database into shards (0: as fits the database). Returns how many it has."""
    existing = await count_shards(session)
    if existing:
        return existing
    wanted = shards or (
        SHARDS_ON_SQLITE if session.get_bind().dialect.name == "sqlite" else SHARDS_ON_POSTGRESQL
    )
    await session.bulk(_CATALOG, [(1, 0, False, False)])
    await session.bulk(_STATES, [(number, 0, 0) for number in range(min(wanted, MOST_SHARDS))])
    return await count_shards(session)


async def count_shards(session: ReadSession) -> int:
    return int((await session.rows(select(func.count()).select_from(table_of(ShardState))))[0][0])


async def recount_is_due(session: WriteSession) -> bool:
    """Whether the aggregates have to be counted anew. Who is told so does it; others wait here."""
    return await _is_due(session, table_of(Catalog).c.recount_due)


async def deeds_are_due(session: WriteSession) -> bool:
    """Whether sessions and deeds have to be found in the events. As with a recount."""
    return await _is_due(session, table_of(Catalog).c.deeds_due)


async def _is_due(session: WriteSession, mark: Column[bool]) -> bool:
    table = table_of(Catalog)
    if not await session.rows(select(table.c.id).where(mark)):
        return False
    # To count takes longer than a server may be silent, and so does waiting for who counts: either would be
    # cut off at every start, for ever.
    await hanging.lift(session)
    due = update(table).where(mark).values({mark.name: False}).returning(table.c.id)
    return bool(await session.rows(due))


async def hold_catalog(session: WriteSession) -> None:
    """Whoever else changes the catalog waits until this transaction is over."""
    await session.rows(select(table_of(Catalog).c.id).with_for_update())


async def touch_catalog(session: WriteSession) -> None:
    """Tells every worker that a project, a journey, a connection or a key has changed."""
    table = table_of(Catalog)
    await session.run(update(table).values(epoch=table.c.epoch + 1))
