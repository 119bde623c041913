"""Writes the exports that are asked for, and deletes the files whose time is over.

Any number of processes may: each job is held by one, with a lease by the database's clock. Projects take
turns: whoever asks for a hundred files keeps nobody else from one.
"""

import asyncio
import secrets
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import structlog

from channels.contract import ReceiptKind
from channels.host import Host
from server.clock import Clock
from server.config import Settings
from server.errors import ServerError
from server.secretbox import SecretBox
from server.store import exports, open_connections
from server.store.database import Database
from server.store.exports import Claim, LostExport
from server.store.tables import Export

from .job import Interrupted, Job

SLOTS = 4
"""Jobs that one process carries out at the same time."""
LOOK_SECONDS = 1.0
BEAT_SECONDS = exports.LASTS_MS / 3000
MOST_TRIES = 3
"""Beginnings of a job without getting any further."""

log = structlog.get_logger("exports")


@dataclass(slots=True)
class Exporter:
    db: Database
    clock: Clock
    shards: int
    settings: Settings
    host: Host = field(default_factory=Host)
    """The channels that are plugged in: they say what can be heard there."""
    wakeup: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when there may be something to do."""
    _holder: str = field(default_factory=lambda: secrets.token_hex(8))

    async def run(self, stopping: asyncio.Event) -> None:
        """Until told to stop; what is being written then goes on elsewhere, or after the next start."""
        working: set[asyncio.Task[None]] = set()
        try:
            while not stopping.is_set():
                self.wakeup.clear()
                await self.delete_old()
                while len(working) < SLOTS and (taken := await self._take()):
                    working.add(asyncio.create_task(self._work(*taken, stopping)))
                working = await _still(working, self.wakeup, stopping)
        finally:
            await asyncio.gather(*working)

    async def work_once(self) -> bool:
        """Carries out the job whose turn it is. Returns whether there was one."""
        taken = await self._take()
        if taken is None:
            return False
        await self._work(*taken, asyncio.Event())
        return True

    async def delete_old(self) -> None:
        now = self.clock.now()
        async with self.db.read() as session:
            if not await exports.has_expired(session, now):
                return
        async with self.db.write() as session:
            deleted = await exports.expire(session, now)
        log.info("files of exports deleted", count=deleted)

    async def _take(self) -> tuple[Export, Claim] | None:
        while True:
            async with self.db.read() as session:
                waiting = await exports.waiting(session, self.settings.exports_at_once)
            if waiting is None:
                return None
            async with self.db.write() as session:
                taken = await exports.take(session, waiting, self._holder, self.clock.now())
            if taken is not None:
                return taken

    async def _work(self, record: Export, claim: Claim, stopping: asyncio.Event) -> None:
        """One job, whatever comes of it."""
        try:
            if record.tries > MOST_TRIES:
                await self._fail(claim, f"It was begun {MOST_TRIES} times and never got further.")
                return
            await self._carry_out(record, claim, stopping)
        except LostExport:
            log.info("an export went to somebody else", export=claim.export_id)
        except Exception:
            # Its lease runs out, and then it is tried again.
            log.exception("an export could not be given back", export=claim.export_id)

    async def _carry_out(self, record: Export, claim: Claim, stopping: asyncio.Event) -> None:
        job = Job(self.db, self.clock, self.shards, record, claim, self.settings.export_days)
        job.observed = await self._observed(record.project_id)
        job.interrupted = stopping.is_set
        try:
            async with self._beating(job):
                await job.carry_out()
        except LostExport:
            raise
        except Interrupted:
            async with self.db.write() as session:
                await exports.give_back(session, claim, record.turn_at, tries=0)
        except ServerError as error:
            await self._fail(claim, error.message)
        except Exception:
            log.exception("an export failed", export=claim.export_id, tries=record.tries)
            await self._try_again(record, claim)

    async def _observed(self, project_id: int) -> Mapping[str, Collection[ReceiptKind]]:
        box = SecretBox(self.settings.secrets)
        async with self.db.read() as session:
            found = await open_connections.observed(session, self.host, box, project_id)
        return open_connections.heard(found)

    async def _try_again(self, record: Export, claim: Claim) -> None:
        if record.tries >= MOST_TRIES:
            await self._fail(claim, "It failed for a reason that lies with the server; its log says more.")
            return
        async with self.db.write() as session:
            await exports.give_back(session, claim, self.clock.now())

    async def _fail(self, claim: Claim, problem: str) -> None:
        async with self.db.write() as session:
            await exports.fail(session, claim, problem, self.clock.now())

    @asynccontextmanager
    async def _beating(self, job: Job) -> AsyncIterator[None]:
        """Renews the lease meanwhile, however long a page or a workbook takes."""
        over = asyncio.Event()
        beating = asyncio.create_task(self._beat(job, over))
        job.lost = beating.done
        try:
            yield
        finally:
            over.set()
            await beating

    async def _beat(self, job: Job, over: asyncio.Event) -> None:
        """Ends when the job is over, or somebody else's."""
        while not await _is_set_within(over, BEAT_SECONDS):
            try:
                async with self.db.write() as session:
                    await exports.keep(session, job.claim, **job.told_by_beats())
            except LostExport:
                return
            except Exception:
                log.exception("the lease of an export was not renewed", export=job.claim.export_id)


async def _still(
    working: set[asyncio.Task[None]], wakeup: asyncio.Event, stopping: asyncio.Event
) -> set[asyncio.Task[None]]:
    """Waits until there may be something to do. Returns the jobs that are not over."""
    signs = {asyncio.create_task(wakeup.wait()), asyncio.create_task(stopping.wait())}
    await asyncio.wait(working | signs, timeout=LOOK_SECONDS, return_when=asyncio.FIRST_COMPLETED)
    for sign in signs:
        sign.cancel()
    return {task for task in working if not task.done()}


async def _is_set_within(event: asyncio.Event, seconds: float) -> bool:
    try:
        await asyncio.wait_for(event.wait(), seconds)
    except TimeoutError:
        return False
    return True
