"""The ways that one person has gone through a journey."""

from dataclasses import dataclass, field

from server.clock import Instant
from server.context import Context
from server.store import retention, runs, users
from server.store.paging import Page, Slice
from server.store.runs import Wanted as WantedRuns
from server.store.sessions import ReadSession
from server.store.tables import Run, User
from server.store.users import UserKey

from .users import Wanted, find_all

MOST_TRIED = 10
"""Of those who have or had an address, as many are asked whether they came into the journey."""


@dataclass(frozen=True, slots=True)
class Found:
    """The person, and its latest runs in the order in which they entered; none if it never did."""

    user: User
    runs: list[Run]
    has_earlier: bool
    journey_id: int
    family: list[UserKey]
    """All numbers that the person has had."""
    others: list[User] = field(default_factory=list)
    """Whoever else has or had the address that was asked for."""
    former_runs: int = 0
    """Earlier ones of which only figures are kept."""
    kept_since: Instant | None = None


async def of_journey(context: Context, journey_id: int, wanted: Wanted) -> Found | None:
    """None if this leads to nobody.

    Of several people who have or had an address it is the first who came into the journey: who has it now
    may not be who had it then.
    """
    async with context.db.read() as session:
        keys = await find_all(session, context, [wanted])
        if not keys:
            return None
        key, found, family = await _first_inside(session, context, journey_id, keys)
        known = await users.by_keys(session, context.project_id, keys)
        has_earlier = len(found) > runs.MOST_OF_A_USER
        others = [known[one] for one in keys if one != key]
        former = await retention.former_runs(session, context.project_id, journey_id, family)
        since = (await retention.of_project(session, context.project_id)).since
        about = (known[key], found[-runs.MOST_OF_A_USER :], has_earlier, journey_id, family)
        return Found(*about, others, former, since)


async def _first_inside(
    session: ReadSession, context: Context, journey_id: int, keys: list[UserKey]
) -> tuple[UserKey, list[Run], list[UserKey]]:
    """The first who ever came in, or else the first, with the latest runs and all the person's numbers.

    Also who came in so long ago that only figures are kept.
    """
    first: tuple[UserKey, list[Run], list[UserKey]] | None = None
    for key in keys[:MOST_TRIED]:
        family = await users.family(session, context.project_id, context.shards, key)
        found = await runs.in_journey_by_users(session, context.project_id, journey_id, family)
        if found or await retention.former_runs(session, context.project_id, journey_id, family):
            return key, found, family
        first = first or (key, found, family)
    assert first is not None
    return first


async def page(context: Context, found: Found, page: Page) -> Slice:
    """All runs of the person in the journey, a page at a time, the latest to enter first."""
    async with context.db.read() as session:
        wanted = WantedRuns(users=tuple(found.family))
        return await runs.page(session, context.project_id, found.journey_id, wanted, page)
