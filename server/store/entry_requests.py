"""Requests over the API to let people in, and what became of each of them."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import func, select

from .bulk import table_of
from .launches import summed
from .paging import Page, Slice, sliced, within
from .sessions import ReadSession, WriteSession
from .tables import EntryAnswer, EntryRequest, Launch

_table, _answers, _launches = table_of(EntryRequest), table_of(EntryAnswer), table_of(Launch)
_PLACE = (_answers.c.shard, _answers.c.kind, _answers.c.value)


async def create(session: WriteSession, request: EntryRequest) -> int:
    session.add(request)
    await session.flush()
    assert request.id is not None
    return request.id


async def by_ids(session: ReadSession, project_id: int, ids: Sequence[int]) -> dict[int, EntryRequest]:
    rows = await session.rows(
        select(_table).where(_table.c.project_id == project_id, _table.c.id.in_(list(ids)))
    )
    return {row.id: row for row in rows}


async def counts(session: ReadSession, shards: int, ids: Sequence[int]) -> dict[int, dict[str, int]]:
    """How many people got each answer: by reason, those who came in under the empty one."""
    statement = (
        select(_answers.c.request_id, _answers.c.reason, func.count())
        .where(_answers.c.shard.in_(list(range(shards))), _answers.c.request_id.in_(list(ids)))
        .group_by(_answers.c.request_id, _answers.c.reason)
    )
    found: dict[int, dict[str, int]] = {}
    for request_id, reason, n in await session.rows(statement):
        found.setdefault(request_id, {})[reason] = n
    return found


async def launches(session: ReadSession, shards: int, ids: Sequence[int]) -> dict[int, Any]:
    """How far the launches of segments and lists have come."""
    statement = summed(shards).where(_launches.c.request_id.in_(list(ids)))
    return {row.request_id: row for row in await session.rows(statement)}


async def answers(
    session: ReadSession, project_id: int, shards: int, request_id: int, page: Page, *, refused: bool | None
) -> Slice:
    """One page of what became of the people of a request."""
    statement = select(_answers).where(
        _answers.c.shard.in_(list(range(shards))),
        _answers.c.project_id == project_id,
        _answers.c.request_id == request_id,
    )
    if refused is not None:
        statement = statement.where(_answers.c.reason != "" if refused else _answers.c.reason == "")
    return sliced(await session.rows(within(statement, _PLACE, page)), page)
