"""The performance: time goes from one thing that happens to the next, until nothing is left or the end."""

import heapq
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from threading import Event
from typing import Any

from sqlalchemy import bindparam, func, select

from server.clock import MINUTE, Instant
from server.delivery.receipts import HeardReceipt, encode
from server.ingest import messages as events
from server.ingest.messages import ArrivedEvent
from server.store import inbox, invitations
from server.store.bulk import table_of
from server.store.sessions import ReadSession
from server.store.tables import Launch, Message, Run

from .habits import Deed, Habits
from .plan import Act, Plan
from .readers import Taken, receipts_of
from .stage import PROJECT, SHARD, Stage

_runs, _messages, _launches = table_of(Run), table_of(Message), table_of(Launch)
_NEXT = select(
    select(func.min(_runs.c.wake_at))
    .where(_runs.c.shard == SHARD, _runs.c.wake_at.is_not(None), _runs.c.wake_at > bindparam("now"))
    .scalar_subquery()
    .label("wake_at"),
    select(func.min(_messages.c.due_at))
    .where(_messages.c.shard == SHARD, _messages.c.due_at.is_not(None), _messages.c.due_at > bindparam("now"))
    .scalar_subquery()
    .label("message_at"),
    select(func.min(_launches.c.due_at))
    .where(_launches.c.shard == SHARD, _launches.c.done_at.is_(None), _launches.c.due_at > bindparam("now"))
    .scalar_subquery()
    .label("launch_at"),
)
_DUE = select(_messages.c.id, _messages.c.step_key, _messages.c.channel).where(
    _messages.c.shard == SHARD,
    _messages.c.due_at.is_not(None),
    _messages.c.due_at <= bindparam("now"),
    _messages.c.status == "queued",
)
_SENT = select(_messages).where(
    _messages.c.shard == SHARD, _messages.c.id.in_(bindparam("ids", expanding=True))
)
_EXACT_UP_TO = 50
"""People for whom every instant is played by itself."""
_LONGEST_GRAIN = 15 * MINUTE
_MOST_ROUNDS = 50
"""Of one instant: what follows at once follows again and again, but not for ever."""
_MOST_TURNS = 1000
_RENEWED_SECONDS = 4.0


@dataclass(order=True, slots=True)
class _Coming:
    """Something that is going to happen."""

    at: Instant
    number: int
    kind: str = field(compare=False)
    payload: bytes = field(compare=False)


