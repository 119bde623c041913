"""What the messages of a month cost, over all journeys of the project."""

import re
from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from server.aggregates import costs
from server.aggregates.costs import Billed, Unbilled
from server.clock import to_datetime
from server.context import Context
from server.errors import BadInput
from server.store import projects

_MONTH = re.compile(r"(20\d\d)-(0[1-9]|1[0-2])")


class MonthOfCosts(NamedTuple):
    month: str
    as_of: datetime
    billed: list[Billed]
    unbilled: list[Unbilled]


async def of_month(context: Context, month: str | None) -> MonthOfCosts:
    """Raises BadInput for what is no month."""
    async with context.db.read() as session:
        now = to_datetime(context.clock.now())
        if month is None:
            zone = (await projects.by_id(session, context.project_id)).time_zone
            month = now.astimezone(ZoneInfo(zone)).strftime("%Y-%m")
        found = _MONTH.fullmatch(month)
        if found is None:
            raise BadInput(f"A month like 2026-11 was wanted, found {month[:20]!r}.")
        span = int(found[1]) * 100 + int(found[2])
        return MonthOfCosts(month, now, *await costs.of_span(session, context.project_id, span))
