"""No speed: an Alimtalk through a worker that is killed while it sends and while it asks for results.

The relay lives on in this process. SOLAPI has no idempotency: what was in flight at a kill is unknown and
never sent again by itself. Afterwards its ledger and our tables are laid side by side; exits with 1 if
anybody got two, if a message is lost, or if the sums differ.
"""

import argparse
import asyncio
import multiprocessing
import socket
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from multiprocessing.process import BaseProcess
from pathlib import Path

import httpx
import uvicorn
from sqlalchemy import func, select

from bench import _alimtalk as shop
from bench._alimtalk import AFTER, ASK, BEFORE, SEND, Relay
from bench._alimtalk_books import Books, compare
from bench._alimtalk_worker import BATCH, SECRET, work_apart
from bench._report import heading
from bench._soak_worker import FastClock
from server.aggregates.recount import differences
from server.clock import WallClock
from server.config import Settings
from server.demo.api import api_of
from server.doctor import examine
from server.observe import configure_logs
from server.runtime import Runtime, open_runtime
from server.store import projects
from server.store.bulk import table_of
from server.store.database import Database
from server.store.tables import Inbox, Message

_PROCESSES = multiprocessing.get_context("forkserver")
_PROCESSES.set_forkserver_preload(["bench._alimtalk_worker"])
"""What a worker imports is imported once, and every worker is a process of its own."""
SPEED = 60
SEED = 1
WAIT_SECONDS = 60.0
SILENT_EVERY = 15
"""So that in every call there is somebody of whom nothing more is heard: no result says that it arrived."""
ROWS_A_PAGE = 50
KILLED_AT = (
    ((SEND, 4, BEFORE), (SEND, 5, AFTER)),
    ((ASK, 6, AFTER),),
)
"""For each kill: at which requests the relay stands still until the worker is dead. The fourth call has then
not been taken up and is lost on the way, the fifth has and its answer is lost. Of the results,
once two thirds of all have been handed over, five pages have been told, and the sixth is lost."""


class Soak:
    """A database, the relay that is not killed, and a worker that is."""

    def __init__(self, folder: Path, relay: Relay, url: str, started_at: int) -> None:
        self.folder, self.relay, self.url = folder, relay, url
        self.database = folder / "soak.db"
        self._about = (str(folder / "worker.log"), f"sqlite:///{self.database}", started_at, SPEED)
        self._worker: BaseProcess | None = None
        self.at_kills: list[dict[str, int]] = []
        """How many messages were in which state, and how much waited, whenever the worker had been killed."""

    async def prepare(self, count: int) -> None:
        """Everything up to the campaign, by a server of this process; then it is gone."""
        mounts = {self.url: httpx.ASGITransport(self.relay)}
        settings = Settings(database_url=f"sqlite:///{self.database}", secret=SECRET, discover_plugins=False)
        async with open_runtime(settings, parts=(), follow_events=True, mounts=mounts) as runtime:
            runtime.clock.reach(self.relay.clock())
            async with runtime.db.write() as session:
                keys = await projects.create(session, "소전몰", "Asia/Seoul", runtime.clock.now())
            async with api_of(runtime, keys) as api:
                await shop.open_counter(api, self.relay, base_url=self.url)
                shop.write_file(self.folder / "people.csv", count)
                await shop.upload(runtime, api, self.folder / "people.csv")
                await _worked_in(runtime)
                await shop.send(api)

    def start(self) -> None:
        self._worker = _PROCESSES.Process(target=work_apart, args=self._about)
        self._worker.start()

    def stop(self) -> None:
        assert self._worker is not None
        self._worker.terminate()
        self._worker.join(WAIT_SECONDS)

    def kill(self) -> None:
        if self._worker is not None:
            self._worker.kill()
            self._worker.join(WAIT_SECONDS)

    async def killed(self, *where: tuple[str, int, str]) -> None:
        """Has the relay stand still at all of these requests at once, and kills the worker there."""
        reached, is_dead = [asyncio.Event() for _ in where], asyncio.Event()
        for at, event in zip(where, reached, strict=True):
            self.relay.trouble[at] = _standing_still(event, is_dead)
        self.start()
        async with asyncio.timeout(WAIT_SECONDS):
            await asyncio.gather(*(event.wait() for event in reached))
        self.kill()
        is_dead.set()
        found, waiting = await self._found()
        self.at_kills.append({**found, "inbox": waiting})

    async def settled(self) -> None:
        """Until nothing is in our hands, and we know all that the relay knows."""
        deadline = time.monotonic() + WAIT_SECONDS
        while not await self._is_settled():
            assert self._worker is not None
            if not self._worker.is_alive() or time.monotonic() > deadline:
                raise RuntimeError(f"it does not settle; see {self.folder}/worker.log")
            await asyncio.sleep(0.25)

    async def _is_settled(self) -> bool:
        found, waiting = await self._found()
        ends = sum(row["statusCode"] != "2000" for row in self.relay.rows.values())
        heard = found.get("delivered", 0) + found.get("failed", 0)
        busy = waiting or found.get("queued") or found.get("attempted")
        return bool(found) and not busy and not self.relay.next_due_at() and heard == ends

    async def _found(self) -> tuple[dict[str, int], int]:
        """How many messages there are of each status, and what waits in the inbox."""
        db, status = Database(f"sqlite:///{self.database}", beside=True), table_of(Message).c.status
        async with db.read() as session:
            rows = await session.rows(select(status, func.count()).group_by(status))
            waiting = (await session.rows(select(func.count()).select_from(table_of(Inbox))))[0][0]
        await db.close()
        return {row[0]: row[1] for row in rows}, int(waiting)

    async def books(self) -> Books:
        books = compare(self.database, self.relay, knows_answers=False)
        db = Database(f"sqlite:///{self.database}", beside=True)
        findings = await examine(db, self.relay.clock())
        books.wrong += [f"doctor: {one.about}: {one.wrong}" for one in findings if one.wrong]
        async with db.read() as session:
            books.wrong += [f"recount: {one}" for one in await differences(session)]
        await db.close()
        return books


