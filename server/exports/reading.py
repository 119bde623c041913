"""Reads what rows of figures are made of: journeys by the page, or one journey day by day."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

import orjson

from server.aggregates import ask
from server.aggregates.ask import DAYS, Answer, Question, Span
from server.aggregates.calendar import ENTERED, HAPPENED, day_of
from server.aggregates.drawn import Data, DrawnFigures, set_values
from server.aggregates.metrics import Metric
from server.errors import BadInput, NotFound
from server.store import journeys, versions, watermark
from server.store.journeys import Wanted
from server.store.paging import Page
from server.store.sessions import ReadSession
from server.store.tables import Journey

from .campaign import Campaign
from .sheets import Asked, Days

_AT_ONCE = 20
"""Journeys, or days of one, of one reading."""
_ORDER = "created_at"
_EVERY_METRIC = frozenset((metric.value, DAYS) for metric in Metric)


class Clock(StrEnum):
    """What decides the day into which a figure falls."""

    HAPPENED = "happened"
    ENTERED = "entered"


_CLOCKS = {Clock.HAPPENED: HAPPENED, Clock.ENTERED: ENTERED}


class Period(Days):
    """Days, by one of the clocks."""

    clock: Clock = Clock.HAPPENED
    daily: bool = False
    """A row for each day on which anything happened, instead of one for the whole period."""


@dataclass(frozen=True, slots=True)
class Asking:
    """Which figures of whatever journeys."""

    span: Span
    clock: Clock
    daily: bool


def asking(asked: Asked, period: Period) -> Asking:
    """Raises BadInput for days that are none."""
    first, until = period.first, period.until
    if first is not None and until is not None and until <= first:
        raise BadInput(f"The last day is not part of a period: {until} must lie after {first}.")
    return Asking(Span(asked.zone, first, until), period.clock, period.daily)


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


async def each(asked: Asked, found: Sequence[Journey], asking: Asking) -> AsyncIterator[Campaign]:
    """The figures of each journey, or of each of its days; those of one reading are from one snapshot."""
    if not asking.daily:
        for campaign in await _campaigns(asked, found, asking.clock, [asking.span]):
            yield campaign
        return
    for journey in found:
        days = [Span(asked.zone, day, day + timedelta(days=1)) for day in await _days(asked, journey, asking)]
        for start in range(0, len(days), _AT_ONCE):
            for campaign in await _campaigns(asked, [journey], asking.clock, days[start : start + _AT_ONCE]):
                yield campaign


async def _campaigns(
    asked: Asked, found: Sequence[Journey], clock: Clock, spans: Sequence[Span]
) -> list[Campaign]:
    async with asked.db.read() as session:
        drawn = await graphs_of(session, asked, found)
        mark = await watermark.of_project(session, asked.project_id, asked.shards, asked.as_of)
        values = {journey_id: set_values(journey_id, graphs) for journey_id, graphs in drawn.items()}
        made = []
        for span in spans:
            question = Question(asked.project_id, span, clock=_CLOCKS[clock])
            answers = await ask.figures(session, question, asked.shards, values, _today(asked))
            about = (span, clock.value, asked.as_of, mark)
            made += [Campaign(one, _drawn(one, answers, drawn, asked), *about) for one in found]
    return made


def _drawn(
    journey: Journey, answers: Mapping[int, Answer], drawn: Mapping[int, list[Data]], asked: Asked
) -> DrawnFigures:
    assert journey.id is not None
    return DrawnFigures(journey.id, answers[journey.id], drawn[journey.id], asked.observed)


async def _days(asked: Asked, journey: Journey, asking: Asking) -> list[date]:
    """Those on which anything happened in the journey."""
    assert journey.id is not None
    clock = _CLOCKS[asking.clock]
    question = Question(asked.project_id, asking.span, clock=clock, users=False, series=_EVERY_METRIC)
    async with asked.db.read() as session:
        found = await ask.figures(session, question, asked.shards, {journey.id: []}, _today(asked))
    zone = ZoneInfo(asked.zone)
    began = {count.at for count in found[journey.id].series[DAYS] if count.n}
    return sorted(datetime.fromtimestamp(at / 1000, zone).date() for at in began)


def _today(asked: Asked) -> date:
    day = day_of(asked.as_of, asked.zone)
    return date(day // 10_000, day // 100 % 100, day % 100)
