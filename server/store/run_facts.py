"""The runs of a journey page by page, and what of each happened at one step: for files of a million rows.

A step's visits and messages have no index of their own: it would be paid with every step that anybody takes.
They are found by the runs of the journey, wherever those have been meanwhile.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import bindparam, or_, select

from server.clock import Instant

from .among import among
from .bulk import table_of
from .paging import Page, Slice, sliced, within
from .sessions import ReadSession
from .tables import Message, Receipt, Run, Visit
from .users import among as of_these

Place = tuple[int, int, int]
"""Of a run: when it entered, its shard, its id."""

_runs, _visits, _messages, _receipts = table_of(Run), table_of(Visit), table_of(Message), table_of(Receipt)
_PLACE = (_runs.c.entered_at, _runs.c.shard, _runs.c.id)
_VISITS = select(_visits).where(
    _visits.c.shard.in_(bindparam("shards", expanding=True)),
    among(_visits.c.run_id, "runs"),
    _visits.c.project_id == bindparam("of_project"),
    _visits.c.step_key == bindparam("of_step"),
    _visits.c.left_at >= bindparam("since"),
    _visits.c.left_at < bindparam("before"),
)
_MESSAGES = select(
    *(_messages.c[name] for name in ("shard", "id", "run_id", "version", "channel", "address")),
    *(_messages.c[name] for name in ("reason", "attempted_at", "heard")),
).where(
    _messages.c.shard.in_(bindparam("shards", expanding=True)),
    among(_messages.c.run_id, "runs"),
    _messages.c.project_id == bindparam("of_project"),
    _messages.c.step_key == bindparam("of_step"),
)
_HIT = tuple(_receipts.c[name] for name in ("shard", "message_id", "kind", "occurred_at", "actor", "url"))


async def runs_before(
    session: ReadSession, project_id: int, journey_id: int, place: Place, most: int, *, until: Instant | None
) -> Slice:
    """A journey's runs, the latest to enter first, without those that were over before `until`."""
    statement = select(_runs).where(_runs.c.project_id == project_id, _runs.c.journey_id == journey_id)
    if until is not None:
        statement = statement.where(or_(_runs.c.ended_at.is_(None), _runs.c.ended_at >= until))
    page = Page(most, place=place)
    return sliced(await session.rows(within(statement, _PLACE, page, descending=True)), page)


async def visits_at(
    session: ReadSession,
    project_id: int,
    shards: int,
    step_key: str,
    run_ids: Sequence[int],
    since: Instant,
    before: Instant,
) -> dict[int, list[Any]]:
    """By run: its visits at this step that were over from `since` on and before `before`, in order."""
    about = {"shards": list(range(shards)), "of_project": project_id, "of_step": step_key}
    times = {"since": since, "before": before}
    rows = await session.rows_in(_VISITS, "runs", run_ids, {**about, **times})
    found: dict[int, list[Any]] = {}
    for row in sorted(rows, key=lambda row: (row.left_at, row.arrived_at, row.seq)):
        found.setdefault(row.run_id, []).append(row)
    return found


async def messages_at(
    session: ReadSession, project_id: int, shards: int, step_key: str, run_ids: Sequence[int]
) -> dict[int, list[Any]]:
    """By run: the messages that this step made for it, in the order in which they were made."""
    about = {"shards": list(range(shards)), "of_project": project_id, "of_step": step_key}
    rows = await session.rows_in(_MESSAGES, "runs", run_ids, about)
    found: dict[int, list[Any]] = {}
    for row in sorted(rows, key=lambda row: row.id):
        found.setdefault(row.run_id, []).append(row)
    return found


async def receipts_of(
    session: ReadSession, project_id: int, keys: Sequence[tuple[int, int]], kinds: Sequence[str]
) -> dict[int, list[Any]]:
    """By message: what was heard of these kinds. `keys` are shard and id."""
    found: dict[int, list[Any]] = {}
    if not keys:
        return found
    statement = select(*_HIT).where(
        of_these(_receipts, keys, "message_id"),
        _receipts.c.project_id == project_id,
        _receipts.c.kind.in_(list(kinds)),
    )
    for row in await session.rows(statement):
        found.setdefault(row.message_id, []).append(row)
    return found
