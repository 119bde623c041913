"""`sojourn export`: the statistics of journeys, goals, channels and messages, as files."""

from collections.abc import Awaitable, Callable
from typing import Any

import click

from server.journey.status import JourneyStatus

from .exporting import FILE, a_journey, a_step, days, days_between, export, journey_named, to_file, write_file

Said = dict[str, Any]
"""What was said on the command line, by the names of the options."""
About = Callable[[Any, int, Said], Awaitable[Said]]
"""Makes of it, with the database and the project, which journeys it is about."""

_a_goal = click.option("--goal", help="The key of one goal; all of them without.")


def figures(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that say of which days, by which clock."""
    clock = click.option(
        "--clock",
        type=click.Choice(["happened", "entered"]),
        default="happened",
        show_default=True,
        help="What decides the day: when it happened, or when the run entered.",
    )
    daily = click.option("--daily", is_flag=True, help="A row for each day on which anything happened.")
    return days(clock(daily(command)))


def filtered(command: Callable[..., Any]) -> Callable[..., Any]:
    """The filter of the list of journeys."""
    statuses = click.Choice([status.value for status in JourneyStatus])
    options = [
        click.option("--journey", "journeys", multiple=True, help="Can be given several times."),
        click.option("--status", "statuses", multiple=True, type=statuses, help="So can this."),
        click.option("--category", "categories", multiple=True, help="And this."),
        click.option("--text", help="A part of the title or the category."),
    ]
    for option in reversed(options):
        command = option(command)
    return command


@export.command("campaigns")
@filtered
@figures
@to_file
def export_campaigns(**said: Any) -> None:
    """The statistics of journeys, a row each; of all of them without a filter."""
    _write("campaign_statistics", _of_those, said)


@export.command("goals")
@filtered
@_a_goal
@figures
@to_file
def export_goals(**said: Any) -> None:
    """The statistics of goals, a row for each goal of each journey."""
    _write("goal_statistics", _of_those, said)


@export.command("channel")
@a_journey
@click.option("--channel", required=True, help="Its name, such as email.")
@_a_goal
@figures
@to_file
def export_channel(**said: Any) -> None:
    """The statistics of one channel of a journey, a row for each message step."""
    _write("channel_statistics", _of_one, said)


@export.command("message")
@a_journey
@a_step
@figures
@to_file
def export_message(**said: Any) -> None:
    """The statistics of one message: a row for each metric, each reason, each goal."""
    said["step_key"] = said.pop("step")
    _write("message_statistics", _of_one, said)


async def _of_those(db: Any, project_id: int, said: Said) -> Said:
    named = said.pop("journeys")
    ids = [await journey_named(db, project_id, one) for one in named]
    return {"ids": tuple(ids) if ids else None, **said}


async def _of_one(db: Any, project_id: int, said: Said) -> Said:
    return {"journey_id": await journey_named(db, project_id, said.pop("journey")), **said}


def _write(kind: str, about: About, said: Said) -> None:
    file = {name: said.pop(name) for name in FILE}
    between = days_between(said.pop("first"), said.pop("until"))

    async def arguments(db: Any, project_id: int) -> Any:
        from server.exports.kinds import KINDS

        these = await about(db, project_id, said)
        return KINDS[kind].arguments(first=between.first, until=between.until, **these)

    write_file(kind, arguments, **file)


__all__ = ["export"]
