"""Who of a project meets a condition: asked of its users page by page, so that memory stays flat."""

from collections.abc import AsyncIterator, Sequence
from typing import Any

import orjson
from sqlalchemy import bindparam, select

from server.clock import Instant
from server.journey.audience import Person
from server.store.bulk import table_of
from server.store.sessions import ReadSession
from server.store.tables import User

from . import people
from .reading import Askable

PAGE = 1000

_users = table_of(User)
_PAGE = (
    select(_users.c.number, _users.c.attributes)
    .where(_users.c.shard == bindparam("shard"), _users.c.project_id == bindparam("project_id"))
    .where(_users.c.number > bindparam("after"))
    .where(_users.c.merged_into.is_(None), _users.c.erased_at.is_(None))
    .order_by(_users.c.number)
    .limit(bindparam("most"))
)


async def pages(
    session: ReadSession, project_id: int, shard: int, after: int = -1
) -> AsyncIterator[Sequence[Any]]:
    """The users of a shard by number, without those who are others now, or erased: number, attributes."""
    while rows := await page(session, project_id, shard, after, PAGE):
        yield rows
        after = rows[-1].number


async def page(session: ReadSession, project_id: int, shard: int, after: int, most: int) -> Sequence[Any]:
    about = {"shard": shard, "project_id": project_id, "after": after, "most": most}
    return await session.rows(_PAGE, about)


async def meeting(
    session: ReadSession,
    project_id: int,
    shard: int,
    rows: Sequence[Any],
    askable: Askable,
    at: Instant,
) -> list[int]:
    """The numbers of those of these users who meet the condition."""
    question, lists, zone = askable
    wants = question.wants()
    numbers = [row.number for row in rows]
    about = (wants, lists, wants.since(at, zone))
    known = await people.known(session, project_id, shard, numbers, *about)
    found = []
    for number, attributes in rows:
        person = Person(
            at=at,
            attributes=orjson.loads(attributes) if wants.attributes else {},
            past=known.past_of(number),
            lists=known.lists.get(number, ()),
            reaches=known.reach_of(number),
            zone=zone,
        )
        if question.holds(person):
            found.append(number)
    return found
