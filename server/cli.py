"""The command line: `sojourn …`. Every command says what went wrong in one sentence and exits with 1 or 2."""

import json
import os
import sys
from collections.abc import Coroutine
from dataclasses import replace
from typing import Any

import click

from channels.errors import ChannelError
from server.clock import WallClock
from server.config import Settings
from server.errors import ServerError
from server.observe import configure_logs
from server.runtime import PARTS


def main() -> None:
    """The entry point of the console script."""
    try:
        cli(standalone_mode=True)
    except (ServerError, ChannelError) as error:
        click.secho(f"sojourn: {error}", fg="red", err=True)
        sys.exit(1)


def _run(work: Coroutine[Any, Any, Any]) -> Any:
    import uvloop

    return uvloop.run(work)


def _settings(database: str | None) -> Settings:
    settings = Settings.from_environ(os.environ)
    configure_logs(settings.log_format)
    return replace(settings, database_url=database) if database else settings


_database = click.option("--database", metavar="URL", help="Instead of SOJOURN_DATABASE_URL.")


@click.group()
@click.version_option(package_name="sojourn")
def cli() -> None:
    """Sojourn runs customer journeys and tells the truth about them."""


@cli.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8000, show_default=True)
@_database
@click.option("--only", metavar="PARTS", help=f"Some of {','.join(PARTS)}, with commas between them.")
@click.option("--clock", type=click.Choice(["wall", "events"]), default="wall", show_default=True)
def serve(host: str, port: int, database: str | None, only: str | None, clock: str) -> None:
    """Serves the API and runs the engine and the dispatcher, all in one process or each alone."""
    from server.serving import serve as run

    parts = tuple(only.split(",")) if only else PARTS
    unknown = [part for part in parts if part not in PARTS]
    if unknown:
        raise click.UsageError(f"--only takes some of {', '.join(PARTS)}; found {', '.join(unknown)}.")
    _run(run(_settings(database), host, port, parts, follow_events=clock == "events"))


@cli.command()
@_database
def migrate(database: str | None) -> None:
    """Brings the database to the schema that this version needs."""

    async def work() -> str:
        from server.store import migrations, setup
        from server.store.database import Database

        settings = _settings(database)
        db = Database(settings.database_url)
        try:
            reached = await migrations.migrate(db.engine)
            async with db.write() as session:
                shards = await setup.prepare(session, settings.shards)
        finally:
            await db.close()
        return f"The database is at revision {reached} and has {shards} shard(s)."

    click.echo(_run(work()))


@cli.group()
def project() -> None:
    """Projects and their keys."""


@project.command("create")
@click.argument("name")
@click.option("--time-zone", default="UTC", show_default=True, help="In which days begin, e.g. Asia/Seoul.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@_database
def create_project(name: str, time_zone: str, as_json: bool, database: str | None) -> None:
    """Makes a project and shows its keys, for the only time."""

    async def work() -> dict[str, Any]:
        from server.store import migrations, projects, setup
        from server.store.database import Database

        settings = _settings(database)
        db = Database(settings.database_url)
        try:
            if db.is_sqlite:
                await migrations.migrate(db.engine)
            async with db.write() as session:
                await setup.prepare(session, settings.shards)
                made = await projects.create(session, name, time_zone, WallClock().now())
        finally:
            await db.close()
        return {
            "projectId": str(made.project_id),
            "writeKey": made.write_key,
            "secretKey": made.secret_key,
        }

    made = _run(work())
    if as_json:
        click.echo(json.dumps(made))
        return
    click.echo(f"Project {made['projectId']}: {name} ({time_zone})")
    click.echo(f"  write key, for events:    {made['writeKey']}")
    click.echo(f"  secret key, for the API:  {made['secretKey']}")
    click.echo("The keys are stored as hashes and cannot be shown again.")


if __name__ == "__main__":
    main()
