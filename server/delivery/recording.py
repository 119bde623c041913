"""Outcomes on their way into the inbox: together, and without losing one."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

import structlog
from sqlalchemy.exc import SQLAlchemyError

from server.errors import Overloaded
from server.store.inbox import Entry

Append = Callable[[Sequence[Entry]], Awaitable[None]]
"""Returns when the entries are on disk; raises Overloaded having taken none."""

PAUSE_SECONDS = 1.0
log = structlog.get_logger("delivery")


async def append_surely(append: Append, entries: Sequence[Entry]) -> None:
    """Tries until the entries are on disk: the inbox may be full, or the database away.

    Entries that got there twice, because only the answer was lost, count once.
    """
    while True:
        try:
            return await append(entries)
        except Overloaded as full:
            await asyncio.sleep(full.retry_after_seconds)
        except (SQLAlchemyError, OSError):
            log.exception("outcomes could not be kept yet", entries=len(entries))
            await asyncio.sleep(PAUSE_SECONDS)


@dataclass(slots=True)
class Recorder:
    """Puts what comes while an append is under way into the next one."""

    append: Append
    _waiting: list[tuple[Entry, asyncio.Future[None]]] = field(default_factory=list)
    _task: asyncio.Task[None] | None = None

    async def record(self, entry: Entry) -> None:
        """Returns when the entry is on disk."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((entry, done))
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._work())
        await done

    async def abandon(self) -> None:
        """Drops what is not on disk yet, as a crash would."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _work(self) -> None:
        while self._waiting:
            group, self._waiting = self._waiting, []
            try:
                await append_surely(self.append, [entry for entry, _ in group])
            except Exception as error:
                for _, done in group:
                    if not done.done():
                        done.set_exception(error)
                continue
            for _, done in group:
                if not done.done():
                    done.set_result(None)
