"""The command line: `sojourn …`. Every command says what went wrong in one sentence and exits with 1 or 2."""

import gc
import json
import os
import sys
from collections.abc import Callable, Coroutine
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

import click
from sqlalchemy.exc import DBAPIError

from channels.errors import ChannelError
from server.clock import WallClock
from server.config import PARTS, Settings
from server.errors import ServerError
from server.observe import configure_logs
from server.scaffold.commands import channel


def main() -> None:
    """The entry point of the console script."""
    try:
        cli(standalone_mode=True)
    except (ServerError, ChannelError) as error:
        _fail(str(error))
    except (DBAPIError, OSError) as error:
        # The driver's own words; ours would repeat the statement and its values.
        _fail(f"the database cannot be used: {getattr(error, 'orig', error)}")


def _fail(why: str) -> NoReturn:
    click.secho(f"sojourn: {why}", fg="red", err=True)
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
    # Starting makes half a million objects, and all of them stay: looking for cycles among them would
    # take a fifth of the time. The server turns the collector on again once it is open.
    gc.disable()
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


@cli.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--project", "project_id", type=int, help="Its number; not needed while there is only one.")
@click.option("--event", default="event", show_default=True, help="CSV: the column with the event's name.")
@click.option("--user-id", default="user_id", show_default=True, help="CSV: the column with the user's id.")
@click.option("--anonymous-id", default="", help="CSV: the column with the anonymous id.")
@click.option("--timestamp", default="timestamp", show_default=True, help="CSV: the column with the time.")
@click.option("--message-id", default="", help="CSV: the column with an id of the row's own.")
@click.option("--ignore", multiple=True, metavar="COLUMN", help="CSV: a column to leave out.")
@_database
def import_history(
    file: Path, project_id: int | None, ignore: tuple[str, ...], database: str | None, **columns: str
) -> None:
    """Takes history from a CSV or JSON Lines file (or either gzipped). Moves nobody; can be repeated."""
    from rich.progress import Progress

    from server.ingest.imports import Columns, Imported

    async def work(progress: Progress) -> Imported:
        from server.ingest.imports import import_file
        from server.store import projects, setup
        from server.store.database import Database

        db = Database(_settings(database).database_url, beside=True)
        try:
            async with db.read() as session:
                shards = await setup.count_shards(session)
                chosen = await projects.choose(session, project_id)
            return await import_file(
                db,
                file,
                chosen,
                shards,
                Columns(**columns, ignore=ignore),
                WallClock().now(),
                lambda done: progress.update(bar, completed=done),
            )
        finally:
            await db.close()

    with Progress() as progress:
        bar = progress.add_task(file.name, total=file.stat().st_size)
        result = _run(work(progress))
    click.echo(
        f"{result.taken} event(s) taken, {result.skipped} row(s) seen earlier, {result.refused} refused."
    )
    for problem in result.problems:
        click.echo(f"  {problem}")
    if result.refused:
        sys.exit(1)


_project = click.option("--project", "project_id", type=int, help="Not needed while there is only one.")
_dry_run = click.option("--dry-run", is_flag=True, help="Only says what would come of it.")
_existing = click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
_new = click.argument("file", type=click.Path(dir_okay=False, path_type=Path))


@cli.group()
def suppressions() -> None:
    """Addresses that nobody writes to, from and to CSV files (docs/permissions.md)."""


@suppressions.command("import")
@_existing
@_project
@_dry_run
@_database
def import_suppressions(file: Path, project_id: int | None, dry_run: bool, database: str | None) -> None:
    """Takes addresses to leave alone from a CSV file in UTF-8 or EUC-KR. Can be repeated."""

    async def work(db: Any, chosen: int, shards: int) -> Any:
        from server.lists import suppressions as lists

        return await lists.take_in(db, file, chosen, WallClock().now(), dry_run=dry_run)

    _tell(_in_project(work, project_id, database))


@suppressions.command("export")
@_new
@_project
@_database
def export_suppressions(file: Path, project_id: int | None, database: str | None) -> None:
    """Writes what is suppressed now to a CSV file that can be imported."""

    async def work(db: Any, chosen: int, shards: int) -> int:
        from server.lists import suppressions as lists

        return await lists.write_out(db, file, chosen, WallClock().now())

    click.echo(f"{_in_project(work, project_id, database)} row(s) written.")


@cli.group()
def consents() -> None:
    """What users have agreed to, from and to CSV files (docs/permissions.md)."""


@consents.command("import")
@_existing
@_project
@_dry_run
@_database
def import_consents(file: Path, project_id: int | None, dry_run: bool, database: str | None) -> None:
    """Takes decisions from a CSV file in UTF-8 or EUC-KR. Can be repeated; the latest decision holds."""

    async def work(db: Any, chosen: int, shards: int) -> Any:
        from server.lists import consents as lists

        return await lists.take_in(db, file, chosen, shards, WallClock().now(), dry_run=dry_run)

    _tell(_in_project(work, project_id, database))


