"""`sojourn receipts`: what providers have told, read again."""

from typing import Any

import click

from server.clock import WallClock

from .running import in_project, of_database, of_project, settings_for


@click.group()
def receipts() -> None:
    """What providers have told about messages."""


@receipts.command()
@of_project
@click.option(
    "--changed", is_flag=True, help="Also codes that were known and mean something else by today's tables."
)
@click.option("--dry-run", is_flag=True, help="Only says what would come of it.")
@of_database
def remap(project_id: int | None, changed: bool, dry_run: bool, database: str | None) -> None:
    """Reads failure codes that nobody knew again, by today's tables. Can be repeated.

    The server, running or started next, corrects the receipts, their messages and every figure together.
    """

    async def work(db: Any, chosen: int, shards: int) -> Any:
        from channels.host import build_host
        from server.delivery.remapping import remap as read_again

        settings = settings_for(database)
        host = build_host(discover=settings.discover_plugins, plugins_dir=settings.plugins_dir or None)
        options = {"changed": changed, "dry_run": dry_run}
        return await read_again(db, host, chosen, shards, WallClock().now(), **options)

    found = in_project(work, project_id, database)
    for change, count in sorted(found.changes.items()):
        click.echo(f"{change.adapter} {change.code}: {change.before} -> {change.after}  {count} receipt(s)")
    for (adapter, code), count in sorted(found.unlisted.items()):
        click.echo(f"{adapter or 'a connection that is gone'} {code}: not listed  {count} receipt(s)")
    word = "would be read anew" if dry_run else "handed to the server to be read anew"
    click.echo(f"{found.looked_at} looked at, {found.changes.total()} {word}.")
