"""Who works a shard: a lease that runs out, and a token that goes up with every new holder."""

from collections.abc import Collection
from hashlib import blake2b
from math import ceil
from typing import Any

from sqlalchemy import bindparam, case, select, update

from server.store.bulk import inserting, table_of
from server.store.database_clock import database_now
from server.store.sessions import ReadSession, WriteSession
from server.store.tables import Lease

LASTS_MS = 15_000

_table = table_of(Lease)
_ADD = inserting(Lease, once=True)


class LostLease(Exception):
    """Somebody else works this shard now; whatever was decided here is void."""


async def acquire(
    session: WriteSession, work: str, shard: int, holder: str, *, waiting: bool = True
) -> int | None:
    """Takes the lease if it is free or ours. Returns the token to show with every write, or none.

    A lease that a transaction has just locked is waited for, or else (not `waiting`) taken as held.
    """
    await session.bulk(_ADD, [(work, shard, "", 0, 0)])
    now = database_now(session)
    may_take = (
        select(_table.c.shard)
        .where(_table.c.work == work, _table.c.shard == shard)
        .where((_table.c.until < now) | (_table.c.holder == holder))
        .with_for_update(skip_locked=not waiting)
    )
    statement = (
        update(_table)
        .where(_table.c.work == work, _table.c.shard.in_(may_take))
        .values(
            token=case((_table.c.holder == holder, _table.c.token), else_=_table.c.token + 1),
            holder=holder,
            until=now + LASTS_MS,
        )
        .returning(_table.c.token)
    )
    found = await session.rows(statement)
    return int(found[0].token) if found else None


async def prove(session: WriteSession, work: str, shard: int, token: int) -> None:
    """Renews the lease in the transaction that is about to write. Raises LostLease if it is not ours."""
    statement = (
        update(_table)
        .where(_table.c.work == work, _table.c.shard == shard, _table.c.token == bindparam("shown"))
        .values(until=database_now(session) + LASTS_MS)
        .returning(_table.c.token)
    )
    if not await session.rows(statement, {"shown": token}):
        raise LostLease(f"{work} of shard {shard}")


async def join(session: WriteSession, work: str, holder: str) -> int:
    """Says that this worker is alive. Returns how many are, so that each takes its share of the shards."""
    # A seat is a lease like any other, on a number that is made from the holder's name.
    seat = int.from_bytes(blake2b(holder.encode(), digest_size=7).digest(), "big")
    await acquire(session, f"{work}.member", seat, holder)
    return max(1, len(await held(session, f"{work}.member")))


async def leave(session: WriteSession, work: str, shard: int, holder: str) -> None:
    """Lets go of one shard."""
    mine = (_table.c.work == work, _table.c.shard == shard, _table.c.holder == holder)
    await session.run(update(_table).where(*mine).values(until=0, holder=""))


async def release(session: WriteSession, work: str, holder: str) -> None:
    """Lets go of everything that this holder has, so that others need not wait for it to run out."""
    mine = (_table.c.work.in_((work, f"{work}.member")), _table.c.holder == holder)
    await session.run(update(_table).where(*mine).values(until=0, holder=""))


async def take_share(
    session: WriteSession,
    work: str,
    holder: str,
    shards: int,
    mine: Collection[int],
    busy: Collection[int] = (),
) -> dict[int, int]:
    """Takes a fair share of the shards, renews those that are `mine`, and gives back what is more than that.

    Shards that are `busy` are given back another time. Returns the token of each shard that is ours now.
    """
    most = ceil(shards / await join(session, work, holder))
    taken: dict[int, int] = {}
    for number in sorted(range(shards), key=lambda number: number not in mine):
        if len(taken) >= most and number not in mine:
            break
        # A worker that hangs in the middle of a turn has its own lease locked: it must not hold us up, too.
        token = await acquire(session, work, number, holder, waiting=number in mine)
        if token is not None:
            taken[number] = token
    for number in [number for number in list(taken)[most:] if number not in busy]:
        del taken[number]
        await leave(session, work, number, holder)
    return taken


async def forget(session: WriteSession) -> None:
    """Frees every lease: for whoever knows that no other worker lives, as the only server of a file does."""
    await session.run(update(_table).values(until=0, holder=""))


async def held(session: ReadSession, work: str) -> dict[int, Any]:
    rows = await session.rows(
        select(_table).where(_table.c.work == work, _table.c.until > database_now(session))
    )
    return {row.shard: row.holder for row in rows}
