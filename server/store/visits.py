"""The facts of runs: visits and conversions. A run's facts may lie in several shards, if its user moved."""

from collections import defaultdict
from collections.abc import Sequence

from sqlalchemy import select

from .bulk import table_of
from .sessions import ReadSession
from .tables import Conversion, Visit

_visits, _conversions = table_of(Visit), table_of(Conversion)


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
