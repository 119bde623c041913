"""One run of a subscription for everybody who asks the same."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Any

from strawberry.types.execution import ExecutionResult

Results = AsyncGenerator[ExecutionResult, None]
FRESH_SECONDS = 1.0
"""Whoever comes later than this after the last result has it made anew."""


class Telling:
    """Runs while anybody listens. What has not changed is told to newcomers only.

    Nobody waits for a slow listener: it is told the latest when it is ready, not everything in between.
    """

    def __init__(self, begin: Callable[[], Results], news_of: Callable[[ExecutionResult], Any]) -> None:
        self._begin, self._news_of = begin, news_of
        self.listeners = 0
        self._latest: ExecutionResult | None = None
        self._latest_at = 0.0
        self._news: Any = None
        self._made = 0
        """How many results there were."""
        self._changed = 0
        """Which of them was the last with news."""
        self._is_being_made = False
        """Whether a run has begun that has not made anything yet."""
        self._is_over = False
        self._failure: Exception | None = None
        self._stirred = asyncio.Event()
        self._running: asyncio.Task[None] | None = None

    async def results(self) -> Results:
        """The latest at once, then every one with news."""
        self.listeners += 1
        try:
            least = self._fresh()
            told = 0
            while True:
                if self._made >= least and self._changed > told and self._latest is not None:
                    told = self._changed
                    yield self._latest
                elif self._is_over:
                    break
                else:
                    await self._stirred.wait()
            if self._failure is not None:
                raise self._failure
        finally:
            self.listeners -= 1
            if not self.listeners:
                await self._stop()

    def _fresh(self) -> int:
        """The number of the first result that is good enough for whoever comes now."""
        age = asyncio.get_running_loop().time() - self._latest_at
        if self._running is None or (not self._is_being_made and age > FRESH_SECONDS):
            self._is_being_made, self._is_over, self._failure = True, False, None
            self._running = asyncio.create_task(self._run(self._running))
        return self._made + (1 if self._is_being_made else 0)

    async def _run(self, before: "asyncio.Task[None] | None") -> None:
        """In the place of the run before, if there was one."""
        try:
            await _end(before)
            async with aclosing(self._begin()) as results:
                async for result in results:
                    self._keep(result)
        except Exception as error:
            self._failure = error
        self._is_over = True
        self._stir()

    def _keep(self, result: ExecutionResult) -> None:
        news = self._news_of(result)
        self._made += 1
        if self._changed == 0 or news != self._news:
            self._changed, self._news = self._made, news
        self._is_being_made = False
        self._latest, self._latest_at = result, asyncio.get_running_loop().time()
        self._stir()

    def _stir(self) -> None:
        self._stirred.set()
        self._stirred = asyncio.Event()

    async def _stop(self) -> None:
        running, self._running = self._running, None
        await _end(running)


async def _end(task: "asyncio.Task[None] | None") -> None:
    if task is not None:
        task.cancel()
        await asyncio.wait([task])
