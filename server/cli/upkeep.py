"""`sojourn migrate`, `doctor` and `recount`: for whoever looks after the database."""

import sys
from typing import Any

import click

from server.clock import MINUTE, WallClock

from .running import of_database, opened, run, settings_for


@click.command()
@of_database
def migrate(database: str | None) -> None:
    """Brings the database to the schema that this version needs, and counts what is new in it."""

    async def work() -> str:
        from server.after_upgrade import count_what_is_due
        from server.store import migrations, setup

        settings = settings_for(database)
        async with opened(settings.database_url, beside=False) as db:
            reached = await migrations.migrate(db.engine)
            async with db.write() as session:
                shards = await setup.prepare(session, settings.shards)
                await count_what_is_due(session, shards)
        return f"The database is at revision {reached} and has {shards} shard(s)."

    click.echo(run(work()))


@click.command()
@click.option(
    "--overdue-minutes",
    type=click.IntRange(1),
    default=15,
    show_default=True,
    help="How long after a wait was over its run is told to be stuck.",
)
@click.option(
    "--clock",
    type=click.Choice(["wall", "events"]),
    default="wall",
    show_default=True,
    help="By which time waits are over: as the server was told.",
)
@of_database
def doctor(overdue_minutes: int, clock: str, database: str | None) -> None:
    """Looks whether all is well; exits with 1 if something is not."""

    async def work() -> list[Any]:
        from server.doctor import examine, reached

        async with opened(settings_for(database).database_url) as db:
            now = await reached(db) if clock == "events" else WallClock().now()
            return await examine(db, now, overdue_minutes * MINUTE)

    findings = run(work())
    for finding in findings:
        mark = click.style("wrong", fg="red") if finding.wrong else click.style("well ", fg="green")
        click.echo(f"{mark}  {finding.about}" + (f": {finding.wrong}" if finding.wrong else ""))
    if any(finding.wrong for finding in findings):
        sys.exit(1)


@click.command()
@click.option("--check", is_flag=True, help="Only compare; exits with 1 if there is a difference.")
@of_database
def recount(check: bool, database: str | None) -> None:
    """Counts everything again from the facts: compares with the figures, or puts it in their place."""

    async def work() -> list[str]:
        from server.aggregates import attribute_recount
        from server.aggregates import recount as recounting
        from server.store import setup

        async with opened(settings_for(database).database_url) as db:
            if check:
                async with db.read() as session:
                    return [
                        *await recounting.differences(session),
                        *await attribute_recount.differences(session),
                    ]
            async with db.write() as session:
                counters, sets = await recounting.rebuild(session)
                sets += await attribute_recount.rebuild(session)
                # Whoever listens to figures is told these.
                await setup.touch_catalog(session)
            click.echo(f"Rebuilt {counters} counters and {sets} user sets from the facts.")
            return []

    found = run(work())
    for line in found[:50]:
        click.echo(line)
    if found:
        click.echo(f"{len(found)} figure(s) differ from the facts.")
        sys.exit(1)
    if check:
        click.echo("Every figure agrees with the facts.")
