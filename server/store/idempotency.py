"""What clients asked us to do only once."""

from typing import Any

from sqlalchemy import Select, delete, select, update

from server.clock import Instant

from .bulk import inserting, table_of
from .sessions import ReadSession, WriteSession
from .tables import Idempotency

_table = table_of(Idempotency)
_CLAIM = inserting(Idempotency, once=True)


async def claim(
    session: WriteSession, project_id: int, key: str, fingerprint: str, now: Instant
) -> str | None:
    """Takes the key for what this transaction does; none if it is ours.

    Otherwise the fingerprint of what took it before. A second request waits here until the first has
    committed, so that it finds its answer.
    """
    await session.bulk(_CLAIM, [(project_id, key, fingerprint, "", now)])
    found = await _row(session, project_id, key)
    return None if found[1] == "" else found[0]


async def find(session: ReadSession, project_id: int, key: str) -> tuple[str, str] | None:
    """The fingerprint of what took this key, and its answer; none if nothing has."""
    rows = await session.rows(_of(project_id, key))
    return (rows[0].fingerprint, rows[0].answer) if rows else None


async def answer(session: WriteSession, project_id: int, key: str) -> str:
    return (await _row(session, project_id, key))[1]


async def keep(session: WriteSession, project_id: int, key: str, answer: str) -> None:
    """Stores the answer beside the effect, in the same transaction."""
    mine = (_table.c.project_id == project_id, _table.c.key == key)
    await session.run(update(_table).where(*mine).values(answer=answer))


async def free(session: WriteSession, project_id: int, key: str) -> None:
    """Nothing came of it: the key may be used again."""
    await session.run(delete(_table).where(_table.c.project_id == project_id, _table.c.key == key))


async def _row(session: WriteSession, project_id: int, key: str) -> tuple[str, str]:
    rows = await session.rows(_of(project_id, key))
    return rows[0].fingerprint, rows[0].answer


def _of(project_id: int, key: str) -> Select[Any]:
    statement = select(_table.c.fingerprint, _table.c.answer)
    return statement.where(_table.c.project_id == project_id, _table.c.key == key)
