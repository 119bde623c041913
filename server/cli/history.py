"""`sojourn import`: what happened before."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from server.clock import WallClock

from .running import in_project, of_database

if TYPE_CHECKING:
    from server.ingest.imports import Imported
    from server.store.database import Database


@click.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--project", "project_id", type=int, help="Its number; not needed while there is only one.")
@click.option("--event", default="event", show_default=True, help="CSV: the column with the event's name.")
@click.option("--user-id", default="user_id", show_default=True, help="CSV: the column with the user's id.")
@click.option("--anonymous-id", default="", help="CSV: the column with the anonymous id.")
@click.option("--timestamp", default="timestamp", show_default=True, help="CSV: the column with the time.")
@click.option("--message-id", default="", help="CSV: the column with an id of the row's own.")
@click.option("--ignore", multiple=True, metavar="COLUMN", help="CSV: a column to leave out.")
@of_database
def import_history(
    file: Path, project_id: int | None, ignore: tuple[str, ...], database: str | None, **columns: str
) -> None:
    """Takes history from a CSV or JSON Lines file (or either gzipped). Moves nobody; can be repeated."""
    from rich.progress import Progress

    from server.ingest.imports import Columns, Imported, import_file

    named = Columns(**columns, ignore=ignore)

    async def work(db: "Database", chosen: int, shards: int) -> Imported:
        def show(done: int) -> None:
            progress.update(bar, completed=done)

        return await import_file(db, file, chosen, shards, named, WallClock().now(), show)

    with Progress() as progress:
        bar = progress.add_task(file.name, total=file.stat().st_size)
        result = in_project(work, project_id, database)
    _tell(result)


def _tell(result: "Imported") -> None:
    click.echo(
        f"{result.taken} event(s) taken, {result.skipped} row(s) seen earlier, {result.refused} refused."
    )
    for problem in result.problems:
        click.echo(f"  {problem}")
    if result.refused:
        sys.exit(1)
