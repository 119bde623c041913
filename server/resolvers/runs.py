"""Runs, and what happened on the way."""

from collections.abc import Sequence
from dataclasses import dataclass

from server.clock import Instant
from server.context import Context
from server.journey.marks import Mark, reasons_of
from server.store import runs
from server.store import users as stored_users
from server.store.paging import Page, Slice
from server.store.runs import EVERY_STATE, INSIDE, Between, Wanted
from server.store.sessions import ReadSession
from server.store.tables import Conversion, Run, Visit
from server.store.users import UserKey

from . import users

EVER: Between = (None, None)


@dataclass(frozen=True, slots=True)
class Asked:
    """Which runs of a journey somebody wants to see."""

    identity: users.Wanted | None = None
    search: str | None = None
    """Anything that leads to people."""
    inside: bool | None = None
    marks: Sequence[Mark] | None = None
    end_reasons: tuple[str, ...] = ()
    version: int | None = None
    last_steps: tuple[str, ...] = ()
    entered: tuple[Instant | None, Instant | None] = EVER
    ended: tuple[Instant | None, Instant | None] = EVER


async def by_id(context: Context, run_id: int) -> Run | None:
    return await context.loaders.run_by_id.load(run_id)


async def of_journey(context: Context, journey_id: int, asked: Asked, page: Page) -> Slice:
    async with context.db.read() as session:
        wanted = await to_wanted(session, context, asked)
        return await runs.page(session, context.project_id, journey_id, wanted, page)


async def to_wanted(session: ReadSession, context: Context, asked: Asked) -> Wanted:
    """The same, with the people whom it names as users."""
    people = await _people(session, context, asked)
    return Wanted(
        ends=_ends(asked),
        users=None if people is None else tuple(people),
        version=asked.version,
        last_steps=asked.last_steps,
        entered=asked.entered,
        ended=asked.ended,
    )


def _ends(asked: Asked) -> tuple[str | None, ...] | None:
    """The end reasons, with None for runs that are inside; None if all are wanted."""
    found = EVERY_STATE
    if asked.inside is not None:
        found &= INSIDE if asked.inside else EVERY_STATE - INSIDE
    if asked.marks is not None:
        found &= reasons_of(asked.marks)
    if asked.end_reasons:
        found &= frozenset(asked.end_reasons)
    if asked.ended != EVER:
        found -= INSIDE
    return None if found == EVERY_STATE else tuple(sorted(found, key=str))


async def _people(session: ReadSession, context: Context, asked: Asked) -> list[UserKey] | None:
    """The users whose runs are wanted, with all who turned out to be them; None if everybody's are."""
    found: list[UserKey] | None = None
    if asked.identity is not None:
        found = await users.find_all(session, context, [asked.identity])
    if asked.search is not None:
        kinds = [users.Wanted(kind, asked.search) for kind in users.KINDS]
        led = await users.find_all(session, context, kinds)
        found = led if found is None else [key for key in found if key in led]
    if not found:
        return found
    return await stored_users.families(session, context.project_id, context.shards, found)


async def visits(context: Context, run_id: int) -> list[Visit]:
    """The visits that are over, in the order in which they happened."""
    return await context.loaders.visits_by_run.load(run_id) or []


async def conversions(context: Context, run_id: int) -> list[Conversion]:
    return await context.loaders.conversions_by_run.load(run_id) or []
