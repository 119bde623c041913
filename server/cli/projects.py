"""`sojourn project`: tenants and their keys."""

import json
from typing import Any

import click

from server.clock import WallClock

from .running import in_project, of_database, of_project, opened, run, settings_for


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
                law = projects.law_of(time_zone)
                if law:
                    await projects.set_law(session, made.project_id, law, "")
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


@project.command("law")
@click.argument("law", type=click.Choice(["KR", "none"]))
@click.option("--reason", default="", help="Why; wanted for none, and kept.")
@of_project
@of_database
def set_law(law: str, reason: str, project_id: int | None, database: str | None) -> None:
    """By which LAW the project writes advertisements (docs/permissions.md)."""

    async def work(db: Any, chosen: int, shards: int) -> None:
        from server.errors import BadInput
        from server.resolvers import law as resolve
        from server.resolvers.refusals import Refusal
        from server.store import projects

        try:
            checked = resolve.check("" if law == "none" else law, reason)
        except Refusal as error:
            raise BadInput(error.message) from error
        async with db.write() as session:
            await projects.set_law(session, chosen, *checked)

    in_project(work, project_id, database)
    click.echo(f"Advertisements go by {'no law that we know' if law == 'none' else f'the law of {law}'}.")
