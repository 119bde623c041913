"""`sojourn export`: what the API hands out as files, written straight to one."""

import os
import sys
from collections.abc import Callable, Coroutine
from contextlib import nullcontext
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from server.clock import WallClock

from .running import in_project, of_database, of_project

Arguments = Callable[[Any, int], Coroutine[Any, Any, Any]]
"""Makes the arguments of a kind from the database and the project."""

_day = click.DateTime(["%Y-%m-%d"])


@click.group()
def export() -> None:
    """Runs, users of messages and steps, and figures, as files (docs/exports.md)."""


FILE = ("format", "language", "bom", "out", "project_id", "database")
"""What `to_file` asks for."""


def to_file(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that say what kind of file, and where."""
    options = [
        click.option("--format", "format", type=click.Choice(["csv", "xlsx", "jsonl"]), default="csv"),
        click.option("--language", type=click.Choice(["ko", "en"]), default="en", help="Of the headings."),
        click.option("--bom", is_flag=True, help="Begins a CSV file with UTF-8's mark, as Excel wants it."),
        click.option(
            "--out", type=click.Path(dir_okay=False, path_type=Path), default="-", help="A file, or - ."
        ),
        of_project,
        of_database,
    ]
    for option in reversed(options):
        command = option(command)
    return command


a_journey = click.option("--journey", required=True, help="Its handle, its number or its id in the API.")
a_step = click.option("--step", required=True, help="The key of the step.")


def days(command: Callable[..., Any]) -> Callable[..., Any]:
    first = click.option("--from", "first", type=_day, help="The first day, in the project's zone.")
    until = click.option("--until", type=_day, help="The day after the last.")
    return first(until(command))


@export.command("runs")
@a_journey
@to_file
def export_runs(journey: str, **file: Any) -> None:
    """The runs of a journey, the latest first."""

    async def arguments(db: Any, project_id: int) -> Any:
        from server.exports.run_list import RunListArguments

        return RunListArguments(journey_id=await journey_named(db, project_id, journey))

    write_file("runs", arguments, **file)


@export.command("message-users")
@a_journey
@a_step
@days
@to_file
def export_message_users(
    journey: str, step: str, first: datetime | None, until: datetime | None, **file: Any
) -> None:
    """What became of the messages of a step, a row for each user and action."""

    async def arguments(db: Any, project_id: int) -> Any:
        from server.exports.message_users import MessageUsersArguments

        journey_id = await journey_named(db, project_id, journey)
        return MessageUsersArguments(journey_id=journey_id, step_key=step, days=days_between(first, until))

    write_file("message_users", arguments, **file)


@export.command("step-users")
@a_journey
@a_step
@days
@to_file
def export_step_users(
    journey: str, step: str, first: datetime | None, until: datetime | None, **file: Any
) -> None:
    """Who passed a step of any kind, a row for each passage."""

    async def arguments(db: Any, project_id: int) -> Any:
        from server.exports.step_users import StepUsersArguments

        journey_id = await journey_named(db, project_id, journey)
        return StepUsersArguments(journey_id=journey_id, step_key=step, days=days_between(first, until))

    write_file("step_users", arguments, **file)


@export.command("segment-users")
@click.option("--segment", required=True, help="Its name.")
@to_file
def export_segment_users(segment: str, **file: Any) -> None:
    """The people of a segment, a row each."""

    async def arguments(db: Any, project_id: int) -> Any:
        from server.errors import BadInput
        from server.exports.segment_users import SegmentUsersArguments
        from server.store import segments

        async with db.read() as session:
            found = [one for one in await segments.of_project(session, project_id) if one.name == segment]
        if not found:
            raise BadInput(f"There is no segment {segment!r} in this project.")
        return SegmentUsersArguments(segment_id=found[0].id)

    write_file("segment_users", arguments, **file)


def days_between(first: datetime | None, until: datetime | None) -> Any:
    from server.exports.sheets import Days

    if first is not None and until is not None and until <= first:
        raise click.UsageError("--until is the day after the last, so it lies after --from.")
    return Days(first=first.date() if first else None, until=until.date() if until else None)


async def journey_named(db: Any, project_id: int, named: str) -> int:
    """Raises BadInput for a journey that is not in the project."""
    from server.store import journeys

    async with db.read() as session:
        found = await journeys.by_handle(session, project_id, named)
    return found.id if found is not None and found.id is not None else journey_number(named)


def journey_number(named: str) -> int:
    """Of its number, or of its id in the API. Raises BadInput for what is neither."""
    from server.schema.ids import key_in, to_id

    is_number = named.isdecimal() and len(named) < 20
    return key_in(to_id("Journey", int(named)) if is_number else named, "Journey")[0]


async def _observed(db: Any, project_id: int) -> Any:
    """By channel: what can be heard there, by the channels that are plugged in here."""
    from channels.host import build_host
    from server.config import Settings
    from server.secretbox import SecretBox
    from server.store import open_connections

    settings = Settings.from_environ(os.environ)
    host = build_host(discover=settings.discover_plugins, plugins_dir=settings.plugins_dir or None)
    async with db.read() as session:
        found = await open_connections.observed(session, host, SecretBox(settings.secrets), project_id)
    return open_connections.heard(found)


def write_file(
    kind: str,
    arguments: Arguments,
    *,
    format: str,
    language: str,
    bom: bool,
    out: Path,
    project_id: int | None,
    database: str | None,
) -> None:
    to_screen = str(out) == "-"
    if to_screen and format == "xlsx" and sys.stdout.isatty():
        raise click.UsageError("A workbook is nothing for a screen: say where with --out.")

    async def work(db: Any, chosen: int, shards: int) -> int:
        from server.exports.formats import Format
        from server.exports.kinds import KINDS
        from server.exports.sheets import Asked, Language
        from server.exports.to_file import whole, write_out
        from server.store import projects

        async with db.read() as session:
            zone = (await projects.by_id(session, chosen)).time_zone
        about = (db, chosen, shards, zone, Language(language), WallClock().now())
        asked = Asked(*about, observed=await _observed(db, chosen))
        sheet = await KINDS[kind].open(asked, await arguments(db, chosen))
        with nullcontext(sys.stdout.buffer) if to_screen else whole(out) as target:
            return await write_out(sheet, asked, Format(format), target, marked=bom)

    rows = in_project(work, project_id, database)
    click.echo(f"{rows} row(s) written.", err=to_screen)
