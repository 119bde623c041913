"""What people do after something happened to them: habits, drawn for each person and each time."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from sqlalchemy import bindparam, select

from channels.contract import ReceiptKind
from server.clock import Instant
from server.delivery.receipts import HeardReceipt
from server.store.bulk import table_of
from server.store.sessions import ReadSession
from server.store.tables import Run, Visit

from .plan import Act, After, Habit, Plan
from .readers import Taken
from .stage import SHARD

_runs, _visits = table_of(Run), table_of(Visit)
_ENTERED = select(_runs.c.id, _runs.c.user_number, _runs.c.entered_at).where(
    _runs.c.shard == SHARD, _runs.c.id > bindparam("after")
)
_LEFT = select(
    _visits.c.seq, _visits.c.run_id, _visits.c.user_number, _visits.c.step_key, _visits.c.arrived_at
)
_LEFT = _LEFT.where(
    _visits.c.shard == SHARD,
    _visits.c.seq > bindparam("after"),
    _visits.c.step_key.in_(bindparam("steps", expanding=True)),
)
_WAITING = select(_runs.c.id, _runs.c.user_number, _runs.c.step_key, _runs.c.arrived_at).where(
    _runs.c.shard == SHARD,
    _runs.c.wake_at.is_not(None),
    _runs.c.step_key.in_(bindparam("steps", expanding=True)),
)
_FOLLOWS = {
    ReceiptKind.DELIVERED: After.DELIVERED,
    ReceiptKind.OPENED: After.OPENED,
    ReceiptKind.CLICKED: After.CLICKED,
}

Deed = tuple[int, Act]
"""A user's number, and what the user does."""


@dataclass(slots=True)
class Habits:
    """Looks at what has happened since it looked last, and says what follows."""

    plan: Plan
    _seen: set[tuple[int, str, Instant]] = field(default_factory=set)
    """Arrivals that were answered: run, step, when."""
    _times: Counter[tuple[int, int]] = field(default_factory=Counter)
    """How often a habit was drawn for a person."""
    _last_run: int = 0
    _last_visit: int = 0

    async def after_arrivals(self, session: ReadSession) -> list[Deed]:
        return [*await self._entered(session), *await self._arrived(session)]

    def after_receipts(self, taken: Taken, receipts: Sequence[HeardReceipt]) -> Iterator[Deed]:
        for receipt in receipts:
            after = _FOLLOWS.get(receipt.kind)
            for number, habit in enumerate(self.plan.habits):
                if habit.after is after and habit.step in ("", taken.step_key):
                    yield from self._draw(number, habit, taken.user_number, receipt.occurred_at)

    async def _entered(self, session: ReadSession) -> list[Deed]:
        if not any(habit.after is After.ARRIVED and not habit.step for habit in self.plan.habits):
            return []
        found: list[Deed] = []
        for run_id, user_number, at in await session.rows(_ENTERED, {"after": self._last_run}):
            self._last_run = max(self._last_run, run_id)
            found += self._follow("", user_number, at)
        return found

    async def _arrived(self, session: ReadSession) -> list[Deed]:
        steps = {habit.step for habit in self.plan.habits if habit.after is After.ARRIVED and habit.step}
        if not steps:
            return []
        rows = [tuple(row) for row in await session.rows(_WAITING, {"steps": list(steps)})]
        for seq, *row in await session.rows(_LEFT, {"after": self._last_visit, "steps": list(steps)}):
            self._last_visit = max(self._last_visit, seq)
            rows.append(tuple(row))
        found: list[Deed] = []
        for run_id, user_number, step_key, at in sorted(rows):
            if (run_id, step_key, at) not in self._seen:
                self._seen.add((run_id, step_key, at))
                found += self._follow(step_key, user_number, at)
        return found

    def _follow(self, step_key: str, user_number: int, at: Instant) -> Iterator[Deed]:
        for number, habit in enumerate(self.plan.habits):
            if habit.after is After.ARRIVED and habit.step == step_key:
                yield from self._draw(number, habit, user_number, at)

    def _draw(self, number: int, habit: Habit, user_number: int, at: Instant) -> Iterator[Deed]:
        self._times[number, user_number] += 1
        about = (number, self.plan.people[user_number].name, self._times[number, user_number])
        if self.plan.draw("does", *about) >= habit.share:
            return
        spread = habit.latest_ms - habit.soonest_ms
        later = habit.soonest_ms + int(self.plan.draw("when", *about) * (spread + 1))
        # What follows comes after what it follows.
        yield user_number, Act(at + max(1, later), habit.event, habit.properties)
