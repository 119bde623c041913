"""Engine, dispatcher and poller in a process that is there to be killed while it sends Alimtalks."""

import asyncio
import os
import signal
from dataclasses import replace

import uvloop

from bench._soak_worker import FastClock
from channels.host import Host
from channels.kakao.solapi import SolapiAlimtalkChannel
from server.clock import Instant
from server.config import Secret, Settings
from server.delivery.dispatch import Dispatcher
from server.delivery.polling import Poller
from server.engine import leases
from server.engine.loop import Engine
from server.ingest.appender import Appender
from server.observe import configure_logs
from server.runtime import calm_collector
from server.store.database import Database

SECRET = Secret("only-for-this-benchmark")
BATCH, CALLS = 20, 2
"""Few a call and few calls at once, so that there is a middle in which to be killed."""
LOOK_SECONDS = 0.1


class SmallBatches(SolapiAlimtalkChannel):
    """The adapter as it is, but for how many it is handed."""

    capabilities = replace(SolapiAlimtalkChannel.capabilities, batch_size=BATCH)


async def work(database: str, start: Instant, speed: int) -> None:
    calm_collector()
    clock = FastClock(start, speed)
    db = Database(database)
    async with db.write() as session:
        # Whoever had them was killed: nobody else works on this file.
        await leases.forget(session)
    engine = Engine(db, clock, 1, strict=True)
    appender = Appender(db, 1_000_000, 10_000_000, engine.wakeup.set)
    settings = Settings(secret=SECRET, send_concurrency=CALLS)
    channel = SmallBatches()
    host = Host({channel.key: channel}, {})
    dispatcher = Dispatcher(db, clock, host, settings, 1, appender.append)
    poller = Poller(db, clock, host, dispatcher.senders, 1, appender.append)
    engine.moved = dispatcher.wakeup.set
    stopping, appending = asyncio.Event(), asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopping.set)
    writer = asyncio.create_task(appender.run(appending))
    await asyncio.gather(engine.run(stopping), dispatcher.run(stopping), _ask(poller, stopping))
    appending.set()
    await writer
    await db.close()


async def _ask(poller: Poller, stopping: asyncio.Event) -> None:
    """As often as a clock that runs faster wants it."""
    while not stopping.is_set():
        await poller.poll_once()
        await asyncio.sleep(LOOK_SECONDS)


def work_apart(log: str, database: str, start: Instant, speed: int) -> None:
    """What the process does, from its first line to the last."""
    with open(log, "ab") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    configure_logs("console", quiet=True)
    uvloop.run(work(database, start, speed))
