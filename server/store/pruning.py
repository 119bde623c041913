"""Runs that are over for longer than their facts are kept: found a page at a time, and deleted."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import Table, and_, delete, func, or_, select, tuple_, update

from server.clock import Instant

from .among import among
from .bulk import inserting, table_of
from .sessions import ReadSession, WriteSession
from .tables import (
    Catalog,
    Conversion,
    ForeignLetter,
    FormerMessage,
    FormerRun,
    InApp,
    Journey,
    Message,
    Project,
    Receipt,
    Refusal,
    Run,
    Visit,
)

_runs, _visits, _conversions = table_of(Run), table_of(Visit), table_of(Conversion)
_messages, _receipts, _in_app = table_of(Message), table_of(Receipt), table_of(InApp)
_refusals, _letters = table_of(Refusal), table_of(ForeignLetter)
_projects, _journeys = table_of(Project), table_of(Journey)
_FORMER_RUNS = inserting(FormerRun, once=True)
_FORMER_MESSAGES = inserting(FormerMessage, once=True)

Place = tuple[int, int, int]
"""Of a run: when it entered, shard, id."""
BEFORE_ALL: Place = (-(2**63), -1, -1)


class Retention(NamedTuple):
    """How long a project keeps facts."""

    project_id: int
    days: int


class Facts(NamedTuple):
    """How many of each."""

    runs: int = 0
    visits: int = 0
    messages: int = 0
    receipts: int = 0
    conversions: int = 0
    refusals: int = 0

    def __add__(self, other: object) -> "Facts":
        assert isinstance(other, Facts)
        return Facts(*(mine + theirs for mine, theirs in zip(self, other, strict=True)))


class Page(NamedTuple):
    """Runs that may go, and where to go on; None when there are no more."""

    runs: list[Any]
    messages: list[Any]
    following: Place | None


async def journeys(session: ReadSession, project_id: int) -> list[int]:
    rows = await session.rows(select(_journeys.c.id).where(_journeys.c.project_id == project_id))
    return [row.id for row in rows]


async def keep_since(session: WriteSession, project_id: int, since: Instant) -> bool:
    """Notes that facts from before then may be gone. Returns whether that is news."""
    earlier = or_(_projects.c.kept_since.is_(None), _projects.c.kept_since < since)
    statement = update(_projects).where(_projects.c.id == project_id, earlier).values(kept_since=since)
    return bool(await session.run(statement))


async def hold_engines(session: WriteSession) -> None:
    """No engine commits until this transaction is over; then it looks whether what it read is still there."""
    await session.rows(select(table_of(Catalog).c.id).with_for_update())


async def page(
    session: ReadSession,
    shards: int,
    project_id: int,
    journey_id: int,
    before: Instant,
    place: Place,
    most: int,
) -> Page:
    """The next runs of which everything happened before then, and nothing is still to come."""
    order = (_runs.c.entered_at, _runs.c.shard, _runs.c.id)
    statement = (
        select(_runs)
        .where(_runs.c.project_id == project_id, _runs.c.journey_id == journey_id)
        .where(_runs.c.entered_at < before, tuple_(*order) > place)
        .where(_runs.c.ended_at < before)
        .where(or_(_runs.c.counts_goals_until.is_(None), _runs.c.counts_goals_until < before))
        .order_by(*order)
        .limit(most)
    )
    found = list(await session.rows(statement))
    following = (found[-1].entered_at, found[-1].shard, found[-1].id) if len(found) == most else None
    if not found:
        return Page([], [], None)
    messages = await _messages_of(session, shards, [run.id for run in found])
    alive = await _still_alive(session, shards, found, messages, before)
    return Page(
        [run for run in found if run.id not in alive],
        [message for message in messages if message.run_id not in alive],
        following,
    )


async def _messages_of(session: ReadSession, shards: int, run_ids: Sequence[int]) -> list[Any]:
    names = (
        *("shard", "id", "project_id", "user_number", "channel", "address", "purpose"),
        *("run_id", "due_at", "status"),
    )
    statement = select(*(_messages.c[name] for name in names))
    here = _messages.c.shard.in_(list(range(shards)))
    return await session.rows_in(statement.where(here, among(_messages.c.run_id, "runs")), "runs", run_ids)


async def _still_alive(
    session: ReadSession, shards: int, found: Sequence[Any], messages: Sequence[Any], before: Instant
) -> set[int]:
    """Runs with messages that have not ended or are on a shelf, or of which something was heard since."""
    alive = {
        one.run_id for one in messages if one.due_at is not None or one.status in ("queued", "attempted")
    }
    run_of = {one.id: one.run_id for one in messages}
    everywhere = list(range(shards))
    heard = (
        select(_receipts.c.message_id)
        .where(_receipts.c.shard.in_(everywhere), among(_receipts.c.message_id, "wanted"))
        .where(or_(_receipts.c.occurred_at >= before, _receipts.c.received_at >= before))
    )
    on_shelf = select(_in_app.c.message_id).where(
        _in_app.c.shard.in_(everywhere), among(_in_app.c.message_id, "wanted")
    )
    for statement in (heard, on_shelf):
        rows = await session.rows_in(statement, "wanted", list(run_of))
        alive |= {run_of[row.message_id] for row in rows}
    reached = select(_conversions.c.run_id).where(
        _conversions.c.shard.in_(everywhere),
        among(_conversions.c.run_id, "wanted"),
        _conversions.c.occurred_at >= before,
    )
    rows = await session.rows_in(reached, "wanted", [run.id for run in found])
    return alive | {row.run_id for row in rows}


async def count(session: ReadSession, shards: int, found: Page) -> Facts:
    """How much there is of these runs."""
    run_ids, ids = [run.id for run in found.runs], [one.id for one in found.messages]
    visits = await _count(session, shards, _visits, "run_id", run_ids)
    receipts = await _count(session, shards, _receipts, "message_id", ids)
    conversions = await _count(session, shards, _conversions, "run_id", run_ids)
    return Facts(len(run_ids), visits, len(ids), receipts, conversions)


async def _count(session: ReadSession, shards: int, table: Table, column: str, wanted: Sequence[int]) -> int:
    statement = select(func.count()).where(
        table.c.shard.in_(list(range(shards))), among(table.c[column], "wanted")
    )
    return sum(int(row[0]) for row in await session.rows_in(statement, "wanted", wanted))


async def remove(session: WriteSession, shards: int, found: Page) -> None:
    """Deletes these runs and all that is known of them, but for what later decisions need."""
    runs = [
        (
            *(run.shard, run.id, run.project_id, run.journey_id, run.user_number),
            *(run.entered_at, run.ended_at, run.entry_value, run.variants),
        )
        for run in found.runs
    ]
    await session.bulk(_FORMER_RUNS, runs)
    written_to = [tuple(one[:7]) for one in found.messages if one.address]
    await session.bulk(_FORMER_MESSAGES, written_to)
    run_ids, ids = [run.id for run in found.runs], [one.id for one in found.messages]
    await _delete(session, shards, _receipts, "message_id", ids)
    for table in (_messages, _visits, _conversions, _letters):
        await _delete(session, shards, table, "run_id", run_ids)
    await _delete(session, shards, _runs, "id", run_ids)


async def _delete(
    session: WriteSession, shards: int, table: Table, column: str, wanted: Sequence[int]
) -> None:
    if wanted:
        here = and_(table.c.shard.in_(list(range(shards))), among(table.c[column], "wanted"))
        await session.run(delete(table).where(here), {"wanted": list(wanted)})


RefusalKey = tuple[int, int, int, int, str]
"""Shard, project, journey, user number, digest."""


async def refusals(
    session: ReadSession, shard: int, project_id: int, before: Instant, after: RefusalKey | None, most: int
) -> list[RefusalKey]:
    """The keys of entries that were refused before then, in order, behind that key."""
    key = list(_refusals.primary_key)
    statement = (
        select(*key)
        .where(_refusals.c.shard == shard, _refusals.c.project_id == project_id)
        .where(_refusals.c.occurred_at < before)
        .order_by(*key)
        .limit(most)
    )
    if after is not None:
        statement = statement.where(tuple_(*key[2:]) > tuple_(*after[2:]))
    return [tuple(row) for row in await session.rows(statement)]


async def count_refusals(session: ReadSession, shards: int, project_id: int, before: Instant) -> int:
    statement = select(func.count()).where(
        _refusals.c.shard.in_(list(range(shards))),
        _refusals.c.project_id == project_id,
        _refusals.c.occurred_at < before,
    )
    return int((await session.rows(statement))[0][0])


async def remove_refusals(session: WriteSession, keys: Sequence[RefusalKey]) -> None:
    key = tuple_(*_refusals.primary_key)
    await session.run(delete(_refusals).where(key.in_(list(keys))))


async def are_there(session: ReadSession, shard: int, runs: Sequence[int], messages: Sequence[int]) -> bool:
    """Whether none of these runs and messages of a shard has been deleted meanwhile."""
    for table, wanted in ((_runs, runs), (_messages, messages)):
        statement = select(func.count()).where(table.c.shard == shard, among(table.c.id, "wanted"))
        found = await session.rows_in(statement, "wanted", wanted)
        if sum(int(row[0]) for row in found) != len(wanted):
            return False
    return True
