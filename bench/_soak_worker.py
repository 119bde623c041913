"""Engine and dispatcher in a process that is there to be killed, on a clock that runs faster than ours."""

import argparse
import asyncio
import signal
import time

from bench._provider import BenchChannel
from channels.contract import OnUnknown
from channels.host import Host
from server.clock import Instant
from server.config import Secret, Settings
from server.delivery.dispatch import Dispatcher
from server.engine import leases
from server.engine.loop import Engine
from server.ingest.appender import Appender
from server.runtime import calm_collector
from server.store.database import Database

ADAPTERS = {
    "single": BenchChannel("single"),
    "batch": BenchChannel("batch", batch_size=50, on_unknown=OnUnknown.RESEND_SAME_KEY),
}
"""One that never sends again what may have arrived, and one whose provider could tell the double."""


class FastClock:
    """Wall time, so many times as fast since `start`, in every process the same."""

    follows_events = False

    def __init__(self, start: Instant, speed: int) -> None:
        self._start, self._speed = start, speed

    def now(self) -> Instant:
        return self._start + (time.time_ns() // 1_000_000 - self._start) * self._speed

    def reach(self, at: Instant) -> None:
        """Nothing that happens moves it."""


async def work(database: str, start: Instant, speed: int) -> None:
    calm_collector()
    clock = FastClock(start, speed)
    db = Database(database)
    async with db.write() as session:
        # Whoever had them was killed: nobody else works on this file.
        await leases.forget(session)
    engine = Engine(db, clock, 1, strict=True)
    appender = Appender(db, 1_000_000, 10_000_000, engine.wakeup.set)
    settings = Settings(secret=Secret("only-for-this-benchmark"))
    dispatcher = Dispatcher(db, clock, Host(dict(ADAPTERS), {}), settings, 1, appender.append)
    engine.moved = dispatcher.wakeup.set
    stopping, appending = asyncio.Event(), asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopping.set)
    writer = asyncio.create_task(appender.run(appending))
    await asyncio.gather(engine.run(stopping), dispatcher.run(stopping))
    appending.set()
    await writer
    await db.close()


if __name__ == "__main__":
    import uvloop

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("database")
    parser.add_argument("--start", type=int, required=True)
    parser.add_argument("--speed", type=int, required=True)
    given = parser.parse_args()
    uvloop.run(work(given.database, given.start, given.speed))
