"""How long the project keeps facts, and whether those that somebody asks for are still there."""

from server.clock import Instant, to_datetime
from server.context import Context
from server.store import retention
from server.store.retention import Kept
from server.store.sessions import WriteSession

from .once import Answer, once
from .refusals import Invalid

LEAST_DAYS = 31
"""Frequency caps count up to 30 days back, and most that is heard of a message is heard by then."""
MOST_DAYS = 36_500


async def kept(context: Context) -> Kept:
    async with context.db.read() as session:
        return await retention.of_project(session, context.project_id)


async def change(context: Context, days: int | None, key: str | None) -> Answer:
    """Keeps facts for so many days after their run is over, or for good. Raises Invalid, IdempotencyConflict.

    Nothing is deleted by this; `sojourn prune` deletes.
    """
    if days is not None and not LEAST_DAYS <= days <= MOST_DAYS:
        message = f"{LEAST_DAYS} to {MOST_DAYS} days were wanted, found {days}."
        raise Invalid(message, ("input", "days"))

    async def work(session: WriteSession) -> Answer:
        await retention.change(session, context.project_id, days)
        return {"days": days}

    return await once(context, key, ("setRetention", [days]), work)


async def check(
    context: Context, since: Instant | None, path: tuple[str | int, ...], journey_id: int | None = None
) -> None:
    """Raises Invalid if facts from then on, or from the very beginning, may be gone."""
    async with context.db.read() as session:
        found = await retention.missing_since(session, context.project_id, since, journey_id)
    if found is not None:
        raise Invalid(f"Everything is kept since {to_datetime(found).isoformat()}; ask from then on.", path)
