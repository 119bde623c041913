"""What did not arrive in a period, by channel, connection, reason and the provider's own code."""

from dataclasses import dataclass
from datetime import date, timedelta

from server.aggregates.calendar import start_of
from server.clock import Instant, to_datetime
from server.context import Context
from server.errors import BadInput
from server.loaders import IssuesKey
from server.store import issues, retention
from server.store.issues import Issue, StepIssue, UnmappedCode, Wanted
from server.store.paging import Page, Slice

from .periods import Period

MOST_DAYS = 31


@dataclass(frozen=True, slots=True)
class Found:
    slice: Slice
    queued: dict[str, int]
    """By channel."""


def bounds(period: Period) -> tuple[Instant, Instant]:
    """When the days of a period begin and end. Raises BadInput for an open end, or for too many days."""
    first, until = period.span.first, period.span.until
    if first is None or until is None:
        raise BadInput(
            f"A period with both ends is wanted, of at most {MOST_DAYS} days: a `preset` such as "
            "LAST_7_DAYS, or `from` and `until`."
        )
    days = (until - first).days
    if days > MOST_DAYS:
        raise BadInput(
            f"Delivery issues are told for at most {MOST_DAYS} days at once, found {days}. "
            f"Ask from {until - timedelta(days=MOST_DAYS)}, or for several periods."
        )
    return _start(first, period), _start(until, period)


def _start(day: date, period: Period) -> Instant:
    return start_of(day, period.span.zone)


async def page(context: Context, wanted: Wanted, page: Page) -> Found:
    """One page of the issues, the most frequent first. Raises BadInput for days that are kept no longer."""
    async with context.db.read() as session:
        about = (context.project_id, wanted.since, wanted.journey_id)
        if (since := await retention.missing_since(session, *about)) is not None:
            raise BadInput(f"Codes are kept since {to_datetime(since).isoformat()}; ask from then on.")
        whole = await issues.by_code(session, context.project_id, context.shards, wanted)
        queued = await issues.queued(session, context.project_id, context.shards, wanted)
    place = page.place
    if place is not None and [type(one) for one in place] != [int, str, int, str, str, str]:
        raise BadInput("This is not a cursor of this list; begin anew without it.")
    rest = [one for one in whole if place is None or one.place > place]
    rows = rest[: page.limit]
    return Found(Slice(rows, place is not None, len(rest) > page.limit), queued)


async def of_journey(context: Context, journey_id: int, period: Period) -> list[StepIssue] | None:
    """By step and code; None for a period that is too long, has no end, or is kept no longer."""
    first, until = period.span.first, period.span.until
    if first is None or until is None or (until - first).days > MOST_DAYS:
        return None
    key = IssuesKey(journey_id, _start(first, period), _start(until, period))
    kept_since = (await context.loaders.project_by_id.load(context.project_id)).kept_since
    if kept_since is not None and key.since < kept_since:
        return None
    return await context.loaders.issues_by_span.load(key)


async def unmapped(context: Context, since: Instant, until: Instant) -> list[UnmappedCode]:
    async with context.db.read() as session:
        return await issues.unmapped(session, context.project_id, context.shards, since, until)


__all__ = [
    "MOST_DAYS",
    "Found",
    "Issue",
    "StepIssue",
    "UnmappedCode",
    "Wanted",
    "bounds",
    "of_journey",
    "page",
    "unmapped",
]
