"""Orders and sign-ups, from the sets of what people did on a day; coupons, read as they are."""

from collections import defaultdict
from datetime import time
from typing import Any

import numpy as np
from pyroaring import BitMap
from sqlalchemy import ColumnElement, and_, case, func, or_, select

from server.aggregates.calendar import ALL_TIME
from server.aggregates.deed_sets import EMPTY, Of, numbers_of, put_together
from server.aggregates.deeds import Deed, Unit
from server.clock import Instant
from server.journey.audience import EVER, Sum, Times, Which
from server.journey.audience.coupons import Act, HasCoupon
from server.journey.audience.purchases import Bought, Orders, SignedUp, Spent
from server.journey.local_time import ONE_DAY, day_of, instant_of
from server.store.among import among_these
from server.store.bulk import table_of
from server.store.tables import Coupon, DeedSet

from .deeds import Done, Looked, read_deeds, times_of, whoever_may
from .pairs import Asking, Pair, Pairs
from .spans import spans_of

_coupons, _deeds = table_of(Coupon), table_of(DeedSet)
MOST_CURRENCIES = 8
"""Of which the sets are read, should none be named."""


def _looked(deed: Deed, value: str = "") -> Looked:
    return Looked([Of(Unit.USER, deed.value, value)], [], counts=True, is_whole=True)


# Orders


async def answer_bought(asking: Asking, question: Bought) -> Pairs:
    """Of certain products it is only known who has bought anything."""
    looked, times = _looked(Deed.ORDERED), question.times
    if _is_picky(question.orders):
        window = EVER if question.nth else times.window
        return await whoever_may(asking, [looked], window, fits_none=times.fits_none)
    if not question.nth:
        return await times_of(asking, looked, times)
    enough = await times_of(asking, looked, Times(at_least=question.nth))
    if times == Times():
        return enough
    perhaps = {shard: pair.perhaps for shard, pair in enough.items()}
    if times.fits_none:
        return asking.each(lambda n, all: Pair(all - perhaps[n], all))
    return asking.between({}, perhaps)


async def answer_spent(asking: Asking, question: Spent) -> Pairs:
    currencies = [question.currency] if question.currency else await _currencies(asking)
    is_plain = question.of is Sum.SUM and not question.net and not _is_picky(question.orders)
    if not is_plain or len(currencies) > MOST_CURRENCIES:
        # Orders that cost nothing have no set of what was spent.
        ordered = _looked(Deed.ORDERED)
        fits_none = question.of is Sum.SUM and question.fits(0)
        return await whoever_may(asking, [ordered], question.window, fits_none=fits_none)
    spans = spans_of(asking, *question.window.bounds(asking.at, asking.zone))
    inside = [await read_deeds(asking, _looked(Deed.SPENT, one), spans, amounts=True) for one in currencies]
    return asking.each(lambda n, all: _sums(question, _in_one([one[n] for one in inside]), all))


async def _currencies(asking: Asking) -> list[str]:
    """In which anybody has ever paid, if they are few."""
    statement = (
        select(_deeds.c.value)
        .where(among_these(_deeds.c.shard, list(range(asking.shards))))
        .where(_deeds.c.project_id == asking.project_id, _deeds.c.unit == Unit.USER.value)
        .where(_deeds.c.dimension == Deed.SPENT.value, _deeds.c.span == ALL_TIME)
        .distinct()
        .limit(MOST_CURRENCIES + 1)
    )
    return sorted(row.value for row in await asking.session.rows(statement))


def _in_one(paid: list[Done]) -> Done:
    """Of each currency, together. Whoever may have paid in several is asked in which most."""
    once, twice = BitMap(), BitMap()
    for one in paid:
        users = one.whole.users | one.edges
        once, twice = once | users, twice | (once & users)
    whole = put_together([one.whole for one in paid]) if paid else EMPTY
    return Done(whole, BitMap.union(twice, *(one.edges for one in paid)))


