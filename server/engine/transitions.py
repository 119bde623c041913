"""What journeys do by themselves at their times: they start, and they are over when nobody is inside.

Made by whichever worker comes first: each change is one statement that looks once more, so that a second
worker finds nothing left to do.
"""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, and_, exists, or_, select, update

from server.clock import Instant
from server.journey.status import JourneyStatus
from server.store import setup
from server.store.bulk import table_of
from server.store.database import Database
from server.store.sessions import ReadSession
from server.store.tables import Inbox, Journey, Run

from .catalog import LiveJourney
from .commands import ADOPT

_journeys, _runs, _inbox = table_of(Journey), table_of(Run), table_of(Inbox)
_OPEN = (JourneyStatus.RUNNING.value, JourneyStatus.PAUSED.value)


async def start(db: Database, now: Instant) -> bool:
    """Starts what is scheduled for now or before. Returns whether there was any."""
    due = and_(_journeys.c.status == JourneyStatus.SCHEDULED.value, _journeys.c.starts_at <= now)
    running = {"status": JourneyStatus.RUNNING.value, "started_at": _journeys.c.starts_at}
    async with db.write() as session:
        started = await session.run(update(_journeys).where(due).values(**running, changed_at=now))
        if started:
            await setup.touch_catalog(session)
    return bool(started)


async def finish(db: Database, ending: Sequence[LiveJourney], shards: int, now: Instant) -> bool:
    """Ends those of these journeys that have nobody inside any more. Returns whether there was any."""
    async with db.read() as session:
        empty = [one for one in ending if await _is_empty(session, one, shards)]
    if not empty:
        return False
    over = {"status": JourneyStatus.FINISHED.value, "finished_at": now, "paused_at": None, "changed_at": now}
    finished = 0
    async with db.write() as session:
        # First: no batch that lets somebody in can now be written before we are done.
        await setup.touch_catalog(session)
        for one in empty:
            if await _is_empty(session, one, shards):
                wanted = and_(_journeys.c.id == one.id, _journeys.c.status.in_(_OPEN))
                still = and_(wanted, _journeys.c.ends_at <= now)
                finished += await session.run(update(_journeys).where(still).values(**over))
    return bool(finished)


async def _is_empty(session: ReadSession, journey: LiveJourney, shards: int) -> bool:
    """Nobody is inside, and nothing is on its way that could still be: an event from before, a merge."""
    inside = exists().where(
        _runs.c.shard.in_(list(range(shards))),
        _runs.c.journey_id == journey.id,
        _runs.c.wake_at.is_not(None),
    )
    on_the_way = exists().where(_inbox.c.project_id == journey.project_id, _may_concern(journey))
    return not (await session.rows(select(or_(inside, on_the_way))))[0][0]


def _may_concern(journey: LiveJourney) -> ColumnElement[bool]:
    assert journey.ends_at is not None
    return or_(_inbox.c.arrived_at <= journey.ends_at, _inbox.c.kind == ADOPT)
