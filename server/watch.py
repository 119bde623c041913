"""Notices when figures may have changed: one watch a process, which looks only while somebody waits.

What it looks at is written by the very transactions that count, so it does not matter which process the
engine runs in. The engine of this process says besides when it has done something: then nobody waits for
the next look.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import NamedTuple

import structlog

from server.aggregates.calendar import hour_of
from server.clock import Clock, Instant
from server.store import movements
from server.store.database import Database
from server.store.movements import JourneyKey

LOOK_SECONDS = 0.25
"""Between two looks, if nobody says that there is something to see."""
REST_SECONDS = 0.02
"""Between two looks at the least: an engine in full swing has something to say many times a second."""
RETRY_SECONDS = 1.0
LEAST_SECONDS = 0.5
"""Between two readings of one question."""
MOST_OF_THE_TIME = 0.5
"""The part of the time that one question may be worked at: what is slow to read is read more seldom."""

log = structlog.get_logger("watch")


class _Sight(NamedTuple):
    """What figures depend on; when it is another than it was, they may be others."""

    counted: int
    epoch: int
    hour: Instant
    """Of the project's zone: at midnight `today` is another day, and a chart has one more point with every
    hour, though nothing was written."""


@dataclass(eq=False, slots=True)
class Follower:
    """Somebody who waits for the figures of a journey."""

    key: JourneyKey
    zone: str
    least: float
    sight: _Sight | None = None
    stirred: asyncio.Event = field(default_factory=asyncio.Event)
    looks: int = 0
    _began: float = field(default_factory=lambda: asyncio.get_running_loop().time())
    """When the figures were last begun to be read."""

    def see(self, sight: _Sight) -> None:
        if self.sight is not None and sight != self.sight:
            self.stirred.set()
        self.sight = sight
        self.looks += 1

    async def moved(self) -> None:
        """Returns when the figures may have changed since this was last called, or since following began."""
        now = asyncio.get_running_loop().time
        took = now() - self._began
        await asyncio.sleep(max(self.least, took / MOST_OF_THE_TIME) - took)
        await self.stirred.wait()
        self.stirred.clear()
        self._began = now()


class Watch:
    """Looks for all who follow in one statement or two, whatever their number."""

    def __init__(
        self,
        db: Database,
        clock: Clock,
        shards: int,
        *,
        look: float = LOOK_SECONDS,
        least: float = LEAST_SECONDS,
    ) -> None:
        self._db, self._clock, self._shards = db, clock, shards
        self.look, self.least = look, least
        self.followers: set[Follower] = set()
        self._nudged = asyncio.Event()
        self._looking: asyncio.Task[None] | None = None

    def nudge(self) -> None:
        """Said by the engine of this process when it has written something."""
        self._nudged.set()

    @asynccontextmanager
    async def following(self, project_id: int, journey_id: int, zone: str) -> AsyncIterator[Follower]:
        """What is committed after this has begun is noticed."""
        follower = Follower((project_id, journey_id), zone, self.least)
        await self._look({follower})
        self.followers.add(follower)
        if self._looking is None:
            self._looking = asyncio.create_task(self._keep_looking())
        try:
            yield follower
        finally:
            self.followers.discard(follower)
            if not self.followers:
                await self._stop()

    async def _stop(self) -> None:
        looking, self._looking = self._looking, None
        if looking is not None:
            looking.cancel()
            await asyncio.wait([looking])

    async def _keep_looking(self) -> None:
        while True:
            pause = self.look
            self._nudged.clear()
            try:
                await self._look(set(self.followers))
            except Exception:
                # The database may be away for a moment; who waits goes on waiting.
                log.exception("could not look whether figures have changed")
                pause = RETRY_SECONDS
            await asyncio.sleep(min(REST_SECONDS, pause))
            with suppress(TimeoutError):
                await asyncio.wait_for(self._nudged.wait(), max(0, pause - REST_SECONDS))

    async def _look(self, followers: set[Follower]) -> None:
        async with self._db.read() as session:
            found = await movements.of_journeys(session, self._shards, {one.key for one in followers})
        now = self._clock.now()
        for one in followers:
            one.see(_Sight(found.counted.get(one.key, 0), found.epoch, hour_of(now, one.zone)))
