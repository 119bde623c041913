"""Exports: jobs that write files, and the files' pieces.

Everything that a worker writes shows the token with which it took the job, in the same transaction: a job
that was cancelled, or taken by another after its lease ran out, takes nothing from it any more.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import Update, and_, delete, func, or_, select, update

from server.clock import Instant

from .bulk import inserting, table_of
from .database_clock import database_now
from .paging import Page, Slice, sliced, within
from .sessions import ReadSession, WriteSession
from .tables import Export, ExportChunk

QUEUED, RUNNING, READY = "queued", "running", "ready"
FAILED, CANCELED, EXPIRED = "failed", "canceled", "expired"
UNFINISHED = (QUEUED, RUNNING)

LASTS_MS = 15_000

_table, _chunks = table_of(Export), table_of(ExportChunk)
_ADD_CHUNK = inserting(ExportChunk)


class LostExport(Exception):
    """The job is somebody else's now, or nobody's; what was about to be written is void."""


class Claim(NamedTuple):
    """What a worker shows with everything that it writes."""

    export_id: int
    token: int


class Chunk(NamedTuple):
    number: int
    starts_at: int
    size: int
    data: bytes
    """Deflated."""


# Asked for, looked at, taken back


async def create(session: WriteSession, export: Export) -> int:
    session.add(export)
    await session.flush()
    assert export.id is not None
    return export.id


async def by_ids(session: ReadSession, project_id: int, ids: Sequence[int]) -> dict[int, Export]:
    rows = await session.rows(
        select(_table).where(_table.c.project_id == project_id, _table.c.id.in_(list(ids)))
    )
    return {row.id: row for row in rows}


async def page(session: ReadSession, project_id: int, page: Page) -> Slice:
    """One page of a project's exports, the latest first."""
    statement = select(_table).where(_table.c.project_id == project_id)
    return sliced(await session.rows(within(statement, [_table.c.id], page, descending=True)), page)


async def count_unfinished(session: ReadSession, project_id: int) -> int:
    mine = (_table.c.project_id == project_id, _table.c.state.in_(UNFINISHED))
    return int((await session.rows(select(func.count()).select_from(_table).where(*mine)))[0][0])


async def cancel(session: WriteSession, project_id: int, export_id: int, now: Instant) -> bool:
    """Stops a job that is not finished. Returns whether it was one."""
    mine = (_table.c.id == export_id, _table.c.project_id == project_id, _table.c.state.in_(UNFINISHED))
    ended = update(_table).where(*mine).values(state=CANCELED, finished_at=now, **_EMPTY)
    if not await session.run(ended):
        return False
    await _drop_chunks(session, [export_id])
    return True


async def remove(session: WriteSession, project_id: int, export_id: int) -> bool:
    """Deletes a job, whatever it is doing, and its file. Returns whether there was one."""
    mine = (_table.c.id == export_id, _table.c.project_id == project_id)
    if not await session.run(delete(_table).where(*mine)):
        return False
    await _drop_chunks(session, [export_id])
    return True


async def forget_people(session: WriteSession, project_id: int) -> None:
    """Somebody is erased: files that may hold them go, and those in the making begin anew."""
    theirs = update(_table).where(_table.c.project_id == project_id, _table.c.of_people)
    # Those in the making first, also those in line to be gone on with: what becomes ready before that is
    # found among the ready, and nothing can after it.
    making, ready = theirs.where(_table.c.state.in_(UNFINISHED)), theirs.where(_table.c.state == READY)
    again = {"state": QUEUED, "holder": "", "token": _table.c.token + 1, "started_at": None, **_EMPTY}
    begun = await session.rows(making.values(**again).returning(_table.c.id))
    gone = await session.rows(ready.values(state=EXPIRED).returning(_table.c.id))
    await _drop_chunks(session, [row.id for row in (*begun, *gone)])


# Worked in


async def waiting(session: ReadSession, at_once: int) -> Export | None:
    """The job whose turn it is: of the project for which the fewest are written now, the longest in line.

    `at_once` is how many are written for one project at the same time.
    """
    now = database_now(session)
    held = and_(_table.c.state == RUNNING, _table.c.leased_until >= now)
    busy = select(_table.c.project_id, func.count().label("n")).where(held).group_by(_table.c.project_id)
    by_project = busy.subquery()
    running = func.coalesce(by_project.c.n, 0)
    free = or_(_table.c.state == QUEUED, and_(_table.c.state == RUNNING, _table.c.leased_until < now))
    statement = (
        select(_table)
        .join(by_project, by_project.c.project_id == _table.c.project_id, isouter=True)
        .where(free, running < at_once)
        .order_by(running, _table.c.turn_at, _table.c.id)
        .limit(1)
    )
    rows = await session.rows(statement)
    return rows[0] if rows else None


