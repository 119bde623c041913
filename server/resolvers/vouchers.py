"""Pools of vouchers: made, filled, and how they stand."""

from collections.abc import Sequence
from dataclasses import dataclass

from server.context import Context
from server.store import vouchers
from server.store.sessions import WriteSession
from server.store.tables import Voucher
from server.store.vouchers import Pool, Stock

from .once import Answer, once
from .refusals import Invalid, Missing, Taken
from .voucher_codes import Code, known_already, sort

MOST_POOLS = 200
MOST_AT_ONCE = 5000
"""Codes of one request; the command line takes files of any size."""
LONGEST_NAME = 100
MOST_LOW_WATER = 1_000_000


@dataclass(frozen=True, slots=True)
class Filled:
    """A pool and what is in it."""

    pool: Pool
    stock: Stock


async def listed(context: Context) -> list[Filled]:
    """By name."""
    async with context.db.read() as session:
        pools = await vouchers.of_project(session, context.project_id)
        stocks = await vouchers.stocks(session, [pool.id for pool in pools])
    return [Filled(pool, stocks[pool.id]) for pool in pools]


async def by_id(context: Context, pool_id: int) -> Filled | None:
    async with context.db.read() as session:
        found = await vouchers.by_ids(session, context.project_id, [pool_id])
        stocks = await vouchers.stocks(session, list(found))
    return Filled(found[pool_id], stocks[pool_id]) if found else None


async def load(context: Context, pool_id: int) -> Filled | None:
    """As `by_id`, together with whatever else is asked for at the same time."""
    pool = await context.loaders.pool_by_id.load(pool_id)
    stock = None if pool is None else await context.loaders.stock_by_pool.load(pool_id)
    return None if pool is None or stock is None else Filled(pool, stock)


async def by_code(context: Context, code: str) -> Voucher | None:
    async with context.db.read() as session:
        return await vouchers.by_code(session, context.project_id, code)


async def create(context: Context, name: str, low_water: int, key: str | None) -> Answer:
    """A new, empty pool. Raises Invalid, Taken, IdempotencyConflict."""
    name = checked(name, low_water)

    async def work(session: WriteSession) -> Answer:
        if len(await vouchers.of_project(session, context.project_id)) >= MOST_POOLS:
            raise Invalid(f"A project has at most {MOST_POOLS} pools.", ("input",))
        now = context.clock.now()
        pool_id = await vouchers.create(session, context.project_id, name, low_water, now)
        if pool_id is None:
            raise Taken(f"There is a pool {name!r} already.", ("input", "name"))
        return {"pool_id": pool_id}

    return await once(context, key, ("createVoucherPool", [name, low_water]), work)


def checked(name: str, low_water: int) -> str:
    """The name as it is kept. Raises Invalid."""
    name = name.strip()
    if not 0 < len(name) <= LONGEST_NAME or not name.isprintable():
        raise Invalid(f"A name has 1 to {LONGEST_NAME} visible characters.", ("input", "name"))
    if not 0 <= low_water <= MOST_LOW_WATER:
        raise Invalid(f"A low-water mark lies between 0 and {MOST_LOW_WATER}.", ("input", "lowWater"))
    return name


async def add(context: Context, pool_id: int, codes: Sequence[Code], key: str | None) -> Answer:
    """Puts the good ones in, and names the others. Raises Missing, Invalid, IdempotencyConflict."""
    if len(codes) > MOST_AT_ONCE:
        message = f"At most {MOST_AT_ONCE} codes at once, found {len(codes)}; call again with the rest."
        raise Invalid(message, ("input", "codes"))
    found = sort(codes)

    async def work(session: WriteSession) -> Answer:
        if not await vouchers.by_ids(session, context.project_id, [pool_id]):
            raise Missing("There is no such pool in this project.", ("input", "id"))
        good = [one.code for one in found.good]
        known = await vouchers.add(session, context.project_id, pool_id, good)
        refused = [known_already(one, known[one.code], pool_id) for one in found.good if one.code in known]
        told = [list(one) for one in sorted([*found.refused, *refused])]
        return {"pool_id": pool_id, "added": len(good) - len(known), "refused": told}

    return await once(context, key, ("addVoucherCodes", [pool_id, [[*one] for one in codes]]), work)
