"""Vouchers: pools of codes, put in by operators and given out at the claim, each once."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from sqlalchemy import bindparam, func, select, update

from server.clock import Instant

from .among import among
from .bulk import inserting, table_of, updating
from .sessions import ReadSession, WriteSession
from .tables import Message, Project, Voucher, VoucherPool

REMEMBER = "remember"
"""The command that tells a shard what one of its users was given."""

_pools, _vouchers, _messages = table_of(VoucherPool), table_of(Voucher), table_of(Message)
_projects = table_of(Project)
_ADD = inserting(Voucher)
_TAKE = updating(Voucher, ("project_id", "code"), "taken_at", "message_shard", "message_id")
_CARRY = updating(Message, ("shard", "id"), "voucher")
_LEFT = (_vouchers.c.pool_id == bindparam("of_pool"), _vouchers.c.taken_at.is_(None))
# Codes that another worker is giving out now are passed over instead of waited for.
_FREE = (
    select(_vouchers.c.code)
    .where(*_LEFT)
    .order_by(_vouchers.c.number)
    .limit(bindparam("most"))
    .with_for_update(skip_locked=True)
)
_SOME_LEFT = select(_vouchers.c.code).where(*_LEFT).limit(bindparam("most"))
_KNOWN = (
    select(_vouchers.c.code, _vouchers.c.pool_id)
    .where(_vouchers.c.project_id == bindparam("of_project"))
    .where(among(_vouchers.c.code, "codes"))
)
_CARRIED = (
    select(_messages.c.run_id, _messages.c.step_key, _messages.c.created_at, _messages.c.voucher)
    .where(_messages.c.shard == bindparam("of_shard"), among(_messages.c.run_id, "runs"))
    .where(_messages.c.voucher != "")
)

_POOLS = select(
    _pools.c.id,
    _pools.c.project_id,
    _pools.c.name,
    _pools.c.low_water,
    _pools.c.fills,
    _pools.c.created_at,
)
_TOTAL = func.coalesce(
    select(func.max(_vouchers.c.number)).where(_vouchers.c.pool_id == _pools.c.id).scalar_subquery(), 0
)
_FREE_COUNT = (
    select(func.count())
    .select_from(_vouchers)
    .where(_vouchers.c.pool_id == _pools.c.id, _vouchers.c.taken_at.is_(None))
    .scalar_subquery()
)


class Pool(NamedTuple):
    """A pool, without what is in it."""

    id: int
    project_id: int
    name: str
    low_water: int
    fills: int
    created_at: Instant


class Stock(NamedTuple):
    """What is in a pool."""

    total: int
    left: int


class Taken(NamedTuple):
    """A code, and the message that takes it."""

    project_id: int
    code: str
    shard: int
    message_id: int


async def create(
    session: WriteSession, project_id: int, name: str, low_water: int, now: Instant
) -> int | None:
    """A new, empty pool; None if another has the name."""
    await _lock(session, project_id)
    if await by_names(session, project_id, [name]):
        return None
    pool = VoucherPool(project_id=project_id, name=name, low_water=low_water, created_at=now)
    session.add(pool)
    await session.flush()
    return pool.id


async def by_names(session: ReadSession, project_id: int, names: Sequence[str]) -> dict[str, Pool]:
    statement = _POOLS.where(_pools.c.project_id == project_id, _pools.c.name.in_(names))
    return {row.name: Pool(*row) for row in await session.rows(statement)}


async def by_ids(session: ReadSession, project_id: int, ids: Sequence[int]) -> dict[int, Pool]:
    statement = _POOLS.where(_pools.c.project_id == project_id, _pools.c.id.in_(ids))
    return {row.id: Pool(*row) for row in await session.rows(statement)}


async def of_project(session: ReadSession, project_id: int) -> list[Pool]:
    """By name."""
    statement = _POOLS.where(_pools.c.project_id == project_id).order_by(_pools.c.name)
    return [Pool(*row) for row in await session.rows(statement)]


async def stocks(session: ReadSession, pool_ids: Sequence[int]) -> dict[int, Stock]:
    """What is in each of these pools."""
    statement = select(_pools.c.id, _TOTAL, _FREE_COUNT).where(_pools.c.id.in_(pool_ids))
    return {row[0]: Stock(row[1], row[2]) for row in await session.rows(statement)}


async def add(session: WriteSession, project_id: int, pool_id: int, codes: Sequence[str]) -> dict[str, int]:
    """Puts codes in, in their order. Returns those that the project has already, with their pool.

    Whoever puts codes into a pool of the same project waits meanwhile, so that no code is in two.
    """
    await _lock(session, project_id)
    known = await known_codes(session, project_id, codes)
    fresh = [code for code in codes if code not in known]
    if fresh:
        last = await session.rows(
            select(func.coalesce(func.max(_vouchers.c.number), 0)).where(_vouchers.c.pool_id == pool_id)
        )
        rows = [
            (project_id, code, pool_id, number, None, None, None)
            for number, code in enumerate(fresh, last[0][0] + 1)
        ]
        await session.bulk(_ADD, rows)
        filled = update(_pools).where(_pools.c.id == pool_id)
        await session.run(filled.values(fills=_pools.c.fills + 1))
    return known


async def known_codes(session: ReadSession, project_id: int, codes: Iterable[str]) -> dict[str, int]:
    """Those among these codes that a pool of the project has, with that pool."""
    rows = await session.rows_in(_KNOWN, "codes", codes, {"of_project": project_id})
    return {row.code: row.pool_id for row in rows}


async def _lock(session: WriteSession, project_id: int) -> None:
    """Makes whoever changes the project's pools wait for this transaction. SQLite has one writer anyway."""
    row = select(_projects.c.id).where(_projects.c.id == project_id)
    await session.rows(row.with_for_update(key_share=True))


async def carried(
    session: ReadSession, shard: int, runs: Iterable[int]
) -> dict[tuple[int, str, Instant], str]:
    """The codes that messages of these runs carry, by passage: run, step, and when it was decided."""
    rows = await session.rows_in(_CARRIED, "runs", runs, {"of_shard": shard})
    return {(row.run_id, row.step_key, row.created_at): row.voucher for row in rows}


async def hold(session: WriteSession, pool_id: int, most: int) -> list[str]:
    """Up to so many codes that nobody has, kept for this transaction."""
    return [row.code for row in await session.rows(_FREE, {"of_pool": pool_id, "most": most})]


async def has_more(session: ReadSession, pool_id: int, than: int) -> bool:
    """Whether more codes than so many are free, those that other workers are giving out now included."""
    found = await session.rows(_SOME_LEFT, {"of_pool": pool_id, "most": than + 1})
    return len(found) > than


async def take(session: WriteSession, taken: Sequence[Taken], now: Instant) -> None:
    """Notes who has which code, beside the attempts that carry them."""
    rows = [(one.project_id, one.code, now, one.shard, one.message_id) for one in taken]
    await session.bulk(_TAKE, rows)


async def carry(session: WriteSession, shard: int, carried: Sequence[tuple[int, str]]) -> None:
    """Notes at messages the codes that they carry."""
    await session.bulk(_CARRY, [(shard, message_id, code) for message_id, code in carried])


async def by_code(session: ReadSession, project_id: int, code: str) -> Voucher | None:
    mine = (_vouchers.c.project_id == project_id, _vouchers.c.code == code)
    rows = await session.rows(select(_vouchers).where(*mine))
    return rows[0] if rows else None
