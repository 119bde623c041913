"""`sojourn serve` and `sojourn demo`: processes that stay until they are told to stop."""

import gc
import os
from dataclasses import replace

import click

from server.config import PARTS
from server.observe import configure_logs

from .running import of_database, run, settings_for


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8000, show_default=True)
@of_database
@click.option("--only", metavar="PARTS", help=f"Some of {','.join(PARTS)}, with commas between them.")
@click.option("--clock", type=click.Choice(["wall", "events"]), default="wall", show_default=True)
def serve(host: str, port: int, database: str | None, only: str | None, clock: str) -> None:
    """Serves the API and runs the engine and the dispatcher, all in one process or each alone."""
    # Starting makes half a million objects, and all of them stay: looking for cycles among them would
    # take a fifth of the time. The server turns the collector on again once it is open.
    gc.disable()
    from server.serving import serve as go_on

    parts = tuple(only.split(",")) if only else PARTS
    unknown = [part for part in parts if part not in PARTS]
    if unknown:
        raise click.UsageError(f"--only takes some of {', '.join(PARTS)}; found {', '.join(unknown)}.")
    settings = settings_for(database)
    # Of several processes, each with a port of its own, only the operator knows which one readers reach.
    if not only and "SOJOURN_PUBLIC_URL" not in os.environ:
        settings = replace(settings, public_url=f"http://127.0.0.1:{port}")
    run(go_on(settings, host, port, parts, follow_events=clock == "events"))


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8000, show_default=True)
@click.option(
    "--database",
    metavar="PATH",
    default=".sojourn/demo.db",
    show_default=True,
    help="The SQLite file; begun anew unless it holds anything but a sample.",
)
@click.option("--keep", is_flag=True, help="Serves the sample that is there already, with new keys.")
@click.option("--no-serve", is_flag=True, help="Only fills the file.")
@click.option("--people", type=click.IntRange(20, 20_000), default=1500, show_default=True)
@click.option("--days", type=click.IntRange(2, 90), default=28, show_default=True)
@click.option("--seed", default=1, show_default=True, help="Another one gives another sample.")
def demo(host: str, port: int, database: str, keep: bool, no_serve: bool, **size: int) -> None:
    """Fills a new database with some weeks of a sample shop's life, then serves it."""
    from rich.console import Console

    from server.demo.file import path_of
    from server.demo.run import Options
    from server.demo.run import run as show

    settings = settings_for(None)
    # The screen is for the progress and for what to open; what goes wrong is still told.
    configure_logs(settings.log_format, quiet=True)
    if "SOJOURN_PUBLIC_URL" not in os.environ:
        settings = replace(settings, public_url=f"http://{host}:{port}")
    options = Options(path_of(database), host, port, keep=keep, serve=not no_serve, **size)
    try:
        run(show(options, settings, Console()))
    except KeyboardInterrupt:
        click.echo("Stopped.")
