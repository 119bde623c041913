"""Runs, and what happened on the way."""

from server.context import Context
from server.store import runs
from server.store.paging import Page, Slice
from server.store.runs import Wanted
from server.store.tables import Conversion, Run, Visit


async def by_id(context: Context, run_id: int) -> Run | None:
    return await context.loaders.run_by_id.load(run_id)


async def of_journey(context: Context, journey_id: int, wanted: Wanted, page: Page) -> Slice:
    async with context.db.read() as session:
        return await runs.page(session, context.project_id, journey_id, wanted, page)


async def visits(context: Context, run_id: int) -> list[Visit]:
    """The visits that are over, in the order in which they happened."""
    return await context.loaders.visits_by_run.load(run_id) or []


async def conversions(context: Context, run_id: int) -> list[Conversion]:
    return await context.loaders.conversions_by_run.load(run_id) or []
