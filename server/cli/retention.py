"""`sojourn prune` and `sojourn project retention`: facts that are kept no longer."""

from typing import TYPE_CHECKING

import click

from server.clock import WallClock

from .projects import project
from .running import in_project, of_database, of_project

if TYPE_CHECKING:
    from server.store.database import Database
    from server.store.pruning import Facts

LEAST_DAYS = 31


@project.command("retention")
@click.option("--days", type=click.IntRange(LEAST_DAYS), help="After a run is over.")
@click.option("--everything", is_flag=True, help="Keeps all facts for good.")
@of_project
@of_database
def set_retention(days: int | None, everything: bool, project_id: int | None, database: str | None) -> None:
    """Shows or says how long the facts behind the figures are kept. Deletes nothing: `sojourn prune` does."""
    if days is not None and everything:
        raise click.UsageError("Give --days or --everything, not both.")

    async def work(db: "Database", chosen: int, shards: int) -> int | None:
        from server.store import retention

        async with db.write() as session:
            if days is not None or everything:
                await retention.change(session, chosen, days)
            return (await retention.of_project(session, chosen)).days

    found = in_project(work, project_id, database)
    click.echo("All facts are kept." if found is None else f"Facts are kept for {found} days.")


@click.command()
@click.option("--dry-run", is_flag=True, help="Only says how much would be deleted.")
@of_project
@of_database
def prune(dry_run: bool, project_id: int | None, database: str | None) -> None:
    """Deletes the facts of runs that are over for longer than they are kept. Figures stay as they are.

    May run beside the server, and be stopped at any time: what is left goes the next time.
    """

    async def work(db: "Database", chosen: int, shards: int) -> "Facts | None":
        from server.pruning import Pruner
        from server.store import retention
        from server.store.pruning import Facts, Retention

        async with db.read() as session:
            days = (await retention.of_project(session, chosen)).days
        if days is None:
            return None
        pruner = Pruner(db, shards, Retention(chosen, days), WallClock().now())
        if dry_run:
            return await pruner.count()
        done = Facts()
        async for page in pruner.prune():
            done += page
        return done

    found = in_project(work, project_id, database)
    if found is None:
        click.echo("All facts are kept: `sojourn project retention --days …` says for how long.")
        return
    listed = ", ".join(f"{n} {name}" for name, n in found._asdict().items())
    click.echo(f"{'Would delete' if dry_run else 'Deleted'} {listed}.")
