"""Answers reports by hours, and by periods from each unit's own entry on: from the facts.

Sets are kept by day, so nothing finer can be asked of them. They say who can have come in; what those did is
read event by event, and counted in a thread.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import NamedTuple

from pyroaring import BitMap

from server.aggregates import deed_sets
from server.aggregates.calendar import covering, day_of, start_of
from server.clock import HOUR, Instant
from server.errors import BadInput
from server.segments.reading import Askable
from server.segments.sets import members
from server.store import watermark

from . import acts, facts, gathering, moments
from .acts import Source, Turn, kept_by
from .asking import Asker, refuse_many, refuse_wrong
from .assembling import averages
from .buckets import Periods, code_of, date_of, periods
from .definition import Act, Definition
from .facts import UnitKey, Where, Window
from .happenings import Enters, Past, life_of
from .moments import Cohort, Frame
from .report import Base, Cell, Group, Report, Row, scales
from .words import Alignment, AsOf, Denominator, Granularity, Kind, Metric, Mode
from .words import Unit as Who

_DAWN = date(2000, 1, 1)
"""Before anything that is kept by day."""
MOST_DAYS_OF_HOURS = 31
"""So many base days have 744 rows."""

Met = Mapping[int, Mapping[int, BitMap]]
"""By day and shard: who met a segment's conditions."""


class Gathered(NamedTuple):
    """Everything that was read for one report."""

    asked: Definition
    frame: Frame
    currency: str
    pasts: Mapping[UnitKey, Past]
    met: Met | None
    values: Sequence[str | None]
    left_out: int


async def report(
    asker: Asker,
    asked: Definition,
    segment: Askable | None,
    *,
    has_base: bool = True,
    most_cells: int | None = None,
) -> Report:
    """The whole answer. Raises BadInput, also for more events than can be read one by one."""
    found = await _gather(asker, asked, segment, most_cells)
    groups = await asyncio.to_thread(_groups, found, has_base=has_base)
    return Report(asked, asker.zone, found.currency, found.frame.watermark, groups, found.left_out)


async def _gather(
    asker: Asker, asked: Definition, segment: Askable | None, most_cells: int | None
) -> Gathered:
    refuse_wrong(asked)
    _refuse(asked)
    mark = await watermark.of_project(asker.session, asker.project_id, asker.shards, asker.now)
    rows = Granularity.DAY if asked.granularity is Granularity.HOUR else asked.granularity
    told = periods(replace(asked, granularity=rows), asker.zone, asker.now, mark)
    if asked.granularity is Granularity.HOUR and len(told.bases) > MOST_DAYS_OF_HOURS:
        raise BadInput(f"Hours go with {MOST_DAYS_OF_HOURS} base days at most, found {len(told.bases)}.")
    frame = _frame(asked, told, mark)
    unit = kept_by(asked.unit)
    paid = asked.currency or await gathering.currency(asker.where, unit)
    values: list[str | None] = [None]
    left_out = 0
    if asked.breakdown is not None:
        found, left_out = await gathering.values(asker.where, unit, asked.breakdown, told)
        values += found
    refuse_many((len(frame.starts) - 1) * len(asked.columns) * len(values), most_cells)
    pasts = await _pasts(asker, asked, told, frame, values)
    met = None if segment is None else await _met(asker, asked, told, segment)
    return Gathered(asked, frame, paid, pasts, met, values, left_out)


def _refuse(asked: Definition) -> None:
    every: tuple[Act, ...] = (asked.entry, asked.back, *asked.where)
    if any(act.kind is Kind.JOURNEY for act in every):
        raise BadInput(
            "What journeys bring about is kept by day: ask for days, weeks or months of the calendar."
        )


def _frame(asked: Definition, told: Periods, mark: Instant) -> Frame:
    """Base periods begin as those of the calendar do, however those after them are counted."""
    is_rolling = not (asked.granularity is Granularity.HOUR and asked.alignment is Alignment.CALENDAR)
    begin, end = start_of(told.bases[0].first, told.zone), start_of(told.bases[-1].until, told.zone)
    if asked.granularity is Granularity.HOUR:
        # Hours that have not begun are no base dates yet.
        starts = list(range(begin, min(end, mark - 1) + HOUR, HOUR))
    else:
        starts = [*(start_of(bucket.first, told.zone) for bucket in told.bases), end]
    return Frame(starts, moments.LENGTHS[asked.granularity], is_rolling, told.zone, mark)


async def _pasts(
    asker: Asker, asked: Definition, told: Periods, frame: Frame, values: Sequence[str | None]
) -> Mapping[UnitKey, Past]:
    where = Where(asker.session, asker.project_id, asker.shards, asker.zone)
    turned = [one for value in values for one in _sources(asked, value) if one.turn is not Turn.ANY]
    before = covering(_DAWN, told.bases[0].first) if turned else []
    came = await _came(asker, asked, told)
    return await facts.pasts(
        where, kept_by(asked.unit), came, _window(asked, frame), list(dict.fromkeys(turned)), before
    )


