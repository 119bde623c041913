"""`sojourn demo`: fills a file with the sample, says what there is to see, and serves it."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
import structlog
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from sqlalchemy import select

from server.clock import MINUTE, WallClock, to_datetime
from server.config import PARTS, Settings
from server.errors import CannotOpen
from server.runtime import Runtime, calm_collector, open_runtime
from server.serving import listen
from server.store import projects
from server.store.bulk import table_of
from server.store.projects import ADMIN, EVENTS, READ, WRITE, NewProject
from server.store.tables import Project

from . import alimtalk, file, post
from .api import Api, api_of
from .fill import Filled, Reached, fill
from .providers import Providers
from .remembering import remember
from .shop import SEOUL, Shop
from .show import showcase, tell

ENDS_BEFORE = 3 * MINUTE
"""The sample ends a little before now: what visitors do themselves comes after it."""
EVERY_SECONDS = 1.0
"""How often the fake providers look whether they have something to tell."""
log = structlog.get_logger("demo")


@dataclass(frozen=True, slots=True)
class Options:
    path: Path
    host: str = "127.0.0.1"
    port: int = 8000
    keep: bool = False
    """Whether a sample that is there already is served once more."""
    serve: bool = True
    people: int = 1500
    days: int = 28
    seed: int = 1


async def run(options: Options, settings: Settings, console: Console) -> None:
    """Raises CannotOpen before anything is touched if it could not be served in the end."""
    if settings.production:
        raise CannotOpen("The demo shows its keys to everybody; it does not run with SOJOURN_PRODUCTION.")
    if options.serve:
        _check_free(options.host, options.port)
    settings = replace(settings, database_url=f"sqlite:///{options.path.absolute()}")
    calm_collector()
    kept = options.keep and file.is_there(options.path)
    if not kept:
        await file.make_way(options.path, settings)
    shop = Shop(WallClock().now() - ENDS_BEFORE, options.days, options.people, options.seed)
    filled = await kept_sample(settings, shop) if kept else await _fill(settings, shop, console)
    await _serve(options, settings, filled, console)


async def _fill(settings: Settings, shop: Shop, console: Console) -> Filled:
    console.print(f"[bold]Sojourn[/] lives through {shop.days} days of a sample shop. Nobody in it is real.")
    progress = Progress(
        SpinnerColumn(),
        TextColumn("[bold]{task.fields[day]}[/]"),
        BarColumn(),
        TextColumn("{task.fields[events]:,} events, {task.fields[mails]:,} messages"),
        TimeElapsedColumn(),
        console=console,
    )
    with progress:
        task = progress.add_task("", total=shop.until - shop.since, day="", events=0, mails=0)

        def told(reached: Reached) -> None:
            day = f"{to_datetime(reached.at + SEOUL):%a %d %b}"
            done = reached.at - shop.since
            progress.update(task, completed=done, day=day, events=reached.events, mails=reached.mails)

        return await fill(settings, shop, told)


async def kept_sample(settings: Settings, shop: Shop) -> Filled:
    """The sample of an earlier time, with new keys: the old ones were shown then."""
    providers = Providers(shop.seed, shop.persons())
    async with open_runtime(settings, parts=(), mounts=providers.mounts) as runtime:
        providers.join(runtime.host, runtime.clock)
        keys = await _new_keys(runtime)
        there = providers.line_of(alimtalk.CONNECTION).settings
        there |= await remember(runtime, providers.kakao)
    return Filled(keys, post.provider(shop.seed, shop.persons()), providers)


async def _new_keys(runtime: Runtime) -> NewProject:
    now = WallClock().now()
    async with runtime.db.write() as session:
        found = await session.rows(select(table_of(Project).c.id).where(table_of(Project).c.is_sample))
        if not found:
            raise CannotOpen("There is no sample in this file. Run `sojourn demo` without --keep.")
        project_id = found[0].id
        write_key = await projects.add_key(session, project_id, "sj_write_", (EVENTS,), "Demo", now)
        scopes = (READ, WRITE, ADMIN)
        secret_key = await projects.add_key(session, project_id, "sj_secret_", scopes, "Demo", now)
    return NewProject(project_id, write_key, secret_key)


async def _serve(options: Options, settings: Settings, filled: Filled, console: Console) -> None:
    providers = filled.providers
    parts = PARTS if options.serve else ()
    async with open_runtime(settings, parts=parts, mounts=providers.mounts) as runtime:
        # Nothing has been asked of it yet: the loops begin with the next await.
        runtime.host.channels[post.ADAPTER] = filled.provider
        providers.join(runtime.host, runtime.clock)
        providers.kakao.desk.review_after = alimtalk.SOON
        async with api_of(runtime, filled.keys) as api:
            await providers.connect(api)
            shown = await showcase(api)
            tell(console, filled, options.path, settings.public_url if options.serve else "")
            if options.serve:
                async with _calling_back(providers, runtime, api):
                    await listen(runtime, options.host, options.port, PARTS, shown)


@asynccontextmanager
async def _calling_back(providers: Providers, runtime: Runtime, api: Api) -> AsyncIterator[None]:
    """Has the fake providers tell what becomes of a visitor's own messages."""

    async def call_back() -> None:
        while True:
            try:
                await providers.call_back(api.client, runtime.clock.now())
            except httpx.HTTPError as error:
                log.warning("a fake provider could not call back", why=str(error))
            await asyncio.sleep(EVERY_SECONDS)

    calling = asyncio.create_task(call_back())
    try:
        yield
    finally:
        calling.cancel()
        with suppress(asyncio.CancelledError):
            await calling


def _check_free(host: str, port: int) -> None:
    """Better said now than after the filling."""
    with socket.socket() as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((host, port))
        except OSError as error:
            raise CannotOpen(
                f"{host}:{port} is not free ({error.strerror}). Name another with --port."
            ) from error