def _sums(question: Spent, done: Done, all: BitMap) -> Pair:
    """Who has bought on a day that lies in the time in part is asked."""
    users = numbers_of(done.whole.users)
    sums = np.zeros(len(users), dtype=np.int64) if done.whole.amounts is None else done.whole.amounts
    fit = np.ones(len(users), dtype=bool)
    if question.at_least is not None:
        fit &= sums >= question.at_least
    if question.at_most is not None:
        fit &= sums <= question.at_most
    found = BitMap(users[fit])
    if question.fits(0):
        found |= all - done.whole.users
    return Pair(found - done.edges, found | done.edges)


def _is_picky(orders: Orders) -> bool:
    return orders != Orders()


async def answer_signed_up(asking: Asking, question: SignedUp) -> Pairs:
    first = Times(question.window, Which.FIRST)
    return await times_of(asking, _looked(Deed.SIGNED_UP), first)


# Coupons


async def answer_coupon(asking: Asking, question: HasCoupon) -> Pairs:
    """How many coupons fit of each, told by the table; the first or last one each person is asked for."""
    times, counts = question.times, await _counted(asking, question)
    if times.which is not Which.EVERY:
        users = {shard: BitMap(found) for shard, found in counts.items()}
        if times.fits_none:
            return asking.each(lambda n, all: Pair(all - users.get(n, BitMap()), all))
        return asking.between({}, users)
    fit = {n: BitMap([u for u, many in found.items() if times.fit(many)]) for n, found in counts.items()}
    if times.fits_none:
        some = {shard: BitMap(found) for shard, found in counts.items()}
        return asking.exactly(
            {n: fit.get(n, BitMap()) | (all - some.get(n, BitMap())) for n, all in asking.everybody.items()}
        )
    return asking.exactly(fit)


async def _counted(asking: Asking, question: HasCoupon) -> dict[int, dict[int, int]]:
    statement = (
        select(_coupons.c.shard, _coupons.c.user_number, func.count().label("many"))
        .where(
            among_these(_coupons.c.shard, list(range(asking.shards))),
            _coupons.c.project_id == asking.project_id,
            *_fitting(asking, question),
        )
        .group_by(_coupons.c.shard, _coupons.c.user_number)
    )
    found: defaultdict[int, dict[int, int]] = defaultdict(dict)
    for row in await asking.session.rows(statement):
        found[row.shard][row.user_number] = row.many
    return found


def _fitting(asking: Asking, question: HasCoupon) -> list[ColumnElement[bool]]:
    at, moment = asking.at, _moment(question.act)
    found = [moment <= at, *_standing(question.act, at), *_ending(asking, question)]
    if question.times.which is Which.EVERY:
        since, until = question.times.window.bounds(at, asking.zone)
        found.append(moment.between(since, until))
    if question.coupons:
        named = list(question.coupons)
        found.append(or_(among_these(_coupons.c.code, named), among_these(_coupons.c.name, named)))
    return found


_OVER = case(
    (_coupons.c.expires_at.is_(None), _coupons.c.expired_at),
    (_coupons.c.expired_at.is_(None), _coupons.c.expires_at),
    (_coupons.c.expires_at < _coupons.c.expired_at, _coupons.c.expires_at),
    else_=_coupons.c.expired_at,
)
"""The earlier of the two, if there is any."""


def _moment(act: Act) -> Any:
    return {Act.USED: _coupons.c.used_at, Act.EXPIRED: _OVER}.get(act, _coupons.c.issued_at)


def _standing(act: Act, at: Instant) -> list[ColumnElement[bool]]:
    unused = or_(_coupons.c.used_at.is_(None), _coupons.c.used_at > at)
    if act is Act.USABLE:
        return [unused, or_(_OVER.is_(None), at < _OVER)]
    return [unused] if act is Act.EXPIRED else []


def _ending(asking: Asking, question: HasCoupon) -> list[ColumnElement[bool]]:
    """A coupon's last day is that of the millisecond before it ends."""
    ends, found = _coupons.c.expires_at, []
    if question.within_ms is not None:
        found.append(ends <= asking.at + question.within_ms)
    first, last = (0, question.within_days) if question.in_days is None else (question.in_days,) * 2
    if last is not None:
        today = day_of(asking.at, asking.zone)
        starts = [instant_of(today + n * ONE_DAY, time(), asking.zone) for n in (first, last + 1)]
        found.append(and_(ends > starts[0], ends <= starts[1]))
    return found
