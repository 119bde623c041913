"""`sojourn simulate`: what a journey would do, before anybody real comes to it."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from server.clock import WallClock
from server.errors import BadInput

from .exporting import journey_number
from .running import in_project, of_database, of_project

if TYPE_CHECKING:
    from server.rehearsal.rehearse import Rehearsed
    from server.resolvers.simulations import Wanted
    from server.store.database import Database


@click.command()
@click.argument("journey")
@click.option(
    "--people",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A file, YAML or JSON, with people and whatever else a rehearsal is told.",
)
@click.option("--count", type=int, help="So many people are made up.  [default: 100 without --people]")
@click.option("--sample", type=int, default=0, help="So many users of the project come, too.")
@click.option("--event", help="What they do to come in; the event of the first entry by default.")
@click.option("--within", help="They come within so long, e.g. 3d; all at the start by default.")
@click.option(
    "--rate",
    "rates",
    multiple=True,
    metavar="NAME=SHARE",
    help="Of messages, e.g. opened=0.4 or mail.opened=0.4.",
)
@click.option("--start", help="When it begins, e.g. 2026-12-01T09:00:00+09:00; now by default.")
@click.option("--until", help="For how long, e.g. 14d, or until when; 30 days by default.")
@click.option("--zone", help="In which days begin; that of the project, or UTC, by default.")
@click.option("--seed", type=int, default=0, show_default=True, help="Another seed draws other lives.")
@click.option(
    "--seconds", "wall_seconds", type=int, help="It stops after so long; 30 by default, at most 120."
)
@click.option("--trace", "traced", multiple=True, metavar="NAME", help="Shows the way of this person.")
@click.option("--json", "as_json", is_flag=True, help="Everything, for programs.")
@of_project
@of_database
def simulate(
    journey: str,
    people: Path | None,
    count: int | None,
    sample: int,
    traced: tuple[str, ...],
    as_json: bool,
    project_id: int | None,
    database: str | None,
    **said: Any,
) -> None:
    """Plays JOURNEY, a file or the id of one in the database, with people who are not real.

    Nothing is sent to anybody, and nothing is kept.
    """
    told = _said(people, count, sample, said)
    if Path(journey).exists() and not sample:
        found = _play_file(Path(journey), told)
    else:
        found = in_project(_in_database(_wanted(journey, told, sample)), project_id, database)
    _show(found, traced, as_json=as_json)


def _said(people: Path | None, count: int | None, sample: int, said: dict[str, Any]) -> dict[str, Any]:
    """What a plan is read from: what the file says, with what the command line says beside it."""
    from server.files.reading import read_text

    told: dict[str, Any] = {}
    if people is not None:
        data = read_text(people.read_text("utf-8")).data
        told = {"people": data} if isinstance(data, list) else data
        if not isinstance(told, dict):
            raise BadInput(f"{people} holds a list of people, or an object with `people`.")
    if count is None and not people and not sample:
        count = 100
    if count is not None:
        told["people"] = [*(told.get("people") or ()), {"count": count}]
    arrivals = {name: said.pop(name) for name in ("event", "within")}
    if any(arrivals.values()):
        told["arrivals"] = {**told.get("arrivals", {}), **_given(arrivals)}
    rates = said.pop("rates")
    if rates:
        told["rates"] = _with_rates(told.get("rates") or {}, rates)
    return {**told, **_given(said)}


def _given(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _with_rates(rates: dict[str, Any], more: tuple[str, ...]) -> dict[str, Any]:
    found = dict(rates) if all(isinstance(one, dict) for one in rates.values()) else {"all": dict(rates)}
    for one in more:
        name, _, share = one.partition("=")
        of, _, rate = name.rpartition(".")
        try:
            found.setdefault(of or "all", {})[rate] = float(share)
        except ValueError as error:
            raise BadInput(f"--rate wants something like opened=0.4, found {one!r}.") from error
    return found


def _play_file(path: Path, said: dict[str, Any]) -> "Rehearsed":
    from server.rehearsal.rehearse import rehearse_apart
    from server.testing.journeys import plan_of, take

    return rehearse_apart(plan_of(take(path), said, WallClock().now()))


def _in_database(wanted: "Wanted") -> Any:
    """A journey of the database, or one in a file that is played with users of the database."""

    async def work(db: "Database", project_id: int, shards: int) -> "Rehearsed":
        from channels.host import Host
        from server.context import Context
        from server.rehearsal.problems import CannotRehearse
        from server.resolvers import simulations
        from server.resolvers.refusals import InvalidRehearsal, Refusal
        from server.store.projects import READ, Access

        context = Context(db, WallClock(), Access(project_id, frozenset({READ})), shards, Host())
        try:
            return await simulations.simulate(context, wanted)
        except InvalidRehearsal as error:
            raise CannotRehearse(error.problems) from error
        except Refusal as error:
            raise BadInput(error.message) from error

    return work


def _wanted(journey: str, said: dict[str, Any], sample: int) -> "Wanted":
    from server.resolvers.simulations import Wanted
    from server.testing.journeys import sound_graph, take

    if Path(journey).exists():
        taken = take(Path(journey))
        return Wanted(said, graph=sound_graph(taken), title=taken.title, sampled=sample)
    try:
        number = journey_number(journey)
    except BadInput as error:
        raise BadInput(f"{journey!r} is neither a file nor the id of a journey.") from error
    return Wanted(said, journey_id=number, sampled=sample)


def _show(found: "Rehearsed", traced: tuple[str, ...], *, as_json: bool) -> None:
    from .simulated import as_data, tell

    if as_json:
        click.echo(json.dumps(as_data(found), ensure_ascii=False, indent=2))
    else:
        tell(found, traced)
    if not found.is_complete or found.troubles:
        sys.exit(1)
