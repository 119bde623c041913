"""Users: found by whatever leads to them."""

from dataclasses import dataclass

from server.context import Context
from server.store import runs, users
from server.store.paging import Page, Slice
from server.store.sessions import ReadSession
from server.store.tables import Endpoint, Identity, User
from server.store.users import UserKey


@dataclass(frozen=True, slots=True)
class Wanted:
    """One thing that leads to a user: `user_id`, `anonymous_id` or `email`, and its value."""

    kind: str
    value: str


async def by_key(context: Context, key: UserKey) -> User | None:
    return await context.loaders.user_by_key.load(key)


async def by_identity(context: Context, wanted: Wanted) -> User | None:
    """The user, or the one whom it turned out to be."""
    async with context.db.read() as session:
        key = await find(session, context, wanted)
        return None if key is None else (await users.by_keys(session, context.project_id, [key])).get(key)


async def find(session: ReadSession, context: Context, wanted: Wanted) -> UserKey | None:
    project_id, shards = context.project_id, context.shards
    if wanted.kind == "email":
        key = await users.by_address(session, project_id, shards, "email", wanted.value)
    else:
        key = await users.by_identity(session, project_id, shards, wanted.kind, wanted.value)
    return None if key is None else await users.final(session, project_id, key)


async def identities(context: Context, key: UserKey) -> list[Identity]:
    return await context.loaders.identities_by_user.load(key) or []


async def endpoints(context: Context, key: UserKey) -> list[Endpoint]:
    return await context.loaders.endpoints_by_user.load(key) or []


async def runs_page(context: Context, key: UserKey, page: Page) -> Slice:
    """The runs of a user and of all who turned out to be it."""
    async with context.db.read() as session:
        family = await users.family(session, context.project_id, context.shards, key)
        return await runs.page_of_users(session, context.project_id, family, page)