def _standing_still(reached: asyncio.Event, until: asyncio.Event) -> Callable[[], Awaitable[None]]:
    async def stand() -> None:
        reached.set()
        await until.wait()
        # Whoever asked is dead: nothing is taken up after this, and nobody hears the answer.
        raise ConnectionResetError

    return stand


async def _worked_in(runtime: Runtime) -> None:
    await runtime.engine.take_shards()
    while await runtime.engine.work_once():
        pass
    await runtime.engine.let_go()


@asynccontextmanager
async def _serving(relay: Relay) -> AsyncIterator[str]:
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(relay, log_level="critical", lifespan="off"))
    task = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        await task
        listener.close()


async def run(folder: Path, count: int) -> tuple[Soak, Books]:
    started_at = WallClock().now()
    relay = Relay(FastClock(started_at, SPEED).now, shop.lives(SEED, SILENT_EVERY))
    relay.longest_page, relay.asked_from = ROWS_A_PAGE, count * 2 // 3
    async with _serving(relay) as url:
        soak = Soak(folder, relay, url, started_at)
        try:
            await soak.prepare(count)
            for where in KILLED_AT:
                await soak.killed(*where)
            soak.start()
            await soak.settled()
            soak.stop()
            return soak, await soak.books()
        finally:
            soak.kill()


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--recipients", type=int, default=600)
    given = parser.parse_args()
    heading("Alimtalk, killed", f"{given.recipients:,} recipients, {BATCH} a call")
    configure_logs("console", quiet=True)
    with tempfile.TemporaryDirectory() as folder:
        soak, books = await run(Path(folder), given.recipients)
    for found in soak.at_kills:
        print(f"  killed at {found}")
    for name, theirs, ours in books.sums:
        print(f"  {name:<46}{theirs:>12,.0f} by the relay, {ours:>12,.0f} by us")
    for line in books.wrong[:20]:
        print(f"  WRONG  {line}")
    print("  Nothing is wrong." if not books.wrong else f"  {len(books.wrong)} wrong.")
    sys.exit(bool(books.wrong))


if __name__ == "__main__":
    asyncio.run(main())
