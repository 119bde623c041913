"""What stays open while the process lives: database, loops, HTTP client. Opened and closed in one place."""

import asyncio
import gc
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import IO, Any

import httpx
import structlog
from sqlalchemy import func, select

from channels.host import Host, build_host
from server.after_upgrade import count_what_is_due
from server.clock import Clock, EventsClock, WallClock
from server.config import DISPATCH, ENGINE, EXPORTS, PARTS, Settings
from server.delivery.dispatch import Dispatcher
from server.delivery.in_app import Shelf
from server.delivery.lending import Lender
from server.delivery.polling import Poller
from server.desks.keeper import Keeper
from server.desks.office import Desks
from server.engine import leases
from server.engine.loop import Engine
from server.errors import CannotOpen
from server.exports.worker import Exporter
from server.ingest.appender import Appender
from server.observe import Figures
from server.secretbox import SecretBox
from server.store import exports, inbox, migrations, notices, projects, setup
from server.store.bulk import table_of
from server.store.database import Database
from server.store.projects import Access
from server.store.tables import ShardState
from server.watch import Watch

RETRY_SECONDS = 1.0
KEY_REMEMBERED_SECONDS = 1.0
"""A key that was revoked is refused after this at the latest, on every process."""

log = structlog.get_logger("runtime")


def calm_collector() -> None:
    """Has Python look for cycles more seldom: a batch makes some ten thousand objects and none in a cycle.

    With the default thresholds the collector takes a fifth of the engine's time to find nothing.
    """
    # What starting has made stays; to look through all of it once more would only delay the first answer.
    gc.freeze()
    gc.set_threshold(100_000, 20, 20)
    gc.enable()


@dataclass(slots=True)
class Keys:
    """Looks keys up, and remembers for a moment what they open: an SDK shows the same one all the time."""

    db: Database
    _known: dict[str, tuple[float, Access]] = field(default_factory=dict)

    async def access(self, key: str) -> Access | None:
        now = asyncio.get_running_loop().time()
        digest = projects.digest_of(key)
        found = self._known.get(digest)
        if found is not None and now < found[0]:
            return found[1]
        async with self.db.read() as session:
            access = await projects.access(session, key)
        if access is not None:
            if len(self._known) > 1000:
                self._known.clear()
            self._known[digest] = (now + KEY_REMEMBERED_SECONDS, access)
        return access


