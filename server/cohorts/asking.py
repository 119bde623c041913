"""Answers a cohort report: reads what it looks at, has it counted in a thread, and puts it together."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from pyroaring import BitMap

from server.aggregates.deed_sets import ALL_SHARDS
from server.aggregates.held import users_at_once
from server.clock import Instant
from server.errors import BadInput
from server.segments.reading import Askable
from server.segments.sets import members
from server.store import watermark
from server.store.sessions import ReadSession

from . import counting, devices, gathering
from .acts import kept_by
from .assembling import group
from .buckets import Periods, periods
from .counting import Segments, Work
from .definition import Definition, wrongs
from .gathering import Where
from .listed import refuse_untold
from .report import Group, Report
from .shelf import Shelf
from .words import AsOf, Metric, Unit

MOST_MOMENTS = 60
"""As of which a segment is asked in one answer: each of them asks everybody again."""


class Asker(NamedTuple):
    """Who asks, and when: everything comes from the one snapshot of this session."""

    session: ReadSession
    project_id: int
    shards: int
    zone: str
    now: Instant

    @property
    def where(self) -> Where:
        return Where(self.session, self.project_id, self.shards)


class Gathered(NamedTuple):
    """Everything that was read for one report."""

    work: Work
    shelves: Mapping[int, Shelf]
    segments: Segments | None
    values: Sequence[str | None]
    left_out: int
    watermark: Instant


async def report(
    asker: Asker,
    asked: Definition,
    segment: Askable | None,
    *,
    has_base: bool = True,
    most_cells: int | None = None,
) -> Report:
    """The whole answer. `segment` are the conditions of the definition's. Raises BadInput."""
    found = await gather(asker, asked, segment, has_base=has_base, most_cells=most_cells, in_one=True)
    groups = await asyncio.to_thread(_groups, found)
    about = (found.work.periods.zone, found.work.currency, found.watermark)
    return Report(asked, *about, groups, found.left_out)


async def gather(
    asker: Asker,
    asked: Definition,
    segment: Askable | None,
    *,
    has_base: bool = True,
    most_cells: int | None = None,
    in_one: bool = False,
) -> Gathered:
    """Reads what a report looks at, of each shard or of all in one. Raises BadInput."""
    refuse_wrong(asked)
    await refuse_untold(asker.where, asked)
    mark = await watermark.of_project(asker.session, asker.project_id, asker.shards, asker.now)
    told = periods(asked, asker.zone, asker.now, mark)
    unit = kept_by(asked.unit)
    paid = asked.currency
    if not paid and (has_base or asked.metric is Metric.REVENUE):
        paid = await gathering.currency(asker.where, unit)
    # Everybody comes first, and the values of a breakdown after that.
    values: list[str | None] = [None]
    left_out = 0
    if asked.breakdown is not None:
        found, left_out = await gathering.values(asker.where, unit, asked.breakdown, told)
        values += found
    refuse_many(len(told.bases) * len(asked.columns) * len(values), most_cells)
    spans, places = gathering.spans_of(asked, told)
    work = Work(asked, told, paid, places, has_base)
    shelves = await gathering.shelves(asker.where, work, spans, values, in_one=in_one)
    met = None if segment is None else await _segments(asker, asked, told, segment, most_cells)
    if met is not None and in_one:
        met = [{ALL_SHARDS: users_at_once(one, asker.shards)} for one in met]
    return Gathered(work, shelves, met, values, left_out, mark)


async def values(asker: Asker, asked: Definition) -> Sequence[str]:
    """Those of its breakdown that a report shows. Raises BadInput."""
    if asked.breakdown is None:
        return ()
    told = periods(asked, asker.zone, asker.now, asker.now)
    found, _ = await gathering.values(asker.where, kept_by(asked.unit), asked.breakdown, told)
    return found


def refuse_many(cells: int, most: int | None) -> None:
    """Raises BadInput."""
    if most is not None and cells > most:
        raise BadInput(
            f"The report has {cells:,} cells; {most:,} are allowed in one answer. Ask for fewer base dates, "
            "periods or values, or have it exported."
        )


def refuse_wrong(asked: Definition) -> None:
    """Raises BadInput with everything that cannot be."""
    found = [f"`{field}`: {why}" for field, why in wrongs(asked)]
    if found:
        raise BadInput(" ".join(found))


def looks_back(asked: Definition, segment: Askable) -> bool:
    """Whether its segment has to be asked anew for each base date."""
    is_now = asked.segment is not None and asked.segment.as_of is AsOf.NOW
    return not is_now and bool(segment.question.wants().past)


def refuse_many_moments(moments: int, most_cells: int | None) -> None:
    """What is answered while somebody waits asks everybody so often at most. Raises BadInput."""
    if most_cells is not None and moments > MOST_MOMENTS:
        raise BadInput(
            f"The segment looks at what was done and would be asked as of {moments} base dates; "
            f"{MOST_MOMENTS} are allowed in one answer. Ask for fewer base dates, or as of now, or have it "
            "exported."
        )


def _groups(found: Gathered) -> list[Group]:
    counted = counting.count(found.work, found.shelves, found.segments, found.values)
    return [
        group(found.work, one, value, found.watermark)
        for one, value in zip(counted, found.values, strict=True)
    ]


async def _segments(
    asker: Asker, asked: Definition, told: Periods, segment: Askable, most_cells: int | None
) -> list[dict[int, BitMap]]:
    """Who met the conditions at the end of each base period, so that nobody is in for what came later."""
    bases = range(min(len(told.bases), len(told.reached)))
    # The last millisecond is still of the period: "in the last 3 days" ends with it.
    moments = [min(told.ends(base, 0, 0)[1] - 1, asker.now) for base in bases]
    if not looks_back(asked, segment):
        moments = [asker.now for _ in bases]
    refuse_many_moments(len(set(moments)), most_cells)
    known: dict[Instant, dict[int, BitMap]] = {}
    for at in moments:
        if at not in known:
            known[at] = await _met(asker, asked, segment, at)
    return [known[at] for at in moments]


async def _met(asker: Asker, asked: Definition, segment: Askable, at: Instant) -> dict[int, BitMap]:
    met = await members(*asker.where, segment.question, segment.lists, at)
    if asked.unit is not Unit.DEVICE:
        return met
    owners = await devices.owners(*asker.where)
    return {shard: owners[shard].of(users) for shard, users in met.items()}