def _sources(asked: Definition, value: str | None) -> Iterator[Source]:
    yield from acts.entry_of(asked, value).all
    yield from acts.back_of(asked, value).all
    for metric in (Metric.VISITS, Metric.PURCHASES, Metric.REVENUE):
        for parts in acts.measured(asked, metric, "", value):
            yield from parts.beside if parts else ()


async def _came(asker: Asker, asked: Definition, told: Periods) -> dict[int, BitMap]:
    """By shard: the users who did on a base day what coming in is. More than come in in the end."""
    ofs = acts.source_of(asked.entry, Who.USER).ofs
    days = [code_of(day) for bucket in told.bases for day in bucket.days]
    found: dict[int, BitMap] = {}
    held = await deed_sets.read(*asker.where, ofs, days, with_amounts=False)
    for (shard, _, _), one in held.items():
        found[shard] = found.get(shard, BitMap()) | one.users
    return found


def _window(asked: Definition, frame: Frame) -> Window:
    """From the first base date on, as far as any cell looks, and to the end of that day."""
    if asked.mode is Mode.ON_OR_AFTER:
        return Window(frame.starts[0], frame.watermark)
    last = frame.starts[-1] + (max(last for _, last in asked.columns) + 1) * frame.length
    ends = start_of(date_of(last, frame.zone) + timedelta(days=1), frame.zone)
    return Window(frame.starts[0], min(ends, frame.watermark))


async def _met(asker: Asker, asked: Definition, told: Periods, segment: Askable) -> Met:
    """As of the end of each base day, or as of now on all of them."""
    days = [day for bucket in told.bases for day in bucket.days]
    is_now = asked.segment is not None and asked.segment.as_of is AsOf.NOW
    known: dict[Instant, Mapping[int, BitMap]] = {}
    found: dict[int, Mapping[int, BitMap]] = {}
    for day in days:
        ends = start_of(day + timedelta(days=1), asker.zone)
        at = asker.now if is_now else min(ends - 1, asker.now)
        if at not in known:
            known[at] = await members(*asker.where, segment.question, segment.lists, at)
        found[code_of(day)] = known[at]
    return found


def _groups(found: Gathered, *, has_base: bool) -> list[Group]:
    return [_group(found, value, has_base=has_base) for value in found.values]


def _group(found: Gathered, value: str | None, *, has_base: bool) -> Group:
    lives = (
        life_of(past, found.asked, found.currency, value, _enters(found, key))
        for key, past in found.pasts.items()
    )
    counted = moments.count(found.frame, found.asked, lives)
    rows = [_row(found, base, cohort, has_base=has_base) for base, cohort in enumerate(counted)]
    return Group(value, rows, averages(rows), _total(rows))


def _enters(found: Gathered, key: UnitKey) -> Enters:
    since, until = found.frame.starts[0], found.frame.starts[-1]
    (shard, number), _ = key

    def enters(at: Instant) -> bool:
        if not since <= at < until:
            return False
        return found.met is None or number in found.met[day_of(at, found.frame.zone)].get(shard, ())

    return enters


def _row(found: Gathered, base: int, cohort: Cohort, *, has_base: bool) -> Row:
    frame = found.frame
    starts_at, ends_at = frame.starts[base], frame.starts[base + 1]
    figures = (cohort.visits, cohort.purchases, cohort.revenue) if has_base else (0, 0, 0)
    told = Base(cohort.size, *figures)
    about = (
        starts_at,
        ends_at,
        date_of(starts_at, frame.zone),
        cohort.size,
        told,
        ends_at <= frame.watermark,
    )
    return Row(*about, _cells(found, base, cohort))


def _cells(found: Gathered, base: int, cohort: Cohort) -> list[Cell]:
    asked, frame = found.asked, found.frame
    scale, base_scale = scales(asked.metric, asked.denominator)
    cells: list[Cell] = []
    for place, (first, last) in enumerate(asked.columns):
        times: tuple[Instant | None, Instant | None] = (None, None)
        if not frame.is_rolling:
            times = (frame.starts[base] + first * HOUR, frame.starts[base] + (last + 1) * HOUR)
        cell = Cell(
            first,
            last,
            *times,
            None if times[0] is None else date_of(times[0], frame.zone),
            cohort.cells[place] if frame.begun(base, first) else None,
            _denominator(found, base, cohort, place, cells),
            frame.complete(base, last),
            scale,
            base_scale,
        )
        cells.append(cell)
    return cells


def _denominator(
    found: Gathered, base: int, cohort: Cohort, place: int, earlier: Sequence[Cell]
) -> int | None:
    asked = found.asked
    plain: dict[Denominator, Callable[[], int]] = {
        Denominator.COHORT_SIZE: lambda: cohort.size,
        Denominator.ELIGIBLE: lambda: cohort.eligible[place],
        Denominator.BASE_METRIC: lambda: cohort.metric,
    }
    if asked.denominator in plain:
        return plain[asked.denominator]()
    if place > 0:
        return earlier[-1].numerator
    first = asked.first_period
    has_one = first > 0 and asked.mode is not Mode.BRACKETS and found.frame.begun(base, first - 1)
    return cohort.before if has_one else None


def _total(rows: Sequence[Row]) -> Base:
    return Base(*(sum(row.base[place] for row in rows) for place in range(len(Base._fields))))