async def take(
    session: WriteSession, waiting: Export, holder: str, now: Instant
) -> tuple[Export, Claim] | None:
    """Takes a job that was waiting: it, and what to show with everything. None if somebody was quicker."""
    same = (_table.c.id == waiting.id, _table.c.token == waiting.token, _table.c.state.in_(UNFINISHED))
    statement = (
        update(_table)
        .where(*same)
        .values(
            state=RUNNING,
            holder=holder,
            token=_table.c.token + 1,
            tries=_table.c.tries + 1,
            started_at=func.coalesce(_table.c.started_at, now),
            leased_until=database_now(session) + LASTS_MS,
        )
        .returning(_table)
    )
    rows = await session.rows(statement)
    return (rows[0], Claim(rows[0].id, rows[0].token)) if rows else None


async def free_all(session: WriteSession) -> None:
    """For whoever knows that no other worker lives, as the only server of a file does."""
    await session.run(update(_table).where(_table.c.state == RUNNING).values(leased_until=0))


async def begin_anew(session: WriteSession, claim: Claim) -> None:
    """Throws away what was written so far, if that was something."""
    await _prove(session, claim, **_EMPTY)
    await _drop_chunks(session, [claim.export_id])


async def name(session: WriteSession, claim: Claim, file_name: str, expected: int | None) -> None:
    await _prove(session, claim, file_name=file_name, expected=expected)


async def keep(session: WriteSession, claim: Claim, **told: Any) -> None:
    """Goes on holding the job; tells the rows of a file that is still elsewhere, or a place without rows."""
    await _prove(session, claim, **told)


async def add_chunk(session: WriteSession, claim: Claim, chunk: Chunk, **told: Any) -> None:
    """A piece of the file, and what is told with it, as where to go on after it: both, or neither."""
    ends_at = chunk.starts_at + chunk.size
    await _prove(session, claim, size=ends_at, chunks=chunk.number + 1, **told)
    await session.bulk(_ADD_CHUNK, [(claim.export_id, *chunk)])


async def finish(session: WriteSession, claim: Claim, rows: int, now: Instant, expires_at: Instant) -> None:
    times = {"finished_at": now, "expires_at": expires_at}
    await _prove(session, claim, state=READY, rows=rows, holder="", place="", **times)


async def fail(session: WriteSession, claim: Claim, problem: str, now: Instant) -> None:
    await _prove(session, claim, state=FAILED, problem=problem, finished_at=now, holder="", **_EMPTY)
    await _drop_chunks(session, [claim.export_id])


async def give_back(
    session: WriteSession, claim: Claim, turn_at: Instant, *, tries: int | None = None
) -> None:
    """Lets another go on, after those who have stood in line since before `turn_at`."""
    told = {} if tries is None else {"tries": tries}
    await _prove(session, claim, state=QUEUED, holder="", turn_at=turn_at, **told)


async def expire(session: WriteSession, now: Instant) -> int:
    """Deletes the files whose time is over. Returns how many."""
    over = (_table.c.state == READY, _table.c.expires_at <= now)
    rows = await session.rows(select(_table.c.id).where(*over))
    ids = [row.id for row in rows]
    if ids:
        await session.run(update(_table).where(_table.c.id.in_(ids)).values(state=EXPIRED))
        await _drop_chunks(session, ids)
    return len(ids)


async def has_expired(session: ReadSession, now: Instant) -> bool:
    over = (_table.c.state == READY, _table.c.expires_at <= now)
    return bool(await session.rows(select(_table.c.id).where(*over).limit(1)))


# Handed out


async def find(session: ReadSession, export_id: int) -> Export | None:
    """An export of whatever project: for who has shown that it was handed to them."""
    rows = await session.rows(select(_table).where(_table.c.id == export_id))
    return rows[0] if rows else None


async def chunk_at(session: ReadSession, export_id: int, place: int) -> Chunk | None:
    """The piece that holds this byte of the file."""
    columns = (_chunks.c.number, _chunks.c.starts_at, _chunks.c.size, _chunks.c.data)
    statement = select(*columns).where(_chunks.c.export_id == export_id, _chunks.c.starts_at <= place)
    # Pieces are not empty, so that their beginnings differ.
    rows = await session.rows(statement.order_by(_chunks.c.number.desc()).limit(1))
    return Chunk(*rows[0]) if rows else None


_EMPTY: dict[str, Any] = {"rows": 0, "size": 0, "chunks": 0, "place": ""}


async def _prove(session: WriteSession, claim: Claim, **values: Any) -> None:
    lasts: dict[str, Any] = {"leased_until": database_now(session) + LASTS_MS}
    if not await session.run(_held(claim).values({**lasts, **values})):
        raise LostExport(f"export {claim.export_id}")


def _held(claim: Claim) -> Update:
    mine = (_table.c.id == claim.export_id, _table.c.token == claim.token, _table.c.state == RUNNING)
    return update(_table).where(*mine)


async def _drop_chunks(session: WriteSession, ids: Sequence[int]) -> None:
    await session.run(delete(_chunks).where(_chunks.c.export_id.in_(list(ids))))
