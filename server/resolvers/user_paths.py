"""The ways that one person has gone through a journey."""

from dataclasses import dataclass

from server.context import Context
from server.store import runs, users
from server.store.tables import Run, User

from .users import Wanted, find


@dataclass(frozen=True, slots=True)
class Found:
    """The person, and its latest runs in the order in which they entered; none if it never did."""

    user: User
    runs: list[Run]
    has_earlier: bool


async def of_journey(context: Context, journey_id: int, wanted: Wanted) -> Found | None:
    """None if nobody has this identity."""
    async with context.db.read() as session:
        key = await find(session, context, wanted)
        if key is None:
            return None
        user = (await users.by_keys(session, context.project_id, [key]))[key]
        family = await users.family(session, context.project_id, context.shards, key)
        found = await runs.in_journey_by_users(session, context.project_id, journey_id, family)
        return Found(user, found[-runs.MOST_OF_A_USER :], len(found) > runs.MOST_OF_A_USER)
