"""What clients asked us to do only once."""

from sqlalchemy import select, update

from server.clock import Instant

from .bulk import inserting, table_of
from .sessions import WriteSession
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


async def answer(session: WriteSession, project_id: int, key: str) -> str:
    return (await _row(session, project_id, key))[1]


async def keep(session: WriteSession, project_id: int, key: str, answer: str) -> None:
    """Stores the answer beside the effect, in the same transaction."""
    mine = (_table.c.project_id == project_id, _table.c.key == key)
    await session.run(update(_table).where(*mine).values(answer=answer))


async def _row(session: WriteSession, project_id: int, key: str) -> tuple[str, str]:
    statement = select(_table.c.fingerprint, _table.c.answer)
    rows = await session.rows(statement.where(_table.c.project_id == project_id, _table.c.key == key))
    return rows[0].fingerprint, rows[0].answer
