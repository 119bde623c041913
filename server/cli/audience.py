"""`sojourn audience`: lists of users from CSV files."""

import sys
from pathlib import Path
from typing import Any

import click

from server.clock import WallClock

from .running import in_project, of_database, of_project


@click.group()
def audience() -> None:
    """Lists of users whom journeys can let in (docs/audiences.md)."""


@audience.command("upload")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--name", help="Of the list; the file's own by default.")
@click.option("--replace", is_flag=True, help="Takes everybody else off the list.")
@click.option("--create-users", is_flag=True, help="Makes users of phone numbers that nobody has.")
@click.option("--require", multiple=True, help="A column of which every line has to have a value.")
@click.option("--dry-run", is_flag=True, help="Only says what would come of it.")
@of_project
@of_database
def upload(
    file: Path,
    name: str | None,
    replace: bool,
    create_users: bool,
    require: tuple[str, ...],
    dry_run: bool,
    project_id: int | None,
    database: str | None,
) -> None:
    """Puts the users whom a CSV file names on a list. Can be repeated.

    The file is in UTF-8 or EUC-KR, with a heading and one or several of the columns user_id, anonymous_id,
    email, phone. What its other columns say is kept, and shown by texts as {{ row }}; a column written as
    #{name} needs a value in every line.
    """

    async def work(db: Any, chosen: int, shards: int) -> Any:
        from server.lists import audience as lists
        from server.resolvers.refusals import Refusal
        from server.resolvers.segments import checked_name

        try:
            wish = lists.Wish(checked_name(name or file.stem), replace, create_users, require, dry_run)
        except Refusal as error:
            raise click.BadParameter(error.message, param_hint="--name") from error
        return await lists.take_in(db, file, chosen, shards, wish, WallClock().now())

    found = in_project(work, project_id, database)
    _tell(found.taken, found.created, dry_run)


def _tell(taken: Any, created: int, dry_run: bool) -> None:
    done = "would be put on the list" if dry_run else "put on the list"
    click.echo(f"{taken.changed} user(s) {done}, {taken.known} named twice, {taken.refused} line(s) refused.")
    if created:
        click.echo(f"{created} of them by a phone number that nobody had.")
    for problem in taken.problems:
        click.echo(f"  {problem}")
    if taken.refused > len(taken.problems):
        click.echo(f"  and {taken.refused - len(taken.problems)} more")
    if taken.refused:
        sys.exit(1)
