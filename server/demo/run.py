"""`sojourn demo`: fills a file with the sample, says what there is to see, and serves it."""

import socket
from dataclasses import dataclass, replace
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from sqlalchemy import select

from server.clock import MINUTE, WallClock, to_datetime
from server.config import PARTS, Settings
from server.errors import CannotOpen
from server.runtime import calm_collector, open_runtime
from server.serving import listen
from server.store import projects
from server.store.bulk import table_of
from server.store.projects import ADMIN, EVENTS, READ, WRITE, NewProject
from server.store.tables import Project

from . import file, post
from .api import api_of
from .fill import Filled, Reached, fill
from .shop import SEOUL, Shop
from .show import showcase, tell

ENDS_BEFORE = 3 * MINUTE
"""The sample ends a little before now: what visitors do themselves comes after it."""


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
    filled = await _kept(settings, shop) if kept else await _fill(settings, shop, console)
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


async def _kept(settings: Settings, shop: Shop) -> Filled:
    """The sample of an earlier time, with new keys: the old ones were shown then."""
    now = WallClock().now()
    async with open_runtime(settings, parts=()) as runtime, runtime.db.write() as session:
        found = await session.rows(select(table_of(Project).c.id).where(table_of(Project).c.is_sample))
        if not found:
            raise CannotOpen("There is no sample in this file. Run `sojourn demo` without --keep.")
        project_id = found[0].id
        write_key = await projects.add_key(session, project_id, "sj_write_", (EVENTS,), "Demo", now)
        scopes = (READ, WRITE, ADMIN)
        secret_key = await projects.add_key(session, project_id, "sj_secret_", scopes, "Demo", now)
    keys = NewProject(project_id, write_key, secret_key)
    return Filled(keys, post.provider(shop.seed, shop.persons()))


async def _serve(options: Options, settings: Settings, filled: Filled, console: Console) -> None:
    async with open_runtime(settings, parts=PARTS if options.serve else ()) as runtime:
        # Nothing has been asked of it yet: the loops begin with the next await.
        runtime.host.channels[post.ADAPTER] = filled.provider
        async with api_of(runtime, filled.keys) as api:
            shown = await showcase(api)
        tell(console, filled, options.path, settings.public_url if options.serve else "")
        if options.serve:
            await listen(runtime, options.host, options.port, PARTS, shown)


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
