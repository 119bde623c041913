"""Takes shards, works them in turn, and lets them go when told to stop."""

import asyncio
import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field

import structlog
from sqlalchemy import bindparam, exists, select

from server.clock import SECOND, Clock, Instant
from server.delivery import guard
from server.journey.status import JourneyStatus
from server.store.bulk import table_of
from server.store.database import Database
from server.store.sessions import ReadSession
from server.store.tables import Inbox, Launch, Run, ShardState

from . import catalog as catalogs
from . import judging, leases, transitions
from .catalog import Catalog
from .shard import CatalogMoved, Shard, Turn

WORK = "engine"
MERGE_EVERY = 64
"""Turns of a shard between two looks for crowded user sets."""
FINISH_EVERY = 64
"""Turns, while there is always something to do, between two looks whether journeys are over."""

_inbox, _runs, _state = table_of(Inbox), table_of(Run), table_of(ShardState)
_launches = table_of(Launch)
_WITH_WORK = select(_state.c.shard).where(
    exists().where(_inbox.c.shard == _state.c.shard)
    | exists().where(
        _runs.c.shard == _state.c.shard,
        _runs.c.wake_at.is_not(None),
        ~_runs.c.held,
        _runs.c.wake_at <= bindparam("now"),
    )
    | exists().where(
        _launches.c.shard == _state.c.shard,
        _launches.c.done_at.is_(None),
        ~_launches.c.held,
        _launches.c.due_at <= bindparam("now"),
    )
)
log = structlog.get_logger("engine")


@dataclass(slots=True)
class Progress:
    """What an engine has done since it started."""

    rows: int = 0
    wakes: int = 0
    transitions: int = 0
    turns: int = 0

    def add(self, turn: Turn) -> None:
        self.rows += turn.rows
        self.wakes += turn.wakes
        self.transitions += turn.transitions
        self.turns += 1


