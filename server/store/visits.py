"""The facts of runs: visits and conversions. A run's facts may lie in several shards, if its user moved."""

from collections import defaultdict
from collections.abc import Sequence

from sqlalchemy import bindparam, select

from server.journey.moment import EndReason

from .among import among
from .bulk import table_of
from .sessions import ReadSession
from .tables import Conversion, Run, Visit

_visits, _conversions = table_of(Visit), table_of(Conversion)

_CANCELLED = select(_visits.c.run_id, _visits.c.because).where(
    _visits.c.shard == bindparam("of_shard"),
    among(_visits.c.run_id, "runs"),
    _visits.c.project_id == bindparam("of_project"),
    _visits.c.end_reason == EndReason.CANCEL_EVENT.value,
)


async def by_runs(
    session: ReadSession, project_id: int, shards: int, run_ids: Sequence[int]
) -> dict[int, list[Visit]]:
    """The visits that are over, by run, in the order in which they happened."""
    statement = select(_visits).where(
        _visits.c.shard.in_(list(range(shards))),
        _visits.c.run_id.in_(list(run_ids)),
        _visits.c.project_id == project_id,
    )
    order = (_visits.c.arrived_at, _visits.c.left_at, _visits.c.seq)
    found: defaultdict[int, list[Visit]] = defaultdict(list)
    for row in await session.rows(statement.order_by(*order)):
        found[row.run_id].append(row)
    return found


async def cancelled_by(session: ReadSession, project_id: int, runs: Sequence[Run]) -> dict[int, str]:
    """By run: the event that ended it, of those that a cancel event has ended."""
    ids: defaultdict[int, list[int]] = defaultdict(list)
    for run in runs:
        if run.end_reason == EndReason.CANCEL_EVENT:
            ids[run.shard].append(run.id)
    found: dict[int, str] = {}
    for shard, run_ids in ids.items():
        # A run ends where it is then, so its last visit lies beside it.
        about = {"of_shard": shard, "of_project": project_id}
        found |= {
            row.run_id: row.because for row in await session.rows_in(_CANCELLED, "runs", run_ids, about)
        }
    return found


async def conversions_by_runs(
    session: ReadSession, project_id: int, shards: int, run_ids: Sequence[int]
) -> dict[int, list[Conversion]]:
    """Every hit of a goal, by run, the earliest first."""
    statement = select(_conversions).where(
        _conversions.c.shard.in_(list(range(shards))),
        _conversions.c.run_id.in_(list(run_ids)),
        _conversions.c.project_id == project_id,
    )
    found: defaultdict[int, list[Conversion]] = defaultdict(list)
    for row in await session.rows(statement.order_by(_conversions.c.occurred_at, _conversions.c.digest)):
        found[row.run_id].append(row)
    return found
