"""`sojourn coupons`: what a shop says of its coupons, from CSV files."""

import sys
from pathlib import Path
from typing import Any

import click

from server.clock import WallClock

from .running import in_project, of_database, of_project


@click.group()
def coupons() -> None:
    """Coupons of users: issued, used, taken back (docs/commerce.md)."""


@coupons.command("upload")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@of_project
@of_database
def upload(file: Path, project_id: int | None, database: str | None) -> None:
    """Takes in the coupons that a CSV file tells of. Can be repeated.

    The file is in UTF-8 or EUC-KR, with a heading and the columns user_id and code; of issued_at, used_at and
    expired_at at least one; and if you like name and expires_at. A day as expires_at is the last day.
    """

    async def work(db: Any, chosen: int, shards: int) -> Any:
        from server.lists import coupons as lists

        return await lists.take_in(db, file, chosen, shards, WallClock().now())

    taken = in_project(work, project_id, database)
    click.echo(f"{taken.changed} line(s) taken, {taken.refused} refused.")
    for problem in taken.problems:
        click.echo(f"  {problem}")
    if taken.refused > len(taken.problems):
        click.echo(f"  and {taken.refused - len(taken.problems)} more")
    if taken.refused:
        sys.exit(1)
