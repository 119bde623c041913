"""`sojourn suppressions` and `sojourn consents`: from and to CSV files."""

import sys
from pathlib import Path
from typing import Any

import click

from server.clock import WallClock

from .running import in_project, of_database, of_project

_dry_run = click.option("--dry-run", is_flag=True, help="Only says what would come of it.")
_existing = click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
_new = click.argument("file", type=click.Path(dir_okay=False, path_type=Path))


@click.group()
def suppressions() -> None:
    """Addresses that nobody writes to, from and to CSV files (docs/permissions.md)."""


@suppressions.command("import")
@_existing
@of_project
@_dry_run
@of_database
def import_suppressions(file: Path, project_id: int | None, dry_run: bool, database: str | None) -> None:
    """Takes addresses to leave alone from a CSV file in UTF-8 or EUC-KR. Can be repeated."""

    async def work(db: Any, chosen: int, shards: int) -> Any:
        from server.lists import suppressions as lists

        return await lists.take_in(db, file, chosen, WallClock().now(), dry_run=dry_run)

    _tell(in_project(work, project_id, database), dry_run)


@suppressions.command("export")
@_new
@of_project
@of_database
def export_suppressions(file: Path, project_id: int | None, database: str | None) -> None:
    """Writes what is suppressed now to a CSV file that can be imported."""

    async def work(db: Any, chosen: int, shards: int) -> int:
        from server.lists import suppressions as lists

        return await lists.write_out(db, file, chosen, WallClock().now())

    click.echo(f"{in_project(work, project_id, database)} row(s) written.")


@click.group()
def consents() -> None:
    """What users have agreed to, from and to CSV files (docs/permissions.md)."""


@consents.command("import")
@_existing
@of_project
@_dry_run
@of_database
def import_consents(file: Path, project_id: int | None, dry_run: bool, database: str | None) -> None:
    """Takes decisions from a CSV file in UTF-8 or EUC-KR. Can be repeated; the latest decision holds."""

    async def work(db: Any, chosen: int, shards: int) -> Any:
        from server.lists import consents as lists

        return await lists.take_in(db, file, chosen, shards, WallClock().now(), dry_run=dry_run)

    _tell(in_project(work, project_id, database), dry_run)


@consents.command("export")
@_new
@of_project
@of_database
def export_consents(file: Path, project_id: int | None, database: str | None) -> None:
    """Writes every user's decisions to a CSV file that can be imported."""

    async def work(db: Any, chosen: int, shards: int) -> int:
        from server.lists import consents as lists

        return await lists.write_out(db, file, chosen, shards)

    click.echo(f"{in_project(work, project_id, database)} row(s) written.")


@consents.command("require")
@click.argument("whether", type=click.Choice(["on", "off"]))
@of_project
@of_database
def require_consents(whether: str, project_id: int | None, database: str | None) -> None:
    """Lets advertisements leave only for those who have agreed to them, or again for all."""

    async def work(db: Any, chosen: int, shards: int) -> None:
        from server.store import projects

        async with db.write() as session:
            await projects.require_consent(session, chosen, whether == "on")

    in_project(work, project_id, database)
    click.echo(f"Consent to advertisements is {'required' if whether == 'on' else 'not required'}.")


def _tell(taken: Any, dry_run: bool) -> None:
    done = "would be taken" if dry_run else "taken"
    click.echo(f"{taken.changed} row(s) {done}, {taken.known} known already, {taken.refused} refused.")
    for problem in taken.problems:
        click.echo(f"  {problem}")
    if taken.refused:
        sys.exit(1)
