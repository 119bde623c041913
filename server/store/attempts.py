"""Attempts to hand a message over: noted before the provider hears of it, and undone if it never did."""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import bindparam, case, literal_column, select, update

from server.clock import Instant

from .among import among
from .bulk import Bulk, table_of
from .sessions import ReadSession, WriteSession
from .tables import Message

_messages = table_of(Message)

_BEGIN = (
    update(_messages)
    .where(
        _messages.c.shard == bindparam("of_shard"),
        among(_messages.c.id, "ids"),
        _messages.c.status == "queued",
        _messages.c.due_at.is_not(None),
    )
    .values(
        status="attempted",
        attempt=_messages.c.attempt + 1,
        attempted_at=case((bindparam("when_due"), _messages.c.due_at), else_=bindparam("now")),
        due_at=None,
    )
    .returning(_messages.c.id, _messages.c.attempt, _messages.c.attempted_at)
)
_TAKE_BACK = Bulk(
    ("shard", "id", "attempt", "due_at"),
    {
        "": update(_messages)
        .where(
            _messages.c.shard == bindparam("of_shard"),
            _messages.c.id == bindparam("of_id"),
            _messages.c.attempt == bindparam("of_attempt"),
            _messages.c.status == literal_column("'attempted'"),
        )
        .values(
            status=literal_column("'queued'"),
            attempt=_messages.c.attempt - literal_column("1"),
            due_at=bindparam("of_due_at"),
        )
    },
)
_NOTE_TEMPLATES = Bulk(
    ("shard", "id", "attempt", "template_version", "evidence"),
    {
        "": update(_messages)
        .where(
            _messages.c.shard == bindparam("of_shard"),
            _messages.c.id == bindparam("of_id"),
            _messages.c.attempt == bindparam("of_attempt"),
        )
        .values(template_version=bindparam("of_template_version"), evidence=bindparam("of_evidence"))
    },
)
_UNFINISHED = (
    select(
        _messages.c.id,
        _messages.c.project_id,
        _messages.c.connection_id,
        _messages.c.attempt,
        _messages.c.attempted_at,
        _messages.c.created_at,
        _messages.c.expires_at,
        _messages.c.reason,
    )
    .where(_messages.c.shard == bindparam("of_shard"), _messages.c.status == "attempted")
    .order_by(_messages.c.attempted_at)
)


class Attempt(NamedTuple):
    id: int
    attempt: int
    """1 for the first."""
    attempted_at: Instant


class Unfinished(NamedTuple):
    id: int
    project_id: int
    connection_id: int
    attempt: int
    attempted_at: Instant
    created_at: Instant
    expires_at: Instant | None
    reason: str
    may_fail_over: bool = False
    """Never, once nobody knows what became of an attempt."""


async def begin(
    session: WriteSession, shard: int, ids: Sequence[int], now: Instant, *, when_due: bool
) -> list[Attempt]:
    """Notes that an attempt is made at each of these, now or at the instant it was due.

    Returns those that were still queued.
    """
    if not ids:
        return []
    about = {"of_shard": shard, "ids": list(ids), "now": now, "when_due": when_due}
    return [Attempt(*row) for row in await session.rows(_BEGIN, about)]


class Made(NamedTuple):
    """What an attempt is made with."""

    id: int
    attempt: int
    template_version: int
    evidence: str
    """What makes it lawful, as JSON; empty where nothing special is wanted."""


async def note_templates(session: WriteSession, shard: int, made: Sequence[Made]) -> None:
    """Keeps which version of its template each attempt is made with, beside the attempt itself."""
    await session.bulk(_NOTE_TEMPLATES, [(shard, *one) for one in made])


async def take_back(
    session: WriteSession, shard: int, attempts: Sequence[Attempt], due_at: Instant | None = None
) -> None:
    """Undoes attempts of which nothing has left: due at `due_at`, or when the attempt was made."""
    rows = [(shard, one.id, one.attempt, due_at or one.attempted_at) for one in attempts]
    await session.bulk(_TAKE_BACK, rows)


async def unfinished(session: ReadSession, shard: int) -> list[Unfinished]:
    """The messages whose attempt has no outcome yet, the oldest attempt first."""
    return [Unfinished(*row) for row in await session.rows(_UNFINISHED, {"of_shard": shard})]
