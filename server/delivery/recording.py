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


Kept = Callable[[BaseException | None], None]
"""Called when entries are on disk, or with what has gone wrong."""


@dataclass(slots=True)
class Recorder:
    """Puts what comes while an append is under way into the next one."""

    append: Append
    _waiting: list[Entry] = field(default_factory=list)
    _to_tell: list[Kept] = field(default_factory=list)
    _task: asyncio.Task[None] | None = None

    def record(self, entries: Sequence[Entry], kept: Kept) -> None:
        """Returns at once; `kept` is called when these are on disk."""
        self._waiting += entries
        self._to_tell.append(kept)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._work())

    async def abandon(self) -> None:
        """Drops what is not on disk yet, as a crash would."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        self._waiting, self._to_tell = [], []

    async def _work(self) -> None:
        while self._waiting:
            entries, self._waiting = self._waiting, []
            to_tell, self._to_tell = self._to_tell, []
            error: BaseException | None = None
            try:
                await append_surely(self.append, entries)
            except Exception as raised:
                error = raised
            for kept in to_tell:
                kept(error)
