"""How long an operation may take. What is known to take longer says so before it begins."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import ContextVar

_deadline: ContextVar[asyncio.Timeout | None] = ContextVar("deadline", default=None)


@asynccontextmanager
async def at_most(seconds: float) -> AsyncIterator[asyncio.Timeout]:
    """What is awaited in the block is cancelled after so long, with TimeoutError."""
    async with asyncio.timeout(seconds) as deadline:
        before = _deadline.set(deadline)
        try:
            yield deadline
        finally:
            _deadline.reset(before)


def ask_for(seconds: float) -> None:
    """The operation of which this is a part may take so long from now on, if it may not anyway."""
    deadline = _deadline.get()
    until = None if deadline is None else deadline.when()
    wanted = asyncio.get_running_loop().time() + seconds
    if deadline is not None and until is not None and until < wanted:
        deadline.reschedule(wanted)
