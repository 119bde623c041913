"""Saved cohort reports: made, changed, taken away, listed, and what of them is gone meanwhile."""

from collections.abc import Iterator

import orjson

from server.cohorts.definition import Act, Definition, wrongs
from server.cohorts.stored import from_data, to_data
from server.cohorts.words import Kind
from server.context import Context
from server.store import cohort_reports, journeys, segments
from server.store.paging import Page, Slice
from server.store.sessions import ReadSession, WriteSession
from server.store.tables import CohortReport

from .once import Answer, once
from .refusals import Invalid, Missing, Taken
from .segments import checked_name

MOST = 1000
"""Of one project."""


async def by_id(context: Context, report_id: int) -> CohortReport | None:
    async with context.db.read() as session:
        return (await cohort_reports.by_ids(session, context.project_id, [report_id])).get(report_id)


async def page(context: Context, page: Page) -> Slice:
    async with context.db.read() as session:
        return await cohort_reports.page(session, context.project_id, page)


async def create(context: Context, name: str, asked: Definition, view: str, key: str | None) -> Answer:
    """Raises Invalid, Taken."""
    name = checked_name(name)
    definition = _checked(asked)

    async def work(session: WriteSession) -> Answer:
        await _refuse_taken(session, context, name)
        await _refuse_gone(session, context, asked)
        if await cohort_reports.count(session, context.project_id) >= MOST:
            raise Invalid(f"A project has at most {MOST} saved reports. Delete some.", ("input",))
        now = context.clock.now()
        report = CohortReport(
            project_id=context.project_id,
            name=name,
            definition=definition,
            view=view,
            created_at=now,
            changed_at=now,
        )
        return {"report_id": await cohort_reports.create(session, report)}

    return await once(context, key, ("createCohortReport", [name, definition, view]), work)


async def update(
    context: Context,
    report_id: int,
    name: str | None,
    asked: Definition | None,
    view: str | None,
    key: str | None,
) -> Answer:
    """What is None stays as it was. Raises Missing, Invalid, Taken."""
    name = None if name is None else checked_name(name)
    definition = None if asked is None else _checked(asked)

    async def work(session: WriteSession) -> Answer:
        report = await _wanted(session, context, report_id)
        if name is not None:
            await _refuse_taken(session, context, name, but=report_id)
            report.name = name
        if asked is not None and definition is not None:
            await _refuse_gone(session, context, asked)
            report.definition = definition
        report.view = view or report.view
        report.changed_at = context.clock.now()
        await session.flush()
        return {"report_id": report_id}

    return await once(context, key, ("updateCohortReport", [report_id, name, definition, view]), work)


async def remove(context: Context, report_id: int, key: str | None) -> Answer:
    """Raises Missing."""

    async def work(session: WriteSession) -> Answer:
        await _wanted(session, context, report_id)
        await cohort_reports.remove(session, context.project_id, report_id)
        return {"report_id": report_id}

    return await once(context, key, ("deleteCohortReport", [report_id]), work)


def definition_of(report: CohortReport) -> Definition:
    """Whichever release has saved it. Raises BadInput if a later one has."""
    return from_data(orjson.loads(report.definition))


async def gone(context: Context, asked: Definition) -> list[str]:
    """What the report names and the project has no longer, for people."""
    async with context.db.read() as session:
        return await _gone(session, context, asked)


async def _gone(session: ReadSession, context: Context, asked: Definition) -> list[str]:
    ids = sorted({act.journey_id for act in _acts(asked) if act.kind is Kind.JOURNEY})
    known = await journeys.by_ids(session, context.project_id, ids) if ids else {}
    told = [f"The journey with the number {one} is gone." for one in ids if one not in known]
    name = asked.segment.name if asked.segment else ""
    if name and not await segments.has_name(session, context.project_id, name):
        told.append(f"There is no segment {name!r} any more.")
    return told


def _acts(asked: Definition) -> Iterator[Act]:
    yield from (asked.entry, asked.back, *asked.where)


def _checked(asked: Definition) -> str:
    """As it is stored. Raises Invalid for what could never be answered."""
    for field, why in wrongs(asked):
        raise Invalid(why, ("input", "cohort", field))
    return orjson.dumps(to_data(asked)).decode()


async def _refuse_gone(session: ReadSession, context: Context, asked: Definition) -> None:
    for why in await _gone(session, context, asked):
        raise Invalid(why, ("input", "cohort"))


async def _refuse_taken(session: ReadSession, context: Context, name: str, *, but: int | None = None) -> None:
    if await cohort_reports.has_name(session, context.project_id, name, but=but):
        raise Taken(f"Another report has the name {name!r}.", ("input", "name"))


async def _wanted(session: WriteSession, context: Context, report_id: int) -> CohortReport:
    report = await cohort_reports.locked(session, context.project_id, report_id)
    if report is None:
        raise Missing("There is no such report in this project.", ("input", "id"))
    return report
