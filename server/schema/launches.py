"""Launches: the times at which a journey's audiences are let in, and how far each has come."""

from datetime import datetime
from typing import Any

import strawberry

from server.clock import to_datetime, to_datetime_if_any
from server.context import Context
from server.journey.launching import day_numbered
from server.resolvers import launches as resolve

from .ids import to_id

DAY = 86_400_000


@strawberry.type(description="One time at which an audience is let in, a page of people after the other.")
class Launch:
    entry: strawberry.ID = strawberry.field(description="The key of the entry.")
    day: str | None = strawberry.field(
        description="The day of the entry's schedule, as YYYY-MM-DD; null for one at once."
    )
    due_at: datetime = strawberry.field(
        description="When it begins; in the persons' zones, when it goes on with those whose time comes next."
    )
    began_at: datetime | None = strawberry.field(description="When it began; null if it has not.")
    done_at: datetime | None = strawberry.field(description="When it was through; null if it is not.")
    entered: int = strawberry.field(description="People who have come in by it so far.")
    refused: int = strawberry.field(description="People of the audience who were refused so far.")
    request_id: strawberry.ID | None = strawberry.field(
        description="The request over the API that asked for it; null for one of the entry's own."
    )

    @classmethod
    def from_row(cls, row: Any) -> "Launch":
        # A day is kept as the instant at which it begins in UTC, and what happens at once as its instant.
        is_day = row.request_id is None and row.occurrence % DAY == 0
        return cls(
            entry=strawberry.ID(row.entry_key),
            day=day_numbered(row.occurrence).isoformat() if is_day else None,
            due_at=to_datetime(row.due_at),
            began_at=to_datetime_if_any(row.began_at),
            done_at=to_datetime_if_any(row.done_at),
            entered=int(row.entered),
            refused=int(row.refused),
            request_id=None if row.request_id is None else to_id("EntryRequest", row.request_id),
        )


async def latest(context: Context, journey_id: int) -> list[Launch]:
    return [Launch.from_row(row) for row in await resolve.latest(context, journey_id)]