@dataclass(slots=True)
class Performance:
    """Plays a stage's plan. Afterwards `reached_at` says how far it came."""

    stage: Stage
    stop: Event = field(default_factory=Event)
    """Set by whoever waits no longer."""
    reached_at: Instant = 0
    is_complete: bool = False
    _coming: list[_Coming] = field(default_factory=list)
    _counted: Counter[tuple[int, str]] = field(default_factory=Counter)
    """Messages that people got from steps."""
    _habits: Habits = field(init=False)
    _things: int = 0
    _launch_at: Instant | None = None
    """When the next audience is let in."""
    _renewed: float = 0.0

    def __post_init__(self) -> None:
        plan = self.stage.plan
        self._habits = Habits(plan)
        self.reached_at = plan.start
        for number, person in enumerate(plan.people):
            for act in person.acts:
                self._do(number, act)

    async def play(self) -> None:
        """Until the plan's end, or until its wall time is over."""
        plan, started = self.stage.plan, time.monotonic()
        grain = grain_of(plan)
        # What the journey does by itself is planned first, e.g. when it lets an audience in.
        await self._play(plan.start)
        # Runs that wait for ever are none: what is left to do is always at a time.
        while (at := await self._next()) is not None and at <= plan.until:
            if self.stop.is_set() or time.monotonic() - started > plan.wall_seconds:
                return
            await self._play(min(self._up_to(at, grain), plan.until))
        await self._play(plan.until)
        self.is_complete = True

    async def _next(self) -> Instant | None:
        async with self.stage.db.read() as session:
            [row] = await session.rows(_NEXT, {"now": self.reached_at})
        self._launch_at = row.launch_at
        times = [at for at in row if at is not None]
        times += [self._coming[0].at] if self._coming else []
        return max(min(times), self.reached_at) if times else None

    def _up_to(self, at: Instant, grain: int) -> Instant:
        """The end of what is played at once from then on. An audience is let in at its very time."""
        if self._launch_at is None or self._launch_at > at + grain:
            return at + grain
        return at if self._launch_at <= at else self._launch_at - 1

    async def _play(self, at: Instant) -> None:
        self.stage.clock.reach(at)
        for _ in range(_MOST_ROUNDS):
            await self._let_happen(at)
            await self._work()
            if await self._send(at):
                await self._work()
            await self._follow()
            if not self._coming or self._coming[0].at > at:
                break
        self.reached_at = at

    async def _let_happen(self, at: Instant) -> None:
        entries = []
        while self._coming and self._coming[0].at <= at:
            one = heapq.heappop(self._coming)
            entries.append(inbox.Entry(SHARD, PROJECT, one.kind, one.payload, one.at))
        if entries:
            await self.stage.put(entries)

    async def _work(self) -> None:
        engine = self.stage.engine
        if time.monotonic() - self._renewed > _RENEWED_SECONDS:
            await engine.take_shards()
            self._renewed = time.monotonic()
        for _ in range(_MOST_TURNS):
            if not await engine.work_once():
                return

    async def _send(self, at: Instant) -> bool:
        async with self.stage.db.read() as session:
            due = await session.rows(_DUE, {"now": at})
        if not due:
            return False
        for row in due:
            self.stage.bag.steps[_reference(row.id)] = row.step_key, row.channel
        await self.stage.dispatcher.until_idle()
        return True

    async def _follow(self) -> None:
        """What becomes of the messages that were sent, and what people do now."""
        fresh, self.stage.bag.fresh = self.stage.bag.fresh, []
        async with self.stage.db.read() as session:
            for taken in await self._taken(session, fresh):
                receipts = receipts_of(self.stage.plan, taken)
                for receipt in receipts:
                    self._hear(receipt)
                self._follow_up(list(self._habits.after_receipts(taken, receipts)))
            self._follow_up(await self._habits.after_arrivals(session))

    async def _taken(self, session: ReadSession, references: list[str]) -> list[Taken]:
        if not references:
            return []
        ids = [int(reference.rpartition("-")[2]) for reference in references]
        found = []
        for row in sorted(await session.rows(_SENT, {"ids": ids}), key=lambda row: row.id):
            self._counted[row.user_number, row.step_key] += 1
            person = self.stage.people[row.user_number].name
            nth = self._counted[row.user_number, row.step_key]
            at = row.attempted_at if row.attempted_at is not None else row.created_at
            whose = (row.id, person, row.user_number, row.step_key, row.channel)
            found.append(Taken(*whose, nth, at, row.connection_id))
        return found

    def _follow_up(self, deeds: list[Deed]) -> None:
        for number, act in deeds:
            self._do(number, act)

    def _do(self, number: int, act: Act) -> None:
        self._things += 1
        name, message_id = self.stage.plan.people[number].name, f"rehearsal-{self._things}"
        properties = dict(act.properties)
        if act.enters:
            self._invite(name, act, message_id)
            return
        event = ArrivedEvent("track", message_id, name, None, None, act.event, act.at, act.at, properties, {})
        heapq.heappush(self._coming, _Coming(act.at, self._things, inbox.EVENT, events.encode(event)))

    def _invite(self, name: str, act: Act, digest: str) -> None:
        """As a request to the API does."""
        about = {
            "journey_id": self.stage.plan.journey_id,
            "entry_key": act.enters,
            "at": act.at,
            "digest": digest,
            "event": "",
            "properties": dict(act.properties),
        }
        row = invitations.entry(SHARD, PROJECT, about, [("user_id", name)], act.at)
        heapq.heappush(self._coming, _Coming(act.at, self._things, row.kind, row.payload))

    def _hear(self, receipt: HeardReceipt) -> None:
        self._things += 1
        what = _Coming(receipt.occurred_at, self._things, inbox.RECEIPT, encode(receipt))
        heapq.heappush(self._coming, what)


def grain_of(plan: Plan) -> int:
    """How much time is played at once: none for few people; for many as much as no wait can be shorter than.

    Within a grain what people do comes before the waits that end in it, whatever their order.
    """
    if len(plan.people) <= _EXACT_UP_TO:
        return 0
    return min([_LONGEST_GRAIN, *_durations(plan.graph)]) - 1


def _durations(value: Any, name: str = "") -> Iterator[int]:
    """Every length of time that the graph speaks of."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _durations(inner, str(key))
    elif isinstance(value, list):
        for inner in value:
            yield from _durations(inner, name)
    elif name.endswith("_ms") and isinstance(value, int) and value > 0:
        yield value


def _reference(message_id: int) -> str:
    return f"{PROJECT}-{SHARD}-{message_id}"
