"""How far the figures of a project reach."""

from sqlalchemy import func, select

from server.clock import Instant

from .bulk import table_of
from .sessions import ReadSession
from .tables import Inbox, Run

_inbox, _runs = table_of(Inbox), table_of(Run)


async def of_project(session: ReadSession, project_id: int, shards: int, now: Instant) -> Instant:
    """Everything that we were told, and every wait that was over, before this instant is counted."""
    waiting = select(func.min(_inbox.c.arrived_at)).where(_inbox.c.project_id == project_id)
    due = select(func.min(_runs.c.wake_at)).where(
        _runs.c.shard.in_(list(range(shards))),
        _runs.c.wake_at <= now,
        _runs.c.wake_at.is_not(None),
        ~_runs.c.held,
        _runs.c.project_id == project_id,
    )
    row = (await session.rows(select(waiting.scalar_subquery(), due.scalar_subquery())))[0]
    found: list[Instant] = [at for at in row if at is not None]
    return min([now, *found])
