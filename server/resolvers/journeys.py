"""Journeys: read, listed, asked for their figures."""

from server.context import Context
from server.loaders import Figures, FiguresKey
from server.store import journeys, versions
from server.store.journeys import Wanted
from server.store.paging import Page, Slice
from server.store.tables import Journey, Project, Version


async def project(context: Context) -> Project:
    return await context.loaders.project_by_id.load(context.project_id)


async def by_id(context: Context, journey_id: int) -> Journey | None:
    return await context.loaders.journey_by_id.load(journey_id)


async def page(context: Context, wanted: Wanted, order: str, page: Page, *, descending: bool) -> Slice:
    async with context.db.read() as session:
        return await journeys.page(session, context.project_id, wanted, order, page, descending=descending)


async def version(context: Context, journey_id: int, number: int) -> Version | None:
    return await context.loaders.version_by_key.load((journey_id, number))


async def versions_page(context: Context, journey_id: int, page: Page) -> Slice:
    async with context.db.read() as session:
        return await versions.page(session, context.project_id, journey_id, page)


async def figures(context: Context, wanted: FiguresKey) -> Figures:
    """The figures of a journey; those of all that are asked for at once come from one snapshot."""
    return await context.loaders.figures_by_question.load(wanted)
