"""Handles: what files call a journey, the same in every environment."""

from collections.abc import Iterable

from server.context import Context
from server.errors import Conflict
from server.store import journeys
from server.store.sessions import WriteSession
from server.store.tables import Journey

from .refusals import Invalid, Taken

LONGEST_HANDLE = 100


async def by_handle(context: Context, handle: str) -> Journey | None:
    async with context.db.read() as session:
        return await journeys.by_handle(session, context.project_id, handle)


async def numbers(context: Context, handles: Iterable[str]) -> dict[str, int]:
    """The journeys that have these handles."""
    async with context.db.read() as session:
        return await journeys.by_handles(session, context.project_id, handles)


async def names(context: Context, numbers: Iterable[int]) -> dict[int, str]:
    """The handles of these journeys, of those that have one."""
    fitting = [number for number in numbers if number < 2**31]
    found = zip(fitting, await context.loaders.journey_by_id.load_many(fitting), strict=True)
    return {number: one.handle for number, one in found if one is not None and one.handle}


async def give(session: WriteSession, journey: Journey, handle: str | None) -> None:
    """Gives a journey this handle, or none. Raises Invalid, Taken."""
    if handle != journey.handle:
        wanted = checked(handle) if handle else None
        try:
            await journeys.give_handle(session, journey, wanted)
        except Conflict as error:
            raise Taken(error.message, ("input", "handle")) from error


def checked(handle: str) -> str:
    """Raises Invalid."""
    if len(handle) > LONGEST_HANDLE or not handle.replace("-", "").replace("_", "").isalnum():
        message = f"A handle has 1 to {LONGEST_HANDLE} letters, digits, - and _; found {handle[:120]!r}."
        raise Invalid(message, ("input", "handle"))
    return handle
