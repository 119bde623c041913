"""Cohort reports, and the people behind their cells."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date
from typing import NamedTuple

import orjson
from pyroaring import BitMap

from server.cohorts import answering, asking, people
from server.cohorts.asking import Asker
from server.cohorts.buckets import date_of
from server.cohorts.definition import Definition, wrongs
from server.cohorts.narrowing import base_day, narrowed
from server.cohorts.people import Place, Side
from server.cohorts.report import Report
from server.cohorts.stored import to_data
from server.cohorts.words import Alignment, Granularity, Kind, Unit
from server.context import Context
from server.errors import BadInput
from server.journey.moment import Path
from server.segments import reading
from server.segments.reading import Askable
from server.store import inbox, segments, setup, user_lists
from server.store.paging import Page, Slice
from server.store.sessions import ReadSession, WriteSession

from . import segments as segments_of
from .once import Answer, once
from .refusals import Invalid, Missing, Taken

MOST_CELLS = 3000
"""Of one answer: rows by columns, by everybody and each value of a breakdown."""
MOST_TOLD_AT_ONCE = 5000


class Told(NamedTuple):
    """A report, and what the journeys that it names are called."""

    report: Report
    titles: dict[int, str]


class Cell(NamedTuple):
    """One cell, as whoever asks names it."""

    base: date
    period: int | None
    value: str | None
    side: Side
    path: Path
    """Where it was named."""


class Behind(NamedTuple):
    """Some people of a cell, and how many there are, of the report's unit."""

    found: Slice
    units: int


async def report(context: Context, asked: Definition, path: Path, *, has_base: bool) -> Told:
    """Raises Invalid, InvalidConditions, Missing."""
    refuse_wrong(asked, path)
    async with _asker(context) as asker:
        titles = await _titles(context, asked, path)
        segment = await segment_of(asker.session, context, asked, path)
        try:
            found = await answering.report(asker, asked, segment, has_base=has_base, most_cells=MOST_CELLS)
        except BadInput as error:
            raise Invalid(error.message, tuple(path)) from error
    return Told(found, titles)


async def behind(context: Context, asked: Definition, cell: Cell, page: Page, path: Path) -> Behind:
    """One page of the people behind a cell. Raises Invalid, InvalidConditions, Missing."""
    async with _asker(context) as asker:
        sets, count = await _behind(asker, context, asked, cell, path)
        return Behind(await people.page(asker.session, context.project_id, sets, page), count)


async def make_segment(
    context: Context, name: str, asked: Definition, cell: Cell, path: Path, key: str | None
) -> Answer:
    """Puts the people behind a cell on a list, and makes a segment of the list: both of this name.

    Raises Invalid, InvalidConditions, Missing, Taken.
    """
    name = segments_of.checked_name(name)
    async with _asker(context) as asker:
        sets, _ = await _behind(asker, context, asked, cell, path)

    async def work(session: WriteSession) -> Answer:
        await _refuse_taken(session, context, name)
        return await _keep(session, context, name, sets)

    wish = ("createSegmentFromCohort", [name, to_data(asked), *map(str, cell)])
    answer = await once(context, key, wish, work)
    context.wake()
    return answer


def refuse_wrong(asked: Definition, path: Path) -> None:
    """Raises Invalid with everything that cannot be; the path is that of the first."""
    found = list(wrongs(asked))
    if found:
        raise Invalid(" ".join(why for _, why in found), (*path, found[0][0]))


async def segment_of(session: ReadSession, context: Context, asked: Definition, path: Path) -> Askable | None:
    """The conditions of the report's segment. Raises Missing, InvalidConditions."""
    if asked.segment is None:
        return None
    if asked.segment.conditions is not None:
        where = (*path, "segment", "conditions")
        return await segments_of.read(session, context, asked.segment.conditions, where)
    found = await reading.stored(session, context.project_id, asked.segment.name)
    if found is None:
        raise Missing(f"There is no segment {asked.segment.name!r}.", (*path, "segment", "name"))
    return found


@asynccontextmanager
async def _asker(context: Context) -> AsyncIterator[Asker]:
    zone = (await context.loaders.project_by_id.load(context.project_id)).time_zone
    async with context.db.read() as session:
        yield Asker(session, context.project_id, context.shards, zone, context.clock.now())


