"""Reads what a report looks at, all in one snapshot and in few statements."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import NamedTuple

from pyroaring import BitMap
from sqlalchemy import select

from server.aggregates import deed_sets
from server.aggregates.calendar import ALL_TIME, covering
from server.aggregates.deed_sets import ALL_SHARDS, Held, Of
from server.aggregates.deeds import LIMITED, OTHER, Deed
from server.aggregates.held import users_at_once
from server.store.bulk import table_of
from server.store.sessions import ReadSession
from server.store.tables import DeedSet, DeedValue

from . import acts, journeys
from .acts import JourneySets, Source, Turn
from .buckets import Periods, code_of
from .counting import Work
from .definition import Breakdown, Definition
from .shelf import Shelf, Span
from .words import Granularity, Metric

_DAWN = date(2000, 1, 1)
"""Before anything that is kept by day."""
_sets, _values = table_of(DeedSet), table_of(DeedValue)
HeldSets = dict[int, dict[tuple[Of, Span], Held]]
"""By shard."""
_BASE_METRICS = (Metric.VISITS, Metric.PURCHASES, Metric.REVENUE)


class Where(NamedTuple):
    """What is read from."""

    session: ReadSession
    project_id: int
    shards: int


def spans_of(asked: Definition, periods: Periods) -> tuple[list[Span], list[range]]:
    """The stored spans from the first base date on, and which of them make up each period.

    Months are read as they are stored where nothing has to have been done on one and the same day.
    """
    spans: list[Span] = []
    places: list[range] = []
    for bucket in periods.reached:
        own = covering(*bucket) if _is_wide(asked) else [code_of(day) for day in bucket.days]
        places.append(range(len(spans), len(spans) + len(own)))
        spans += own
    return spans, places


def _is_wide(asked: Definition) -> bool:
    if asked.granularity is not Granularity.MONTH or asked.breakdown is not None:
        return False
    every = (acts.entry_of(asked), acts.back_of(asked))
    return all(not parts.beside and parts.act.turn in (Turn.ANY, Turn.FIRST) for parts in every)


async def shelves(
    where: Where, work: Work, spans: Sequence[Span], values: Sequence[str | None], *, in_one: bool = False
) -> dict[int, Shelf]:
    """By shard, everything that is needed to count; `in_one` for ALL_SHARDS, see `deed_sets.read`."""
    wanted = _wanted(work, values)
    begun = len(work.places) and work.places[: len(work.periods.bases)][-1][-1] + 1
    back = [source for source in wanted.sets if source.turn is not Turn.ANY]
    before = covering(_DAWN, work.periods.bases[0].first) if back else []
    held: HeldSets = {shard: {} for shard in ((ALL_SHARDS,) if in_one else range(where.shards))}
    await _read(where, held, _ofs(wanted.sets), spans)
    await _read(where, held, _ofs(back), before)
    # What is read with amounts takes the place of what was read without.
    await _read(where, held, _ofs(wanted.in_base), spans[:begun], with_amounts=True)
    await _read(where, held, _ofs(wanted.summed), spans, with_amounts=True)
    brought = await journeys.read(*where, _journeys(wanted.sets), [*before, *spans])
    if in_one:
        brought = {ALL_SHARDS: _in_one(brought, where.shards)}
    return {shard: Shelf(spans, before, held[shard], brought[shard]) for shard in held}


def _in_one(brought: Mapping[int, journeys.Sets], shards: int) -> journeys.Sets:
    keys = {key for sets in brought.values() for key in sets}
    return {
        key: users_at_once({shard: sets[key] for shard, sets in brought.items() if key in sets}, shards)
        for key in keys
    }


class _Wanted(NamedTuple):
    sets: list[Source]
    """Of which it is asked who."""
    summed: list[Source]
    """Of which it is asked how much, in every period."""
    in_base: list[Source]
    """The same of base periods only."""


def _wanted(work: Work, values: Sequence[str | None]) -> _Wanted:
    asked = work.asked
    found = _Wanted([], [], [])
    for value in values:
        found.sets.extend(acts.entry_of(asked, value).all)
        if asked.metric is Metric.PEOPLE:
            found.sets.extend(acts.back_of(asked, value).all)
        else:
            _measure(found.summed, found.sets, work, asked.metric, value)
        for metric in _BASE_METRICS if work.has_base else ():
            _measure(found.in_base, found.sets, work, metric, value)
    return _Wanted(*(list(dict.fromkeys(one)) for one in found))


def _measure(summed: list[Source], sets: list[Source], work: Work, metric: Metric, value: str | None) -> None:
    for parts in acts.measured(work.asked, metric, work.currency, value):
        if parts is not None:
            summed.append(parts.act)
            sets.extend(parts.beside)


def _ofs(sources: Iterable[Source]) -> list[Of]:
    return list(dict.fromkeys(of for source in sources for of in source.ofs))


def _journeys(sources: Iterable[Source]) -> list[JourneySets]:
    return [source.journey for source in sources if source.journey is not None]


async def _read(
    where: Where, held: HeldSets, ofs: Sequence[Of], spans: Sequence[Span], *, with_amounts: bool = False
) -> None:
    found = await deed_sets.read(*where, ofs, spans, with_amounts=with_amounts, in_one=ALL_SHARDS in held)
    for (shard, of, span), one in found.items():
        held[shard][of, span] = one


async def currency(where: Where, unit: str) -> str:
    """The currency in which most have paid; empty if nobody has paid at all."""
    ofs = [Of(unit, Deed.SPENT, value) for value in await _stored_values(where, unit, Deed.SPENT)]
    return next(iter(await _largest(where, ofs)), "")


async def values(where: Where, unit: str, breakdown: Breakdown, periods: Periods) -> tuple[list[str], int]:
    """The values of a breakdown: the named ones, or else those of most people in the months of the base
    dates; and how many are left out."""
    dimension = breakdown.dimension
    if breakdown.values:
        return list(breakdown.values), 0
    if dimension in LIMITED:
        listed = await _known_values(where, dimension)
    else:
        listed = await _stored_values(where, unit, dimension)
    months = sorted({code_of(bucket.first) // 100 for bucket in periods.bases})
    found = await _largest(where, [Of(unit, dimension, value) for value in listed], months)
    return found[: breakdown.most], max(0, len(found) - breakdown.most)


async def _known_values(where: Where, dimension: str) -> list[str]:
    rows = await where.session.rows(
        select(_values.c.value).where(
            _values.c.project_id == where.project_id, _values.c.dimension == dimension
        )
    )
    return [*(row.value for row in rows), OTHER]


async def _stored_values(where: Where, unit: str, dimension: str) -> list[str]:
    statement = (
        select(_sets.c.value)
        .where(_sets.c.shard.in_(list(range(where.shards))), _sets.c.project_id == where.project_id)
        .where(_sets.c.unit == unit, _sets.c.dimension == dimension, _sets.c.span == ALL_TIME)
        .distinct()
    )
    return [row.value for row in await where.session.rows(statement)]


async def _largest(where: Where, ofs: Sequence[Of], spans: Sequence[Span] = (ALL_TIME,)) -> list[str]:
    """Values by how many people they had in these spans, most first; those that had nobody not at all."""
    people: defaultdict[tuple[int, str], BitMap] = defaultdict(BitMap)
    for (shard, of, _), one in (
        await deed_sets.read(*where, ofs, spans, with_amounts=False, in_one=True)
    ).items():
        people[shard, of.value] |= one.users
    sizes: defaultdict[str, int] = defaultdict(int)
    for (_, value), users in people.items():
        sizes[value] += len(users)
    return sorted((value for value in sizes if sizes[value]), key=lambda value: (-sizes[value], value))
