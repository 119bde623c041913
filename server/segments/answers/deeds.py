"""Events and visits, from the sets of what people did on a day.

Whole days are decided by sets; of days that lie in the time in part only, each person who did something then
is asked. So are those of whom something came in that has not happened yet, and who did something that has no
set of its own.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from pyroaring import BitMap
from sqlalchemy import bindparam, select

from server.aggregates import deed_sets
from server.aggregates.deed_sets import Held, Of, numbers_of, put_together
from server.aggregates.deeds import LIMITED, Deed, Unit, others_of
from server.journey.audience import EVENT, CameTo, Happened, Times, Which, Window
from server.store.among import among
from server.store.bulk import table_of
from server.store.tables import DeedValue

from .pairs import Asking, Pair, Pairs
from .spans import Spans, spans_of

_values = table_of(DeedValue)
_LISTED = select(_values.c.value).where(
    _values.c.project_id == bindparam("project_id"),
    _values.c.dimension == bindparam("dimension"),
    among(_values.c.value, "of_values"),
)


class Done(NamedTuple):
    """Who did it in a time, in one shard."""

    whole: Held
    """On days that lie in it whole, and how often."""
    edges: BitMap
    """On days of which a part lies in it."""


Wanted = Sequence[Of]
"""Sets that together say who did it: nothing is in two of them."""


class Looked(NamedTuple):
    """What is looked for among the sets."""

    of: Wanted
    others: Wanted
    """Where some of it may be, among other things."""
    counts: bool
    """Whether only what has an amount was done: a visit that goes on past midnight begins only once."""
    is_whole: bool
    """Whether the sets say all that is asked; else only who may meet it."""


# What to look for


async def _events(asking: Asking, name: str, *, is_whole: bool) -> Looked:
    of, others = await _limited(asking, Deed.DID, [name])
    return Looked(of, others, counts=False, is_whole=is_whole)


async def _visits(asking: Asking, question: Happened) -> list[Looked]:
    """A look for each that is asked of the same visit; none of them says all, if there are several."""
    if not question.where:
        return [Looked([Of(Unit.USER, Deed.VISITED, "")], [], counts=True, is_whole=True)]
    found = []
    for one in question.where:
        of, others = await _limited(asking, Deed(one.name), one.value)
        found.append(Looked(of, others, counts=True, is_whole=len(question.where) == 1))
    return found


async def _limited(asking: Asking, deed: Deed, wanted: Iterable[str]) -> tuple[Wanted, Wanted]:
    """The sets of these values, and of what is gathered if one of them has none."""
    asked = list(dict.fromkeys(wanted))
    of = [Of(Unit.USER, deed.value, one) for one in asked]
    if deed not in LIMITED:
        return of, []
    about = {"project_id": asking.project_id, "dimension": deed.value, "of_values": asked}
    listed = {row.value for row in await asking.session.rows(_LISTED, about)}
    others = {others_of(deed.value, one) for one in asked if one not in listed}
    return of, [Of(Unit.USER, deed.value, one) for one in sorted(others)]


# Answers


async def answer_happened(asking: Asking, question: Happened) -> Pairs:
    if question.facts.kind == EVENT:
        looked = [await _events(asking, question.facts.name, is_whole=not question.where)]
    else:
        looked = await _visits(asking, question)
    if len(looked) == 1 and looked[0].is_whole:
        return await times_of(asking, looked[0], question.times)
    return await whoever_may(asking, looked, question.times.window, fits_none=question.times.fits_none)


async def answer_amount(asking: Asking, question: CameTo) -> Pairs:
    looked = await _events(asking, question.facts.name, is_whole=False)
    return await whoever_may(asking, [looked], question.window, fits_none=question.fits_none)


async def whoever_may(asking: Asking, looked: Sequence[Looked], window: Window, *, fits_none: bool) -> Pairs:
    """Who has done nothing of it is decided; everybody else is asked."""
    bounds = window.bounds(asking.at, asking.zone)
    found = asking.everybody
    for one in looked:
        done = await read_deeds(asking, one, spans_of(asking, *bounds))
        found = {n: all & (done[n].whole.users | done[n].edges) for n, all in found.items()}
    if not fits_none:
        return asking.between({}, found)
    return asking.each(lambda n, all: Pair(all - found[n], all))


async def times_of(asking: Asking, looked: Looked, times: Times) -> Pairs:
    since, until = times.window.bounds(asking.at, asking.zone)
    inside = await read_deeds(asking, looked, spans_of(asking, since, until), amounts=_needs_amounts(times))
    if times.which is Which.EVERY:
        return asking.each(lambda n, all: _often(times, inside[n], all))
    if times.which is Which.FIRST:
        outside = await read_deeds(asking, looked, spans_of(asking, 0, since - 1))
    else:
        outside = await read_deeds(asking, looked, spans_of(asking, until + 1, asking.at))
    return asking.each(lambda n, all: _once(times, inside[n], outside[n], asking.ahead.get(n), all))


_WHETHER = ((1, None), (0, 0), (0, None))
"""At least and at most, where it only matters whether at all."""


def _needs_amounts(times: Times) -> bool:
    """Whether it matters how often, and not only whether at all."""
    return times.which is Which.EVERY and (times.at_least, times.at_most) not in _WHETHER


def _often(times: Times, done: Done, all: BitMap) -> Pair:
    """Of those who did it on an edge it is known how often at least."""
    if not _needs_amounts(times):
        return _whether(times, done.whole.users, done.whole.users | done.edges, all)
    users = numbers_of(done.whole.users)
    amounts = np.zeros(len(users), dtype=np.int64) if done.whole.amounts is None else done.whole.amounts
    enough, at_most = amounts >= times.at_least, times.at_most
    not_more = np.ones(len(users), dtype=bool) if at_most is None else amounts <= at_most
    fit = BitMap(users[enough & not_more])
    if times.fits_none:
        fit |= all - done.whole.users
    over = BitMap() if at_most is None else BitMap(users[~not_more])
    for_good = BitMap(users[enough]) if at_most is None else BitMap()
    return Pair((fit - done.edges) | for_good, fit | (done.edges - over))


def _whether(times: Times, surely: BitMap, perhaps: BitMap, all: BitMap) -> Pair:
    """By who did it at all: surely, perhaps."""
    if times.fit(0) and times.fit(1):
        return Pair(all, all)
    if times.fit(1):
        return Pair(surely, perhaps)
    if times.fit(0):
        return Pair(all - perhaps, all - surely)
    return Pair(BitMap(), BitMap())


def _once(times: Times, inside: Done, outside: Done, ahead: BitMap | None, all: BitMap) -> Pair:
    """The first or last time lies inside: nothing is on its far side."""
    within = inside.whole.users | inside.edges
    surely = inside.whole.users - outside.whole.users - outside.edges
    perhaps = within - outside.whole.users
    if ahead:
        surely = surely - ahead
        perhaps = perhaps | (ahead & (within | outside.whole.users | outside.edges))
    return _whether(times, surely, perhaps, all)


# Reading


async def read_deeds(
    asking: Asking, looked: Looked, spans: Spans, *, amounts: bool = False
) -> Mapping[int, Done]:
    """By shard. Whoever may have done it on a whole day, but not surely, is among the edges."""
    amounts = amounts or looked.counts
    listed = [*looked.of, *looked.others]
    about = (asking.session, asking.project_id, asking.shards, listed, [*spans.whole, *spans.edges])
    held = await deed_sets.read(*about, with_amounts=amounts)
    whole: defaultdict[int, list[Held]] = defaultdict(list)
    edges: defaultdict[int, list[BitMap]] = defaultdict(list)
    sure, partly = set(looked.of), set(spans.edges)
    for (shard, of, span), one in held.items():
        if span in partly or of not in sure:
            edges[shard].append(_doing(one, looked))
        else:
            whole[shard].append(one)
    return {
        shard: _done(looked, whole[shard], edges[shard], asking.ahead.get(shard))
        for shard in asking.everybody
    }


def _doing(held: Held, looked: Looked) -> BitMap:
    if not looked.counts:
        return held.users
    return BitMap() if held.amounts is None else BitMap(numbers_of(held.users)[held.amounts > 0])


def _done(looked: Looked, whole: list[Held], edges: list[BitMap], ahead: BitMap | None) -> Done:
    together = put_together(whole) if whole else Held(BitMap(), None)
    if looked.counts:
        together = _begun(together)
    partly = BitMap.union(*edges) if edges else BitMap()
    if not ahead:
        return Done(together, partly)
    early = together.users & ahead
    return Done(deed_sets.without(together, ahead), partly | early)


def _begun(held: Held) -> Held:
    """Those whose amount is more than nothing."""
    if held.amounts is None:
        return Held(BitMap(), None)
    begun = held.amounts > 0
    return Held(BitMap(numbers_of(held.users)[begun]), held.amounts[begun])
