"""Reads what rows of figures are made of: journeys by the page, or one journey day by day."""

from collections.abc import AsyncIterator, Sequence
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import orjson

from server.aggregates import ask
from server.aggregates.ask import Question, Span
from server.aggregates.calendar import day_of
from server.aggregates.drawn import Data, DrawnFigures, set_values
from server.errors import BadInput, NotFound
from server.store import journeys, versions, watermark
from server.store.journeys import Wanted
from server.store.paging import Page
from server.store.sessions import ReadSession
from server.store.tables import Journey

from .campaign import Campaign
from .sheets import Asked, Days

_AT_ONCE = 20
"""Journeys of one reading."""
_ORDER = "created_at"


def span_of(asked: Asked, days: Days) -> Span:
    """Raises BadInput for days that are none."""
    if days.first is not None and days.until is not None and days.until <= days.first:
        raise BadInput(f"The last day is not part of a period: {days.until} must lie after {days.first}.")
    return Span(asked.zone, days.first, days.until)


async def pages_of(asked: Asked, wanted: Wanted) -> AsyncIterator[Sequence[Journey]]:
    """The journeys wanted, the oldest first."""
    place = None
    while True:
        async with asked.db.read() as session:
            page = Page(_AT_ONCE, place=place)
            found = await journeys.page(session, asked.project_id, wanted, _ORDER, page, descending=False)
        if found.rows:
            yield found.rows
            place = (found.rows[-1].created_at, found.rows[-1].id)
        if not found.has_next:
            return


async def journey_of(asked: Asked, journey_id: int) -> Journey:
    """Raises NotFound."""
    async with asked.db.read() as session:
        found = await journeys.by_ids(session, asked.project_id, [journey_id])
    if journey_id not in found:
        raise NotFound("There is no such journey.")
    return found[journey_id]


async def graphs_of(session: ReadSession, asked: Asked, found: Sequence[Journey]) -> dict[int, list[Data]]:
    """By journey: what its versions draw, the newest first."""
    ids = [one.id for one in found if one.id is not None]
    published = await versions.by_journeys(session, asked.project_id, ids)
    return {one: [orjson.loads(version.graph) for version in published.get(one, ())] for one in ids}


async def campaigns(asked: Asked, found: Sequence[Journey], span: Span) -> list[Campaign]:
    """The figures of these journeys, all from one snapshot."""
    async with asked.db.read() as session:
        return await _campaigns(session, asked, found, span)


async def by_day(asked: Asked, journey: Journey, span: Span) -> AsyncIterator[Campaign]:
    """The figures of every day on which anything happened in the journey."""
    for day in await _days(asked, journey, span):
        one = Span(span.zone, day, day + timedelta(days=1))
        yield (await campaigns(asked, [journey], one))[0]


async def each(asked: Asked, found: Sequence[Journey], span: Span, *, daily: bool) -> AsyncIterator[Campaign]:
    """The figures of each journey, or of each of its days."""
    if not daily:
        for campaign in await campaigns(asked, found, span):
            yield campaign
        return
    for journey in found:
        async for campaign in by_day(asked, journey, span):
            yield campaign


async def _campaigns(
    session: ReadSession, asked: Asked, found: Sequence[Journey], span: Span
) -> list[Campaign]:
    drawn = await graphs_of(session, asked, found)
    mark = await watermark.of_project(session, asked.project_id, asked.shards, asked.as_of)
    values = {journey_id: set_values(journey_id, graphs) for journey_id, graphs in drawn.items()}
    question = Question(asked.project_id, span)
    answers = await ask.figures(session, question, asked.shards, values, _today(asked))
    made = []
    for journey in found:
        assert journey.id is not None
        figures = DrawnFigures(journey.id, answers[journey.id], drawn[journey.id], asked.observed)
        made.append(Campaign(journey, figures, span, asked.as_of, mark, asked.language))
    return made


async def _days(asked: Asked, journey: Journey, span: Span) -> list[date]:
    assert journey.id is not None
    question = Question(asked.project_id, span, hourly=True)
    async with asked.db.read() as session:
        found = await ask.figures(session, question, asked.shards, {journey.id: []}, _today(asked))
    zone = ZoneInfo(span.zone)
    began = {count.hour for count in found[journey.id].hours if count.n}
    return sorted({datetime.fromtimestamp(at / 1000, zone).date() for at in began})


def _today(asked: Asked) -> date:
    day = day_of(asked.as_of, asked.zone)
    return date(day // 10_000, day // 100 % 100, day % 100)
