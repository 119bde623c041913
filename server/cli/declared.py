"""`sojourn project properties`: by which properties of events people are counted."""

from typing import TYPE_CHECKING

import click

from server.clock import WallClock

from .running import in_project, of_database, of_project

if TYPE_CHECKING:
    from server.store.database import Database
    from server.store.declared import Declared


@click.command("properties")
@click.option("--count", "more", nargs=2, multiple=True, metavar="EVENT PROPERTY", help="From now on.")
@click.option("--drop", "fewer", nargs=2, multiple=True, metavar="EVENT PROPERTY", help="No longer.")
@of_project
@of_database
def properties(
    more: tuple[tuple[str, str], ...],
    fewer: tuple[tuple[str, str], ...],
    project_id: int | None,
    database: str | None,
) -> None:
    """Shows or says by which properties of events people are counted. What was counted stays."""

    async def work(db: "Database", chosen: int, shards: int) -> "list[Declared]":
        from server.store import declared

        async with db.write() as session:
            if more or fewer:
                known = {(one.event, one.property) for one in await declared.of_project(session, chosen)}
                wanted = (known | set(more)) - set(fewer)
                _check(wanted)
                await declared.declare(session, chosen, wanted, WallClock().now())
            return await declared.of_project(session, chosen)

    for one in in_project(work, project_id, database):
        click.echo(f"{one.event}: {one.property}")


def _check(wanted: "set[tuple[str, str]]") -> None:
    from server.aggregates.deeds import SEPARATOR
    from server.store.declared import MOST

    if any(SEPARATOR in name for one in wanted for name in one):
        raise click.UsageError("The name of an event or of a property has no control characters.")
    if len(wanted) > MOST:
        raise click.UsageError(f"At most {MOST} properties of a project are counted.")
