"""Orders, what they come to, sign-ups, and coupons."""

from collections import defaultdict
from dataclasses import replace

import numpy as np
from pyroaring import BitMap
from sqlalchemy import bindparam, select

from server.aggregates.deed_sets import Of, numbers_of
from server.aggregates.deeds import Deed, Unit
from server.journey.audience import Sum, Times, Which
from server.journey.audience.coupons import HasCoupon
from server.journey.audience.purchases import Bought, Orders, SignedUp, Spent
from server.store.among import among
from server.store.bulk import table_of
from server.store.tables import Coupon

from .deeds import Done, Looked, answer_may, answer_times, read_done
from .journeys import as_they_are_now
from .pairs import Asking, Pair, Pairs
from .spans import spans_of

_coupons = table_of(Coupon)
_HAVING = (
    select(_coupons.c.shard, _coupons.c.user_number)
    .where(among(_coupons.c.shard, "shards"), _coupons.c.project_id == bindparam("project_id"))
    .distinct()
)
_ORDERED = Looked([Of(Unit.USER, Deed.ORDERED, "")], [], counts=True, is_whole=True)
_SIGNED_UP = Looked([Of(Unit.USER, Deed.SIGNED_UP, "")], [], counts=False, is_whole=True)


async def answer_bought(asking: Asking, question: Bought) -> Pairs:
    """Which products an order had, and whether it was cancelled, is asked of each who has ordered."""
    if question.orders == Orders() and question.nth == 0:
        return await answer_times(asking, _ORDERED, question.times)
    if question.nth:
        some = await answer_may(asking, [_ORDERED], Times().window, fits_none=question.times.fits_none)
    else:
        times = question.times
        some = await answer_may(asking, [_ORDERED], times.window, fits_none=times.fits_none)
    return some


async def answer_spent(asking: Asking, question: Spent) -> Pairs:
    if question.orders != Orders() or question.net or question.of is not Sum.SUM:
        fits_none = question.of is Sum.SUM and _fits(question, 0)
        return await answer_may(asking, [_ORDERED], question.window, fits_none=fits_none)
    spent = Looked([Of(Unit.USER, Deed.SPENT, question.currency)], [], counts=False, is_whole=True)
    spans = spans_of(asking, *question.window.bounds(asking.at, asking.zone))
    done = await read_done(asking, spent, spans, amounts=True)
    return asking.each(lambda n, all: _sum(question, done[n], all))


def _fits(question: Spent, amount: int) -> bool:
    enough = question.at_least is None or amount >= question.at_least
    return enough and (question.at_most is None or amount <= question.at_most)


def _sum(question: Spent, done: Done, all: BitMap) -> Pair:
    users, amounts = numbers_of(done.whole.users), done.whole.amounts
    sums = np.zeros(len(users), dtype=np.int64) if amounts is None else amounts
    fit = np.ones(len(users), dtype=bool)
    if question.at_least is not None:
        fit &= sums >= question.at_least
    if question.at_most is not None:
        fit &= sums <= question.at_most
    met = BitMap(users[fit])
    if _fits(question, 0):
        met |= all - done.whole.users
    return Pair(met - done.edges, met | done.edges)


async def answer_signed_up(asking: Asking, question: SignedUp) -> Pairs:
    return await answer_times(asking, _SIGNED_UP, replace(Times(), window=question.window, which=Which.FIRST))


async def answer_coupon(asking: Asking, question: HasCoupon) -> Pairs:
    """Who has none is decided."""
    having: defaultdict[int, list[int]] = defaultdict(list)
    about = {"shards": list(range(asking.shards)), "project_id": asking.project_id}
    for shard, number in await asking.session.rows(_HAVING, about):
        having[shard].append(number)
    found = await as_they_are_now(asking, {n: BitMap(numbers) for n, numbers in having.items()})
    if not question.times.fits_none:
        return asking.between({}, found)
    return asking.each(lambda n, all: Pair(all - found.get(n, BitMap()), all))
