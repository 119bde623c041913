"""Counts lives, spending and coupons again from the facts: events, sessions, orders.

Written apart from the code that keeps them. It shares the definitions: what an event tells, how a life and a
coupon are folded. Orders are facts here, as they were told
first; `rebuild` finds those that came before orders were kept.
"""

from collections import defaultdict
from collections.abc import AsyncIterator, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, TypeVar

import orjson
from sqlalchemy import Select, delete, func, select

from server.commerce.amounts import MOST
from server.commerce.coupons import NAMES as COUPON_NAMES
from server.commerce.coupons import Coupon
from server.commerce.lives import NAMES as LIFE_NAMES
from server.commerce.lives import Life
from server.commerce.names import Words, read_words
from server.commerce.orders import CANCELLED, ORDERED, SIGNED_UP, Counts, Order
from server.commerce.reading import Cancelled, CouponTold, Ordered, Refunded, SignedUp, Told, tell
from server.commerce.rows import columns_of
from server.store import tables
from server.store.bulk import Bulk, inserting, table_of
from server.store.commerce import key_of
from server.store.sessions import ReadSession, WriteSession

PAGE = 10_000
MOST_HOPS = 100

K = TypeVar("K")
V = TypeVar("V")
Who = tuple[int, int, int]
"""Shard, project and number."""

_events, _sessions = table_of(tables.Event), table_of(tables.VisitSession)
_purchases, _users = table_of(tables.Purchase), table_of(tables.User)
_SEEN = select(
    _events.c.shard,
    _events.c.project_id,
    _events.c.user_number,
    func.min(_events.c.occurred_at).label("first_at"),
    func.max(_events.c.occurred_at).label("last_at"),
).group_by(_events.c.shard, _events.c.project_id, _events.c.user_number)
_TOLD = select(
    _events.c.shard,
    _events.c.project_id,
    _events.c.user_number,
    _events.c.occurred_at,
    _events.c.digest,
    _events.c.name,
    _events.c.body,
    _events.c.received_at,
).where(_events.c.type == "track")
_PURCHASES = inserting(tables.Purchase, once=True)
_REBUILT = {one: inserting(one) for one in (tables.Life, tables.Spending, tables.Coupon)}


@dataclass(slots=True)
class Lives:
    """Everybody who is somebody now, from the facts alone."""

    lives: defaultdict[Who, Life] = field(default_factory=lambda: defaultdict(Life))
    spending: defaultdict[tuple[Who, str], list[int]] = field(
        default_factory=lambda: defaultdict(lambda: [0, 0])
    )
    coupons: defaultdict[tuple[Who, str], Coupon] = field(default_factory=lambda: defaultdict(Coupon))


async def differences(session: ReadSession) -> list[str]:
    """Where lives and facts disagree, in words. Of whoever is erased it may just be on its way out."""
    counted, gone = await count(session), await _erased(session)
    spending = {key: tuple(sums) for key, sums in counted.spending.items()}
    return [
        *_compared("life", await _stored_lives(session), _rows(counted.lives), gone),
        *_compared("spending", await _stored_spending(session), spending, gone),
        *_compared("coupon", await _stored_coupons(session), _rows(counted.coupons), gone),
    ]


def _compared(
    about: str, stored: Mapping[Any, Any], wanted: Mapping[Any, Any], gone: Collection[Who]
) -> list[str]:
    """Keys are of users, or begin with one."""
    return [
        f"{about} of {key}: stored {stored.get(key)}, the facts say {wanted.get(key)}"
        for key in sorted({*stored, *wanted})
        if stored.get(key) != wanted.get(key) and key not in gone and key[0] not in gone
    ]


async def _erased(session: ReadSession) -> set[Who]:
    statement = select(_users.c.shard, _users.c.project_id, _users.c.number)
    rows = await session.rows(statement.where(_users.c.erased_at.is_not(None)))
    return {(row.shard, row.project_id, row.number) for row in rows}


