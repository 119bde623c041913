"""Whether figures may be others than they were: numbers that move with every commit that changes any."""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import func, select

from .bulk import adding, table_of
from .sessions import ReadSession, WriteSession
from .tables import Catalog, Movement

JourneyKey = tuple[int, int]
"""Project and journey."""

_movements, _catalog = table_of(Movement), table_of(Catalog)
_ADD = adding(Movement, "n")


@dataclass(frozen=True, slots=True)
class Movements:
    epoch: int
    """Of the catalog: new versions, verdicts and connections change what figures are shown."""
    counted: dict[JourneyKey, int]
    """How often something was counted for a journey; one that is not in here never had anything counted."""


async def note(session: WriteSession, shard: int, journeys: Collection[JourneyKey]) -> None:
    """In the transaction that counts."""
    await session.bulk(_ADD, [(shard, *key, 1) for key in sorted(journeys)])


async def of_journeys(session: ReadSession, shards: int, journeys: Collection[JourneyKey]) -> Movements:
    epoch = (await session.rows(select(_catalog.c.epoch)))[0].epoch
    key = (_movements.c.project_id, _movements.c.journey_id)
    statement = (
        select(*key, func.sum(_movements.c.n).label("n"))
        .where(
            _movements.c.shard.in_(list(range(shards))),
            _movements.c.project_id.in_(sorted({project_id for project_id, _ in journeys})),
            _movements.c.journey_id.in_(sorted({journey_id for _, journey_id in journeys})),
        )
        .group_by(*key)
    )
    rows = await session.rows(statement)
    return Movements(epoch, {(row.project_id, row.journey_id): int(row.n) for row in rows})
