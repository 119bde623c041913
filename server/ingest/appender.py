"""Durable before acknowledged: requests queue here, one writer commits them in groups and wakes them."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import structlog
from sqlalchemy.exc import SQLAlchemyError

from server.errors import Overloaded
from server.store import inbox
from server.store.database import Database
from server.store.inbox import Entry

MOST_IN_GROUP = 4000
"""Rows of one commit: some tens of milliseconds of writing."""
LOOK_SECONDS = 1.0
log = structlog.get_logger("ingest")


@dataclass(slots=True)
class _Waiting:
    entries: Sequence[Entry]
    done: asyncio.Future[None]


@dataclass(slots=True)
class Appender:
    """Puts entries into the inbox. `append` returns when they are on disk."""

    db: Database
    max_queue: int
    """Entries that may wait; more are refused at once, with nothing taken."""
    max_backlog: int
    """Entries that may lie in the inbox before new ones are refused."""
    appended: Callable[[], None] = lambda: None
    """Called after each commit: wakes the engine of this process."""
    backlog: int = 0
    """Entries in the inbox, as last looked."""
    _queue: list[_Waiting] = field(default_factory=list)
    _waiting: int = 0
    _filled: asyncio.Event = field(default_factory=asyncio.Event)

    async def append(self, entries: Sequence[Entry]) -> None:
        """Raises Overloaded, having taken nothing, if too much is waiting."""
        if not entries:
            return
        if self._waiting and self._waiting + len(entries) > self.max_queue:
            raise Overloaded("Too many events are waiting to be stored.", code="QUEUE_FULL")
        if self.backlog > self.max_backlog:
            raise Overloaded("The engine is too far behind.", code="ENGINE_BEHIND", retry_after_seconds=5)
        waiting = _Waiting(entries, asyncio.get_running_loop().create_future())
        self._queue.append(waiting)
        self._waiting += len(entries)
        self._filled.set()
        await waiting.done

    async def run(self, stopping: asyncio.Event) -> None:
        """Commits until told to stop and nothing waits any more."""
        looking = asyncio.create_task(self._look(stopping))
        stopped = asyncio.create_task(stopping.wait())
        try:
            while self._queue or not stopping.is_set():
                filled = asyncio.create_task(self._filled.wait())
                await asyncio.wait((filled, stopped), return_when=asyncio.FIRST_COMPLETED)
                filled.cancel()
                self._filled.clear()
                while self._queue:
                    await self._commit(self._take_group())
        finally:
            looking.cancel()
            stopped.cancel()
            # Whoever looks gives its connection back before the database is closed.
            await asyncio.wait((looking, stopped))

    def _take_group(self) -> list[_Waiting]:
        group: list[_Waiting] = []
        rows = 0
        while self._queue and rows < MOST_IN_GROUP:
            group.append(self._queue.pop(0))
            rows += len(group[-1].entries)
        self._waiting -= rows
        return group

    async def _commit(self, group: list[_Waiting]) -> None:
        try:
            async with self.db.write() as session:
                await inbox.append(session, [entry for waiting in group for entry in waiting.entries])
        except Exception as error:
            for waiting in group:
                if not waiting.done.cancelled():
                    waiting.done.set_exception(error)
            return
        for waiting in group:
            if not waiting.done.cancelled():
                waiting.done.set_result(None)
        self.backlog += sum(len(waiting.entries) for waiting in group)
        self.appended()

    async def _look(self, stopping: asyncio.Event) -> None:
        while not stopping.is_set():
            try:
                async with self.db.read() as session:
                    self.backlog = (await inbox.backlog(session)).rows
            except (SQLAlchemyError, OSError):
                # Whoever stops looking only ever counts up, and refuses everything in the end.
                log.exception("the backlog could not be counted")
            await asyncio.sleep(LOOK_SECONDS)