def _rows(folds: Mapping[Any, Any]) -> dict[Any, tuple[Any, ...]]:
    return {key: fold.row() for key, fold in folds.items()}


async def count(session: ReadSession) -> Lives:
    """Reads every event, session and order: slowly and plainly."""
    result, finals = Lives(), await _finals(session)
    await _seen(session, result, finals)
    await _visits(session, result, finals)
    await _orders(session, result)
    await _told(session, result, finals)
    return result


async def _finals(session: ReadSession) -> dict[Who, Who | None]:
    """Of everybody who is another now: who that is. None for whoever is erased."""
    statement = select(
        _users.c.shard, _users.c.project_id, _users.c.number, _users.c.merged_into, _users.c.erased_at
    )
    into: dict[Who, Who | None] = {}
    async for row in _pages(session, statement):
        who = (row.shard, row.project_id, row.number)
        if row.erased_at is not None:
            into[who] = None
        elif row.merged_into is not None:
            home, _, number = row.merged_into.partition(":")
            into[who] = (int(home), row.project_id, int(number))
    return {who: _final(into, who) for who in into}


def _final(into: Mapping[Who, Who | None], who: Who) -> Who | None:
    found: Who | None = who
    for _ in range(MOST_HOPS):
        if found is None or found not in into:
            return found
        found = into[found]
    raise RuntimeError(f"Users were merged in a circle: {who}.")


async def _seen(session: ReadSession, result: Lives, finals: Mapping[Who, Who | None]) -> None:
    async for row in _pages(session, _SEEN):
        who = _whose(row, finals)
        if who is not None:
            result.lives[who].see(row.first_at)
            result.lives[who].see(row.last_at)


async def _visits(session: ReadSession, result: Lives, finals: Mapping[Who, Who | None]) -> None:
    async for row in _pages(session, select(_sessions)):
        who = _whose(row, finals)
        if who is not None:
            result.lives[who].visit(row.first_at)
            result.lives[who].visit(row.last_at)
            result.lives[who].visits += bool(row.begun)


async def _orders(session: ReadSession, result: Lives) -> None:
    """They go where their user goes. Of who is erased no life is told."""
    gone = await _erased(session)
    async for row in _pages(session, select(_purchases)):
        who = (row.shard, row.project_id, row.user_number)
        if who in gone:
            continue
        refunds = orjson.loads(row.refunds)
        if row.ordered_at is not None:
            result.lives[who].count(Counts(ORDERED, "", row.ordered_at, 1))
            if CANCELLED in refunds:
                result.lives[who].count(Counts(CANCELLED, "", refunds[CANCELLED][0], 1))
        given_back = sum(counted for _, _, counted in refunds.values())
        if row.amount or given_back:
            sums = result.spending[who, row.currency]
            sums[0] = min(sums[0] + (row.amount or 0), MOST)
            sums[1] = min(sums[1] + given_back, MOST)


async def _told(session: ReadSession, result: Lives, finals: Mapping[Who, Who | None]) -> None:
    """Sign-ups and coupons."""
    async for who, row, told in _tellings(session, finals):
        _fold(result, who, row.occurred_at, told)


async def _tellings(
    session: ReadSession, finals: Mapping[Who, Who | None]
) -> AsyncIterator[tuple[Who, Any, list[Told]]]:
    """Every event that tells of commerce: of whom, and what."""
    projects = table_of(tables.Project)
    known = {row.id: row for row in await session.rows(select(projects))}
    words: dict[int, Words] = {number: read_words(row.commerce) for number, row in known.items()}
    async for row in _pages(session, _TOLD):
        who = _whose(row, finals)
        if who is None or words[row.project_id].kind_of(row.name) is None:
            continue
        zone = known[row.project_id].time_zone
        yield who, row, tell(words[row.project_id], row.name, orjson.loads(row.body), zone)


def _fold(result: Lives, who: Who, at: int, told: Iterable[Told]) -> None:
    for one in told:
        if isinstance(one, SignedUp):
            result.lives[who].count(Counts(SIGNED_UP, "", at, 1))
        elif isinstance(one, CouponTold):
            result.coupons[who, one.code].hear(one, at)