@consents.command("export")
@_new
@_project
@_database
def export_consents(file: Path, project_id: int | None, database: str | None) -> None:
    """Writes every user's decisions to a CSV file that can be imported."""

    async def work(db: Any, chosen: int, shards: int) -> int:
        from server.lists import consents as lists

        return await lists.write_out(db, file, chosen, shards)

    click.echo(f"{_in_project(work, project_id, database)} row(s) written.")


@consents.command("require")
@click.argument("whether", type=click.Choice(["on", "off"]))
@_project
@_database
def require_consents(whether: str, project_id: int | None, database: str | None) -> None:
    """Lets advertisements leave only for those who have agreed to them, or again for all."""

    async def work(db: Any, chosen: int, shards: int) -> None:
        from server.store import projects

        async with db.write() as session:
            await projects.require_consent(session, chosen, whether == "on")

    _in_project(work, project_id, database)
    click.echo(f"Consent to advertisements is {'required' if whether == 'on' else 'not required'}.")


def _in_project(
    work: Callable[[Any, int, int], Coroutine[Any, Any, Any]], project_id: int | None, database: str | None
) -> Any:
    """Does the work beside a server that may be running: with the database, the project, the shards."""

    async def inside() -> Any:
        from server.store import projects, setup
        from server.store.database import Database

        db = Database(_settings(database).database_url, beside=True)
        try:
            async with db.read() as session:
                shards = await setup.count_shards(session)
                chosen = await projects.choose(session, project_id)
            return await work(db, chosen, shards)
        finally:
            await db.close()

    return _run(inside())


def _tell(taken: Any) -> None:
    click.echo(f"{taken.changed} row(s) taken, {taken.known} known already, {taken.refused} refused.")
    for problem in taken.problems:
        click.echo(f"  {problem}")
    if taken.refused:
        sys.exit(1)


@cli.command()
@_database
def doctor(database: str | None) -> None:
    """Looks whether all is well; exits with 1 if something is not."""

    async def work() -> list[Any]:
        from server.doctor import examine
        from server.store.database import Database

        db = Database(_settings(database).database_url, beside=True)
        try:
            return await examine(db, WallClock().now())
        finally:
            await db.close()

    findings = _run(work())
    for finding in findings:
        mark = click.style("wrong", fg="red") if finding.wrong else click.style("well ", fg="green")
        click.echo(f"{mark}  {finding.about}" + (f": {finding.wrong}" if finding.wrong else ""))
    if any(finding.wrong for finding in findings):
        sys.exit(1)


@cli.command()
@click.option("--check", is_flag=True, help="Only compare; exits with 1 if there is a difference.")
@_database
def recount(check: bool, database: str | None) -> None:
    """Counts everything again from the facts: compares with the figures, or puts it in their place."""

    async def work() -> list[str]:
        from server.aggregates import recount as recounting
        from server.store.database import Database

        db = Database(_settings(database).database_url, beside=True)
        try:
            if check:
                async with db.read() as session:
                    return await recounting.differences(session)
            async with db.write() as session:
                counters, sets = await recounting.rebuild(session)
            click.echo(f"Rebuilt {counters} counters and {sets} user sets from the facts.")
            return []
        finally:
            await db.close()

    found = _run(work())
    for line in found[:50]:
        click.echo(line)
    if found:
        click.echo(f"{len(found)} figure(s) differ from the facts.")
        sys.exit(1)
    if check:
        click.echo("Every figure agrees with the facts.")


@cli.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8000, show_default=True)
@click.option(
    "--database",
    metavar="PATH",
    default=".sojourn/demo.db",
    show_default=True,
    help="The SQLite file; begun anew unless it holds anything but a sample.",
)
@click.option("--keep", is_flag=True, help="Serves the sample that is there already, with new keys.")
@click.option("--no-serve", is_flag=True, help="Only fills the file.")
@click.option("--people", type=click.IntRange(20, 20_000), default=1500, show_default=True)
@click.option("--days", type=click.IntRange(2, 90), default=28, show_default=True)
@click.option("--seed", default=1, show_default=True, help="Another one gives another sample.")
def demo(host: str, port: int, database: str, keep: bool, no_serve: bool, **size: int) -> None:
    """Fills a new database with some weeks of a sample shop's life, then serves it."""
    from rich.console import Console

    from server.demo.file import path_of
    from server.demo.run import Options, run

    settings = _settings(None)
    # The screen is for the progress and for what to open; what goes wrong is still told.
    configure_logs(settings.log_format, quiet=True)
    if "SOJOURN_PUBLIC_URL" not in os.environ:
        settings = replace(settings, public_url=f"http://{host}:{port}")
    options = Options(path_of(database), host, port, keep=keep, serve=not no_serve, **size)
    try:
        _run(run(options, settings, Console()))
    except KeyboardInterrupt:
        click.echo("Stopped.")


cli.add_command(channel)


if __name__ == "__main__":
    main()