@dataclass(slots=True)
class Engine:
    """The loop of one process over all the shards that it can get."""

    db: Database
    clock: Clock
    shards: int
    holder: str = field(default_factory=lambda: f"{os.getpid()}-{secrets.token_hex(4)}")
    progress: Progress = field(default_factory=Progress)
    wakeup: asyncio.Event = field(default_factory=asyncio.Event)
    """Set by whoever has put something into the inbox in this process."""
    moved: Callable[[], None] = lambda: None
    """Called after a turn in which runs went on: there may be messages to send."""
    strict: bool = False
    """Raises where otherwise a row that cannot be worked in is looked for: for tests."""
    _mine: dict[int, Shard] = field(default_factory=dict)
    _catalog: Catalog | None = None
    _graphs: catalogs.Graphs = field(default_factory=dict)
    """Every graph that was ever published, as read once."""
    _judged_at: Instant = 0
    """When splits were last looked at that choose a branch themselves."""
    _is_unjudged: bool = False
    """Whether anything has happened since."""
    _may_have_missed: bool = False
    """Whether bad news of our shards may have been counted without anybody looking at them."""

    @property
    def mine(self) -> list[int]:
        """The shards whose lease we hold."""
        return sorted(self._mine)

    async def run(self, stopping: asyncio.Event) -> None:
        """Works until told to stop; finishes the turn that it is in, then lets its shards go."""
        renewed = 0.0
        try:
            while not stopping.is_set():
                if asyncio.get_running_loop().time() >= renewed:
                    await self.take_shards()
                    renewed = asyncio.get_running_loop().time() + leases.LASTS_MS / 3 / SECOND
                self.wakeup.clear()
                if not await self.work_once():
                    await self._rest(stopping)
        finally:
            await self.let_go()

    async def until_idle(self, most_turns: int = 1_000_000) -> Progress:
        """Works until nothing is left to do now: for tests, the demo and the command line."""
        await self.take_shards()
        for _ in range(most_turns):
            if not await self.work_once():
                return self.progress
        raise RuntimeError(f"There was still something to do after {most_turns} turns.")

    async def work_once(self) -> bool:
        """One turn of every shard of ours that has something to do. Returns whether any had."""
        async with self.db.read() as session:
            ready = await self._ready(session)
        await self._look_for_bad_news()
        if await self._make_transitions(idle=not ready):
            return True
        for number in ready:
            shard = self._mine.get(number)
            if shard is not None:
                await self._turn(shard)
            # A batch is some tens of milliseconds of computing: let those in who answer requests.
            await asyncio.sleep(0)
        self._is_unjudged |= bool(ready)
        await self._judge(is_idle=not ready)
        return bool(ready)

    async def _judge(self, *, is_idle: bool) -> None:
        """By the engine's own clock, so that months of a replay are looked at as often as real ones."""
        now = self.clock.now()
        is_due = now - self._judged_at >= judging.EVERY or (is_idle and self.clock.follows_events)
        if self._catalog is not None and self._is_unjudged and is_due:
            self._judged_at, self._is_unjudged = now, False
            await judging.look(self.db, self._catalog, self.shards, now)

    async def _look_for_bad_news(self) -> None:
        """Once for shards that are new to us: whoever had them may have died before it looked."""
        if self._may_have_missed and self._catalog is not None:
            journeys = self._catalog.journeys.values()
            live = [(one.project_id, one.id) for one in journeys if one.status is JourneyStatus.RUNNING]
            await guard.look_at(self.db, live, self._catalog.zone_of, self.clock.now())
            self._may_have_missed = False

    async def _make_transitions(self, *, idle: bool) -> bool:
        """What journeys do by themselves now. Whether they are over is asked when there is time for it."""
        assert self._catalog is not None
        now = self.clock.now()
        if self._catalog.starting(now):
            return await transitions.start(self.db, now)
        ending = self._catalog.ending(now)
        if ending and (idle or self.progress.turns % FINISH_EVERY == 0):
            return await transitions.finish(self.db, ending, self.shards, now)
        return False

    async def _ready(self, session: ReadSession) -> list[int]:
        epoch = await catalogs.current_epoch(session)
        if self._catalog is None or self._catalog.epoch != epoch:
            self._catalog = await catalogs.load(session, self._graphs)
        rows = await session.rows(_WITH_WORK, {"now": self.clock.now()})
        ready = {row.shard for row in rows if row.shard in self._mine}
        ready |= {n for n, shard in self._mine.items() if not shard.has_planned(self._catalog)}
        return sorted(ready)

    async def _turn(self, shard: Shard) -> None:
        assert self._catalog is not None
        try:
            turn = await shard.turn(self._catalog)
            self.progress.add(turn)
            if turn.transitions:
                self.moved()
            if turn.bad_news:
                await guard.look_at(self.db, turn.bad_news, self._catalog.zone_of, self.clock.now())
            if shard.turns % MERGE_EVERY == 0:
                await shard.merge_sets()
        except CatalogMoved:
            self._catalog = None
        except leases.LostLease:
            log.warning("another worker has taken a shard over", shard=shard.number)
            self._mine.pop(shard.number, None)

    async def take_shards(self) -> None:
        """Takes a fair share of the shards, renews what it has, and gives back what is more than that."""
        async with self.db.write() as session:
            tokens = await leases.take_share(session, WORK, self.holder, self.shards, self._mine)
        self._may_have_missed = self._may_have_missed or not tokens.keys() <= self._mine.keys()
        self._mine = {
            number: self._mine.get(number)
            or Shard(self.db, self.clock, number, self.shards, token, strict=self.strict)
            for number, token in tokens.items()
        }

    async def let_go(self) -> None:
        self._mine.clear()
        async with self.db.write() as session:
            await leases.release(session, WORK, self.holder)

    async def _rest(self, stopping: asyncio.Event) -> None:
        """Waits for something in the inbox, and looks for due timers meanwhile."""
        waiting = [asyncio.ensure_future(event.wait()) for event in (self.wakeup, stopping)]
        try:
            await asyncio.wait(waiting, timeout=0.2, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for waiter in waiting:
                waiter.cancel()
