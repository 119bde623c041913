"""What resuming a paused journey would do, by the choice that is made."""

from typing import NamedTuple

from server.context import Context
from server.journey.status import JourneyStatus
from server.journey.waking import ResumePolicy
from server.store import outbox, runs
from server.store.runs import Waits
from server.store.tables import Journey


class Fates(NamedTuple):
    """What one choice does to the runs that wait."""

    policy: ResumePolicy
    going_on: int
    ending: int
    within_hour: int
    within_day: int


class Preview(NamedTuple):
    waits: Waits
    held: outbox.Held
    fates: list[Fates]


async def preview(context: Context, journey: Journey) -> Preview | None:
    """Nothing for a journey that is not paused."""
    if journey.status != JourneyStatus.PAUSED or journey.paused_at is None:
        return None
    assert journey.id is not None
    now = context.clock.now()
    about = (context.project_id, journey.id, context.shards)
    async with context.db.read() as session:
        waits = await runs.waits(session, *about, journey.paused_at, now)
        held = await outbox.waiting_of(session, *about, now)
    return Preview(waits, held, _fates(waits))


def _fates(waits: Waits) -> list[Fates]:
    later = (waits.next_hour, waits.next_day)
    return [
        Fates(ResumePolicy.SHIFT, waits.by_pause, 0, waits.after_pause_hour, waits.after_pause_day),
        Fates(ResumePolicy.CATCH_UP, waits.by_pause + waits.in_pause, 0, *later),
        Fates(ResumePolicy.SKIP, waits.by_pause, waits.in_pause, *later),
    ]
