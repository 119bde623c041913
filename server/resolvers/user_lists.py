"""Uploaded lists: found, and taken away. What files say goes in by `server.lists.audience`."""

import orjson

from server.context import Context
from server.segments import uses
from server.store import inbox, setup, user_lists
from server.store.paging import Page, Slice
from server.store.sessions import ReadSession, WriteSession
from server.store.tables import UserList

from .once import Answer, once
from .refusals import Missing, Named

MOST_PREVIEWED = 5


async def by_id(context: Context, list_id: int) -> UserList | None:
    async with context.db.read() as session:
        return (await user_lists.by_ids(session, context.project_id, [list_id])).get(list_id)


async def page(context: Context, page: Page) -> Slice:
    async with context.db.read() as session:
        return await user_lists.page(session, context.project_id, page)


async def size(context: Context, list_id: int) -> int:
    """How many users are on it."""
    return await context.loaders.size_by_list.load(list_id) or 0


async def preview(context: Context, list_id: int) -> list[dict[str, str]]:
    """What its first lines say."""
    async with context.db.read() as session:
        lines = await user_lists.some_lines(session, context.shards, list_id, MOST_PREVIEWED)
    return [orjson.loads(line) for line in lines]


async def remove(context: Context, list_id: int, key: str | None) -> Answer:
    """Raises Missing; Named while a journey that is not over, a segment or a saved report names it."""

    async def work(session: WriteSession) -> Answer:
        found = await user_lists.locked(session, context.project_id, list_id)
        if found is None:
            raise Missing("There is no such list in this project.", ("input", "id"))
        await _refuse_named(session, context, found.name)
        await user_lists.remove(session, context.project_id, list_id)
        now, payload = context.clock.now(), orjson.dumps({"list_id": list_id})
        about = (context.project_id, user_lists.LIST_CLEAR, payload, now)
        await inbox.append(session, [inbox.Entry(shard, *about) for shard in range(context.shards)])
        await setup.touch_catalog(session)
        return {"list_id": list_id}

    answer = await once(context, key, ("deleteUserList", [list_id]), work)
    context.wake()
    return answer


async def _refuse_named(session: ReadSession, context: Context, name: str) -> None:
    found = (await uses.of_lists(session, context.project_id)).get(name)
    if found:
        raise Named("The list is named by", ("input", "id"), *found)
