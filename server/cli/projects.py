"""`sojourn project`: tenants and their keys."""

import json
from typing import Any

import click

from server.clock import WallClock

from .running import of_database, opened, run, settings_for


@click.group()
def project() -> None:
    """Projects and their keys."""


@project.command("create")
@click.argument("name")
@click.option("--time-zone", default="UTC", show_default=True, help="In which days begin, e.g. Asia/Seoul.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@of_database
def create_project(name: str, time_zone: str, as_json: bool, database: str | None) -> None:
    """Makes a project and shows its keys, for the only time."""

    async def work() -> dict[str, Any]:
        from server.store import migrations, projects, setup

        settings = settings_for(database)
        async with opened(settings.database_url, beside=False) as db:
            if db.is_sqlite:
                await migrations.migrate(db.engine)
            async with db.write() as session:
                await setup.prepare(session, settings.shards)
                made = await projects.create(session, name, time_zone, WallClock().now())
        return {
            "projectId": str(made.project_id),
            "writeKey": made.write_key,
            "secretKey": made.secret_key,
        }

    made = run(work())
    if as_json:
        click.echo(json.dumps(made))
        return
    click.echo(f"Project {made['projectId']}: {name} ({time_zone})")
    click.echo(f"  write key, for events:    {made['writeKey']}")
    click.echo(f"  secret key, for the API:  {made['secretKey']}")
    click.echo("The keys are stored as hashes and cannot be shown again.")
