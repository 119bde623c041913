"""What the doctor asks of runs and journeys: does everybody who is inside have a future?"""

from collections.abc import Awaitable, Callable
from functools import partial

import orjson
from sqlalchemy import ColumnElement, and_, exists, func, or_, select

from server.clock import Instant
from server.journey.status import JourneyStatus
from server.store.bulk import table_of
from server.store.sessions import ReadSession
from server.store.tables import Inbox, Journey, Message, Run, ShardState, Version

Check = Callable[[ReadSession], Awaitable[str]]

_runs, _journeys, _inbox = table_of(Run), table_of(Journey), table_of(Inbox)
_messages, _versions = table_of(Message), table_of(Version)
MOST_TOLD = 5


def checks(now: Instant, overdue: int) -> list[tuple[str, Check]]:
    return [
        ("runs: each has a next wake-up or an end reason", _neither),
        ("runs: none is open in a journey that is over", _in_what_is_over),
        ("runs: none is held while its journey goes on, or goes on while it is paused", _held_wrongly),
        ("runs: each waits at a step of its version", _nowhere),
        ("runs: no wait has been over for long", partial(_overdue, before=now - overdue)),
        ("journeys: each has begun or ended when it should", partial(_late, before=now - overdue)),
        ("messages: each belongs to a run and a journey", _stray_messages),
    ]


async def _told(session: ReadSession, *where: ColumnElement[bool]) -> str:
    """How many runs, and the first of them, joined with their journeys."""
    joined = _runs.outerjoin(_journeys, _journeys.c.id == _runs.c.journey_id)
    counted = select(func.count()).select_from(joined).where(*where)
    count = (await session.rows(counted))[0][0]
    if not count:
        return ""
    some = select(_runs.c.id, _runs.c.journey_id, _runs.c.step_key).select_from(joined).where(*where)
    rows = await session.rows(some.order_by(_runs.c.shard, _runs.c.id).limit(MOST_TOLD))
    listed = ", ".join(f"run {row.id} at {row.step_key!r} of journey {row.journey_id}" for row in rows)
    return f"{count}: {listed}" + (", …" if count > len(rows) else "")


async def _neither(session: ReadSession) -> str:
    return await _told(session, _runs.c.wake_at.is_(None) == _runs.c.end_reason.is_(None))


def _no_command_waits() -> ColumnElement[bool]:
    """What is in the inbox is not done yet, and nothing to complain of."""
    return ~exists().where(_inbox.c.shard == _runs.c.shard, _inbox.c.project_id == _runs.c.project_id)


async def _in_what_is_over(session: ReadSession) -> str:
    open_now = (JourneyStatus.RUNNING.value, JourneyStatus.PAUSED.value)
    over = or_(_journeys.c.status.is_(None), _journeys.c.status.not_in(open_now))
    return await _told(session, _runs.c.wake_at.is_not(None), over, _no_command_waits())


async def _held_wrongly(session: ReadSession) -> str:
    is_paused = _journeys.c.status == JourneyStatus.PAUSED.value
    wrong = or_(and_(_runs.c.held, ~is_paused), and_(~_runs.c.held, is_paused))
    return await _told(session, _runs.c.wake_at.is_not(None), wrong, _no_command_waits())


async def _overdue(session: ReadSession, before: Instant) -> str:
    running = _journeys.c.status == JourneyStatus.RUNNING.value
    return await _told(session, _runs.c.wake_at < before, ~_runs.c.held, running)


async def _nowhere(session: ReadSession) -> str:
    steps = {
        (row.journey_id, row.number): {step["key"] for step in orjson.loads(row.graph)["steps"]}
        for row in await session.rows(select(_versions))
    }
    where = (_runs.c.journey_id, _runs.c.version, _runs.c.step_key)
    statement = select(*where, func.count()).where(_runs.c.wake_at.is_not(None)).group_by(*where)
    return "; ".join(
        f"{count} at {step_key!r} of journey {journey_id}, which version {version} does not have"
        for journey_id, version, step_key, count in await session.rows(statement)
        if step_key not in steps.get((journey_id, version), set())
    )


async def _late(session: ReadSession, before: Instant) -> str:
    """A journey that has ended is over once nobody is inside: only then is it late."""
    inside = exists().where(_runs.c.journey_id == _journeys.c.id, _runs.c.wake_at.is_not(None))
    open_now = _journeys.c.status.in_((JourneyStatus.RUNNING.value, JourneyStatus.PAUSED.value))
    not_begun = and_(_journeys.c.status == JourneyStatus.SCHEDULED.value, _journeys.c.starts_at < before)
    not_over = and_(open_now, _journeys.c.ends_at < before, ~inside)
    statement = select(_journeys.c.id, _journeys.c.status).where(or_(not_begun, not_over))
    rows = await session.rows(statement.order_by(_journeys.c.id).limit(MOST_TOLD))
    return "; ".join(f"journey {row.id} is still {row.status}" for row in rows)


async def _stray_messages(session: ReadSession) -> str:
    """A run may have moved to another shard since, but it is somewhere; a merge may have it under way."""
    shards = select(table_of(ShardState).c.shard)
    here = exists().where(_runs.c.shard == _messages.c.shard, _runs.c.id == _messages.c.run_id)
    its_run = or_(here, exists().where(_runs.c.shard.in_(shards), _runs.c.id == _messages.c.run_id))
    its_journey = exists().where(_journeys.c.id == _messages.c.journey_id)
    lost = or_(~its_journey, and_(~its_run, ~exists().where(_inbox.c.project_id == _messages.c.project_id)))
    count = (await session.rows(select(func.count()).select_from(_messages).where(lost)))[0][0]
    return f"{count} of no run or no journey" if count else ""
