"""What explanations read beside what everybody reads: a person's events of a name, refusals, suppressions."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select, tuple_

from server.clock import Instant

from .bulk import table_of
from .same_address import same_address
from .sessions import ReadSession
from .suppressing import EVERY_PURPOSE
from .tables import Event, Refusal, Suppression
from .users import UserKey, among

MOST_REFUSALS = 20

_events, _refusals, _suppressions = table_of(Event), table_of(Refusal), table_of(Suppression)


async def latest_event(
    session: ReadSession, project_id: int, keys: Sequence[UserKey], name: str, until: Instant | None
) -> Any | None:
    """The latest event of this name that a person has done; not later than `until`, if that is given."""
    statement = select(_events).where(
        _events.c.project_id == project_id, among(_events, keys), _events.c.name == name
    )
    if until is not None:
        statement = statement.where(_events.c.occurred_at <= until)
    rows = await session.rows(statement.order_by(_events.c.occurred_at.desc()).limit(1))
    return rows[0] if rows else None


async def refusals(
    session: ReadSession, project_id: int, journey_id: int, keys: Sequence[UserKey]
) -> list[Any]:
    """The latest times that a person would have entered a journey and did not, the latest first."""
    statement = select(_refusals).where(
        _refusals.c.project_id == project_id, _refusals.c.journey_id == journey_id, among(_refusals, keys)
    )
    return list(await session.rows(statement.order_by(_refusals.c.occurred_at.desc()).limit(MOST_REFUSALS)))


Place = tuple[str, str, str]
"""A channel, an address there, and the purpose of a message."""


async def suppressions(
    session: ReadSession, project_id: int, places: Sequence[Place]
) -> dict[Place, list[Any]]:
    """What suppresses these addresses for messages of these purposes, whoever said so."""
    same = {place: (place[0], same_address(*place[:2])) for place in places}
    addresses = tuple_(_suppressions.c.channel, _suppressions.c.address).in_(set(same.values()))
    statement = select(_suppressions).where(
        _suppressions.c.project_id == project_id, addresses, _suppressions.c.since.is_not(None)
    )
    rows = await session.rows(statement.order_by(_suppressions.c.since))
    return {
        place: [
            row
            for row in rows
            if (row.channel, row.address) == here and row.purpose in (EVERY_PURPOSE, place[2])
        ]
        for place, here in same.items()
    }
