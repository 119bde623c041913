"""The people of a segment, a row each: who meets it as of the instant at which the export began."""

from collections.abc import AsyncIterator
from typing import Any

import orjson
from sqlalchemy import bindparam, select

from server.errors import NotFound
from server.segments import reading, sets
from server.segments.reading import Askable
from server.store import segments
from server.store.among import among
from server.store.bulk import table_of
from server.store.sessions import ReadSession
from server.store.tables import User

from . import people
from .people import NOBODY
from .sheets import Arguments, Asked, Cell, Column, Kind, Language, Page, Row, Sheet

PAGE = 1000

COLUMNS = (
    *people.COLUMNS,
    Column("attributes", "속성", "Attributes"),
    Column("first_known_at", "최초 인지 시각", "First known at", Cell.TIME),
)
_SUFFIX = {Language.KO: "세그먼트 사용자", Language.EN: "users of the segment"}
_users = table_of(User)
_ABOUT = select(_users.c.number, _users.c.attributes, _users.c.created_at).where(
    _users.c.shard == bindparam("shard"),
    _users.c.project_id == bindparam("project_id"),
    among(_users.c.number, "numbers"),
)


class SegmentUsersArguments(Arguments):
    segment_id: int


async def open_segment_users(asked: Asked, arguments: SegmentUsersArguments) -> Sheet:
    async with asked.db.read() as session:
        row = (await segments.by_ids(session, asked.project_id, [arguments.segment_id])).get(
            arguments.segment_id
        )
        if row is None:
            raise NotFound("There is no such segment in this project.")
        askable = await reading.stored(session, asked.project_id, row.name)
    assert askable is not None
    return Sheet(f"{row.name} {_SUFFIX[asked.language]}", COLUMNS, _pages(asked, askable))


async def _pages(asked: Asked, askable: Askable) -> AsyncIterator[Page]:
    """Who is one of them is asked once; who is erased meanwhile is left out when their page is read."""
    async with asked.db.read() as session:
        question, lists, _ = askable
        about = (asked.project_id, asked.shards, question, lists, asked.as_of)
        met = await sets.members(session, *about)
    shard, after = asked.after or (0, -1)
    while shard < asked.shards:
        numbers = [number for number in met[shard] if number > after]
        for start in range(0, len(numbers), PAGE):
            page = numbers[start : start + PAGE]
            async with asked.db.read() as session:
                yield Page(await _rows(session, asked, shard, page), [shard, page[-1]])
        shard, after = shard + 1, -1


async def _rows(session: ReadSession, asked: Asked, shard: int, numbers: list[int]) -> list[Row]:
    about = {"shard": shard, "project_id": asked.project_id}
    known = {row.number: row for row in await session.rows_in(_ABOUT, "numbers", numbers, about)}
    who = await people.people(session, asked, [(shard, number) for number in numbers])
    return [_row(known[number], who.get((shard, number), NOBODY)) for number in numbers if number in known]


def _row(user: Any, person: people.Person) -> Row:
    attributes = orjson.loads(user.attributes)
    return (*person, orjson.dumps(attributes).decode() if attributes else None, user.created_at)


SEGMENT_USERS = Kind("segment_users", SegmentUsersArguments, open_segment_users)