async def _titles(context: Context, asked: Definition, path: Path) -> dict[int, str]:
    """What the journeys of a report are called. Raises Missing for one of another project."""
    acts = [("entry", asked.entry), ("return", asked.back)]
    acts += [(f"where.{place}", act) for place, act in enumerate(asked.where)]
    titles: dict[int, str] = {}
    for name, act in acts:
        if act.kind is Kind.JOURNEY and act.journey_id not in titles:
            journey = await context.loaders.journey_by_id.load(act.journey_id)
            if journey is None:
                where = (*path, *name.split("."), "journey", "id")
                raise Missing("There is no such journey in this project.", where)
            titles[act.journey_id] = journey.title
    return titles


async def _behind(
    asker: Asker, context: Context, asked: Definition, cell: Cell, path: Path
) -> tuple[dict[int, BitMap], int]:
    """The people behind a cell by shard, and how many units they are."""
    refuse_wrong(asked, path)
    if asked.alignment is Alignment.ROLLING or asked.granularity is Granularity.HOUR:
        raise Invalid("People are told behind cells of days, weeks and months by the calendar.", tuple(path))
    await _titles(context, asked, path)
    segment = await segment_of(asker.session, context, asked, path)
    try:
        base, column = await _place(asker, asked, cell)
        today = date_of(asker.now, asker.zone)
        small = narrowed(asked, base, column, cell.value, today)
        found = await asking.gather(asker, small, segment, has_base=False, most_cells=MOST_CELLS)
    except BadInput as error:
        raise Invalid(error.message, tuple(path)) from error
    place = Place(len(found.work.periods.bases) - 1, 0, cell.value)
    if column is not None and place.base + column[0] >= len(found.work.periods.reached):
        raise Invalid("This period has not begun yet.", (*cell.path, "period"))
    units = await asyncio.to_thread(people.behind, found, place, cell.side)
    count = sum(map(len, units.values()))
    return await people.users_of(asker, Unit(asked.unit), units), count


async def _place(asker: Asker, asked: Definition, cell: Cell) -> tuple[date, tuple[int, int] | None]:
    """A base day and the column of the cell; a whole cohort has none. Raises Invalid, BadInput."""
    base = base_day(asked, cell.base, date_of(asker.now, asker.zone))
    if base is None:
        raise Invalid(f"The report has no base date {cell.base}.", (*cell.path, "baseDate"))
    if cell.value is not None and cell.value not in await asking.values(asker, asked):
        raise Invalid(f"The report has no value {cell.value!r}.", (*cell.path, "value"))
    if cell.side is Side.COHORT:
        return base, None
    column = next((one for one in asked.columns if one[0] == cell.period), None)
    if column is None:
        raise Invalid(f"The report has no period {cell.period}.", (*cell.path, "period"))
    return base, column


async def _refuse_taken(session: WriteSession, context: Context, name: str) -> None:
    if await segments.has_name(session, context.project_id, name):
        raise Taken(f"Another segment has the name {name!r}.", ("input", "name"))
    if await user_lists.named(session, context.project_id, name):
        raise Taken(f"Another list has the name {name!r}.", ("input", "name"))


async def _keep(session: WriteSession, context: Context, name: str, sets: dict[int, BitMap]) -> Answer:
    """The list fills by the inboxes of its people's shards, as one that is uploaded does."""
    now, project_id = context.clock.now(), context.project_id
    made = await user_lists.create(session, project_id, name, now)
    conditions = orjson.dumps({"in_list": name}).decode()
    segment = await segments.create(session, project_id, name, conditions, now)
    await setup.touch_catalog(session)
    entries = [
        inbox.Entry(
            shard,
            project_id,
            user_lists.LIST_ADD,
            orjson.dumps({"list_id": made.id, "numbers": some, "at": now}),
            now,
        )
        for shard, users in sets.items()
        for some in _chunks(users)
    ]
    await inbox.append(session, entries)
    return {"segment_id": segment.id, "list_id": made.id, "people": sum(map(len, sets.values()))}


def _chunks(users: BitMap) -> list[list[int]]:
    numbers = list(users)
    return [numbers[at : at + MOST_TOLD_AT_ONCE] for at in range(0, len(numbers), MOST_TOLD_AT_ONCE)]
