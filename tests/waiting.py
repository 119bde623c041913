"""Waiting for what has to come, however slow the machine is today."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable

PATIENCE = 120.0
"""Seconds. What comes at once on an idle machine and has not come by then does not come."""


async def until(condition: Callable[[], bool | Awaitable[bool]], every: float = 0.005) -> None:
    """Returns when the condition holds; raises TimeoutError if it never does."""
    async with asyncio.timeout(PATIENCE):
        while not await _holds(condition()):  # noqa: ASYNC110 (nobody sets an event for us)
            await asyncio.sleep(every)


async def _holds(found: bool | Awaitable[bool]) -> bool:
    return await found if inspect.isawaitable(found) else found