# Rebuilding


async def rebuild(session: WriteSession) -> int:
    """Finds orders that are not kept yet, and counts lives, spending and coupons anew. Returns the rows."""
    await _find_orders(session)
    counted = await count(session)
    written = 0
    for table, rows in (
        (tables.Life, ((*who, *life.row()) for who, life in _drained(counted.lives))),
        (tables.Spending, ((*who, name, *sums) for (who, name), sums in _drained(counted.spending))),
        (tables.Coupon, ((*who, code, *one.row()) for (who, code), one in _drained(counted.coupons))),
    ):
        await session.run(delete(table_of(table)))
        written += await _write(session, _REBUILT[table], rows)
    return written


async def _find_orders(session: WriteSession) -> None:
    """The orders that events tell of, in the order in which those came. Those that are kept stay."""
    told: defaultdict[Who, list[tuple[int, str, int, Told]]] = defaultdict(list)
    async for who, row, found in _tellings(session, await _finals(session)):
        told[who] += (
            (row.received_at, row.digest, row.occurred_at, one)
            for one in found
            if isinstance(one, Ordered | Refunded | Cancelled)
        )
    rows = (row for who, events in _drained(told) for row in _orders_of(who, events))
    await _write(session, _PURCHASES, rows)


async def _write(session: WriteSession, bulk: Bulk, rows: Iterator[tuple[Any, ...]]) -> int:
    """A page at a time. Returns how many."""
    written = 0
    while some := list(islice(rows, PAGE)):
        await session.bulk(bulk, some)
        written += len(some)
    return written


def _drained(held: dict[K, V]) -> Iterator[tuple[K, V]]:
    """What is given is no longer held: of everybody it is much."""
    while held:
        yield held.popitem()


def _orders_of(who: Who, events: list[tuple[int, str, int, Told]]) -> Iterator[tuple[Any, ...]]:
    orders: dict[str, Order] = {}
    for _, digest, at, one in sorted(events, key=lambda event: event[:2]):
        _tell_order(orders, one, at, digest)
    for key, order in orders.items():
        yield who[0], who[1], key, who[2], *columns_of(order)


def _tell_order(orders: dict[str, Order], told: Told, at: int, digest: str) -> None:
    if not isinstance(told, Ordered | Refunded | Cancelled):
        return
    key = key_of(told.order_id, digest)
    order = orders.setdefault(key, Order(key))
    if isinstance(told, Ordered):
        list(order.order(told, at, digest))
    elif isinstance(told, Refunded):
        list(order.refund(told, at, digest))
    else:
        list(order.cancel(at))


def _whose(row: Any, finals: Mapping[Who, Who | None]) -> Who | None:
    who = (row.shard, row.project_id, row.user_number)
    return finals.get(who, who)


async def _stored_lives(session: ReadSession) -> dict[Who, tuple[Any, ...]]:
    table = table_of(tables.Life)
    return {
        (row.shard, row.project_id, row.user_number): tuple(getattr(row, name) for name in LIFE_NAMES)
        async for row in _pages(session, select(table))
    }


async def _stored_spending(session: ReadSession) -> dict[tuple[Who, str], tuple[int, int]]:
    table = table_of(tables.Spending)
    return {
        ((row.shard, row.project_id, row.user_number), row.currency): (row.spent, row.refunded)
        async for row in _pages(session, select(table))
    }


async def _stored_coupons(session: ReadSession) -> dict[tuple[Who, str], tuple[Any, ...]]:
    table = table_of(tables.Coupon)
    return {
        ((row.shard, row.project_id, row.user_number), row.code): tuple(
            getattr(row, name) for name in COUPON_NAMES
        )
        async for row in _pages(session, select(table))
    }


async def _pages(session: ReadSession, statement: Select[Any]) -> AsyncIterator[Any]:
    connection = await session.connection()
    result = await connection.stream(statement.execution_options(yield_per=PAGE))
    async for row in result:
        yield row
