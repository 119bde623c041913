"""What operators have to be told: listed, and put away."""

from server.context import Context
from server.store import notices
from server.store.notices import Wanted
from server.store.paging import Page, Slice
from server.store.sessions import WriteSession

from .once import Answer, once
from .records import Notice
from .refusals import Missing


async def page(context: Context, wanted: Wanted, page: Page) -> Slice:
    """The latest first."""
    async with context.db.read() as session:
        return await notices.page(session, context.project_id, wanted, page)


async def by_id(context: Context, notice_id: int) -> Notice | None:
    async with context.db.read() as session:
        return await notices.by_id(session, context.project_id, notice_id)


async def dismiss(context: Context, notice_id: int, key: str | None) -> Answer:
    """Puts it away. Raises Missing, Invalid, IdempotencyConflict."""

    async def work(session: WriteSession) -> Answer:
        if await notices.by_id(session, context.project_id, notice_id) is None:
            raise Missing("There is no such notice in this project.", ("input", "id"))
        await notices.dismiss(session, context.project_id, notice_id, context.clock.now())
        return {"notice_id": notice_id}

    return await once(context, key, ("dismissNotice", notice_id), work)
