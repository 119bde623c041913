"""Cohort reports as files: the page that somebody looks at, and everything of its period."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from server.cohorts.answering import answer, segment_of
from server.cohorts.asking import Asker
from server.cohorts.definition import Act, Definition, wrongs
from server.cohorts.report import Report
from server.cohorts.stored import from_data
from server.cohorts.words import DeviceFilter, Metric
from server.cohorts.words import Kind as Deed
from server.errors import BadInput, NotFound
from server.store import journeys
from server.store.sessions import ReadSession

from . import cohort_words as words
from .cohort_book import CohortBook
from .cohort_lines import Looks, View, columns, rows
from .heat import Scale
from .sheets import Arguments, Asked, Drawn, Kind, Page, Sheet

METRICS = (Metric.PEOPLE, Metric.VISITS, Metric.PURCHASES, Metric.REVENUE)


class CohortArguments(Arguments):
    """One report, or all that its period has to say."""

    definition: dict[str, Any]
    """As `server.cohorts.stored` has it: a job outlives a release."""
    view: View = View.RATIO
    scale: Scale = Scale.TABLE
    title: str = ""
    """Of a saved report: its name."""


class EveryCohortArguments(Arguments):
    definition: dict[str, Any]
    scale: Scale = Scale.TABLE
    title: str = ""


async def open_cohort(asked: Asked, arguments: CohortArguments) -> Sheet:
    definition = _checked(arguments.definition)
    about = (arguments.title or words.TITLE.in_(asked.language), (arguments.view,), arguments.scale)
    return await _sheet(asked, [definition], *about, of_several=False)


async def open_every_cohort(asked: Asked, arguments: EveryCohortArguments) -> Sheet:
    """All metrics on all devices, in values and in ratios."""
    definitions = list(every(_checked(arguments.definition)))
    title = " ".join(filter(None, (arguments.title, words.EVERYTHING.in_(asked.language))))
    return await _sheet(asked, definitions, title, tuple(View), arguments.scale, of_several=True)


def every(asked: Definition) -> Iterator[Definition]:
    """What a report says with each metric and each device; what it asks for itself comes first."""
    for metric in dict.fromkeys((asked.metric, *METRICS)):
        is_of_people = metric in (Metric.PEOPLE, Metric.TIMES)
        for device in DeviceFilter:
            one = replace(asked, metric=metric, device=device)
            one = one if is_of_people else replace(one, returning=None)
            if not any(wrongs(one)):
                yield one


async def _sheet(
    asked: Asked,
    definitions: list[Definition],
    title: str,
    views: tuple[View, ...],
    scale: Scale,
    *,
    of_several: bool,
) -> Sheet:
    async with asked.db.read() as session:
        # A segment that is gone is refused before a job begins.
        await segment_of(_asker(asked, session), definitions[0])
        titles = await _titles(session, asked, definitions[0])
    looks = Looks(asked.language, views, of_several, titles)
    pages = _pages(asked, definitions, looks)

    def book(path: Path, folder: Path) -> Drawn:
        return CohortBook(path, folder, looks, scale)

    return Sheet(title, columns(definitions[0], looks), pages, book=book)


async def _pages(asked: Asked, definitions: list[Definition], looks: Looks) -> AsyncIterator[Page]:
    """A report at a time, whole."""
    for definition in definitions:
        report = await _answer(asked, definition)
        yield Page(rows(report, looks), [], report)


async def _answer(asked: Asked, definition: Definition) -> Report:
    async with asked.db.read() as session:
        return await answer(_asker(asked, session), definition)


def _asker(asked: Asked, session: ReadSession) -> Asker:
    return Asker(session, asked.project_id, asked.shards, asked.zone, asked.as_of)


def _checked(data: dict[str, Any]) -> Definition:
    """Raises BadInput for what cannot be."""
    definition = from_data(data)
    for field, why in wrongs(definition):
        raise BadInput(f"{field}: {why}")
    return definition


async def _titles(session: ReadSession, asked: Asked, definition: Definition) -> dict[int, str]:
    """Of the journeys that are named. Raises NotFound for one that is gone."""
    acts: tuple[Act, ...] = (definition.entry, definition.back, *definition.where)
    ids = sorted({act.journey_id for act in acts if act.kind is Deed.JOURNEY})
    found = await journeys.by_ids(session, asked.project_id, ids) if ids else {}
    if len(found) < len(ids):
        raise NotFound("The report names a journey that is not in this project.")
    return {one: journey.title for one, journey in found.items()}


COHORT = Kind("cohort", CohortArguments, open_cohort, of_people=False, goes_on=False)
EVERY_COHORT = Kind("every_cohort", EveryCohortArguments, open_every_cohort, of_people=False, goes_on=False)