@dataclass(slots=True)
class Runtime:
    settings: Settings
    db: Database
    clock: Clock
    shards: int
    host: Host
    figures: Figures
    appender: Appender
    engine: Engine
    dispatcher: Dispatcher
    poller: Poller
    keeper: Keeper
    exporter: Exporter
    shelf: Shelf
    lender: Lender
    keys: Keys
    watch: Watch
    leaving: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the process is told to stop: streams that would go on for ever end now."""
    stopping: asyncio.Event = field(default_factory=asyncio.Event)

    def wake(self) -> None:
        """Something was put into the inbox of this database: have the loops of this process look."""
        self.engine.wakeup.set()
        self.dispatcher.wakeup.set()
        self.exporter.wakeup.set()

    async def refresh_figures(self) -> None:
        async with self.db.read() as session:
            backlog = await inbox.backlog(session)
            unseen = await notices.unseen(session)
        self.figures.inbox_rows.set(backlog.rows)
        oldest = backlog.oldest_at
        self.figures.inbox_age.set(0 if oldest is None else max(0, WallClock().now() - oldest) / 1000)
        self.figures.notices.clear()
        for kind, count in unseen.items():
            self.figures.notices.labels(kind).set(count)
        self.figures.worked.set(self.engine.progress.rows)
        self.figures.transitions.set(self.engine.progress.transitions)
        for name, count in self.dispatcher.progress.outcomes.items():
            self.figures.sends.labels(name).set(count)

    async def missing(self) -> list[str]:
        """What keeps this process from being ready."""
        try:
            async with self.db.read() as session:
                await setup.count_shards(session)
        except Exception as error:
            return [f"database: {type(error).__name__}"]
        return [] if self.appender.backlog <= self.settings.max_backlog else ["engine: too far behind"]


@asynccontextmanager
async def open_runtime(
    settings: Settings,
    *,
    parts: tuple[str, ...] = PARTS,
    follow_events: bool = False,
    mounts: Mapping[str, httpx.AsyncBaseTransport] | None = None,
) -> AsyncIterator[Runtime]:
    """Opens everything, starts the loops of these parts, and closes it all in reverse.

    `mounts` leads requests to providers elsewhere, by the beginnings of their addresses.
    """
    settings.check()
    async with AsyncExitStack() as stack:
        # Whoever hangs for as long as a lease lasts has lost it; what it has locked goes to others as well.
        db = Database(settings.database_url, silence_ms=leases.LASTS_MS)
        stack.push_async_callback(db.close)
        if db.is_sqlite:
            stack.enter_context(_only_server(Path(db.url.database or "")))
        shards, clock = await _prepared(db, settings, follow_events)
        engine = Engine(db, clock, shards)
        appender = Appender(db, settings.max_queue, settings.max_backlog, engine.wakeup.set)
        host = _host(settings)
        shelf = Shelf(db, clock, shards, appender.append)
        lender = Lender(clock, settings, shelf, mounts or {})
        stack.push_async_callback(lender.aclose)
        dispatcher = Dispatcher(db, clock, host, settings, shards, appender.append, lender=lender)
        watch = Watch(db, clock, shards)
        engine.moved = partial(_moved, dispatcher, watch)
        runtime = Runtime(
            settings=settings,
            db=db,
            clock=clock,
            shards=shards,
            host=host,
            figures=Figures(),
            appender=appender,
            engine=engine,
            dispatcher=dispatcher,
            poller=Poller(db, clock, host, dispatcher.senders, shards, appender.append),
            keeper=Keeper(_desks(db, clock, host, settings, lender)),
            exporter=Exporter(db, clock, shards, settings, host),
            shelf=shelf,
            lender=lender,
            keys=Keys(db),
            watch=watch,
        )
        await stack.enter_async_context(_running(runtime, parts))
        yield runtime


def _desks(db: Database, clock: Clock, host: Host, settings: Settings, lender: Lender) -> Desks:
    return Desks(db, clock, host, SecretBox(settings.secrets), lambda one: lender.lend(str(one), ""))


def _moved(dispatcher: Dispatcher, watch: Watch) -> None:
    dispatcher.wakeup.set()
    watch.nudge()


async def _prepared(db: Database, settings: Settings, follow_events: bool) -> tuple[int, Clock]:
    """Migrates the database, and counts what is due. Returns how many shards it has, and its clock."""
    await _migrated(db)
    async with db.write() as session:
        shards = await setup.prepare(session, settings.shards)
        await count_what_is_due(session, shards)
        if db.is_sqlite:
            # We hold the file's lock: whoever had these leases is dead.
            await leases.forget(session)
            await exports.free_all(session)
        return shards, await _clock(session, follow_events)


@asynccontextmanager
async def _running(runtime: Runtime, parts: tuple[str, ...]) -> AsyncIterator[None]:
    """The loops, until told to stop. The appender goes last: the others still have something to say."""
    loops: list[Callable[[asyncio.Event], Awaitable[None]]] = []
    if ENGINE in parts:
        loops.append(runtime.engine.run)
    if DISPATCH in parts:
        loops += [runtime.dispatcher.run, runtime.poller.run, runtime.shelf.run, runtime.keeper.run]
    if EXPORTS in parts:
        loops.append(runtime.exporter.run)
    appending = asyncio.Event()
    writer = asyncio.create_task(_kept_up(runtime.appender.run, appending))
    tasks = [asyncio.create_task(_kept_up(loop, runtime.stopping)) for loop in loops]
    try:
        yield
    finally:
        runtime.stopping.set()
        await asyncio.gather(*tasks)
        appending.set()
        await writer


async def _kept_up(run: Callable[[asyncio.Event], Awaitable[None]], stopping: asyncio.Event) -> None:
    """A loop that fails (the database restarts, say) starts again; nothing it had was only in memory."""
    while not stopping.is_set():
        try:
            await run(stopping)
        except Exception:
            log.exception("a loop failed and starts again", loop=getattr(run, "__qualname__", "loop"))
            try:
                await asyncio.wait_for(stopping.wait(), RETRY_SECONDS)
            except TimeoutError:
                continue


async def _migrated(db: Database) -> None:
    """SQLite migrates by itself; PostgreSQL is migrated on purpose, by `sojourn migrate`."""
    if db.is_sqlite:
        await migrations.migrate(db.engine)
        return
    found = await migrations.revision(db.engine)
    if found != migrations.HEAD:
        raise CannotOpen(
            f"The database is at revision {found or 'none'}, this code needs {migrations.HEAD}. "
            "Run `sojourn migrate`."
        )


async def _clock(session: Any, follow_events: bool) -> Clock:
    """The virtual clock goes on where it stood, also after a crash."""
    if not follow_events:
        return WallClock()
    reached = (await session.rows(select(func.max(table_of(ShardState).c.clock_at))))[0][0]
    return EventsClock(reached or 0)


def _host(settings: Settings) -> Host:
    host = build_host(discover=settings.discover_plugins, plugins_dir=settings.plugins_dir or None)
    if settings.production:
        # What it takes over reaches nobody.
        host.channels.pop("fake", None)
    return host


@contextmanager
def _only_server(path: Path) -> Any:
    """One server a file: SQLite has one writer, and it is in this process."""
    if sys.platform == "win32":
        yield
        return
    import fcntl

    lock: IO[str]
    with open(f"{path}.lock", "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise CannotOpen(
                f"Another server has {path} open. On SQLite one process serves a file; "
                "for several, use PostgreSQL."
            ) from error
        yield
