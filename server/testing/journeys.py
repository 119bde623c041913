"""Rehearses journeys that stand in files, or are written out in a test."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from server.clock import Instant, WallClock
from server.journey.graph import read_graph
from server.journey.moment import Problem
from server.journey.steps import MessageStep
from server.rehearsal.plan import Plan
from server.rehearsal.problems import CannotRehearse
from server.rehearsal.reading import Setting, read_plan
from server.rehearsal.rehearse import Rehearsed, rehearse_apart
from server.schema.drawn import read_drawn
from server.schema.file_form import FiledJourney, read_journey
from server.schema.named_journeys import with_made_up_ids
from server.schema.to_data import to_graphql_path
from server.templates.render import compile_problems

Data = Mapping[str, Any]


def rehearse(
    journey: str | Path | Data,
    *,
    people: Any = None,
    events: Any = None,
    until: Any = None,
    start: Any = None,
    arrivals: Any = None,
    rates: Any = None,
    habits: Any = None,
    zone: str | None = None,
    seed: int = 0,
    wall_seconds: int | None = None,
) -> Rehearsed:
    """Plays a journey (a file, or what would stand in it) with people who are made up, and tells what came.

    Raises CannotRehearse with everything that is wrong, CannotRead for a file that is no YAML or JSON.
    """
    said = {
        "people": people,
        "events": events,
        "until": until,
        "start": start,
        "arrivals": arrivals,
        "rates": rates,
        "habits": habits,
        "zone": zone,
        "seed": seed,
        "wall_seconds": wall_seconds,
    }
    given = {name: value for name, value in said.items() if value is not None}
    return rehearse_apart(plan_of(take(journey), given, WallClock().now()))


@dataclass(frozen=True, slots=True)
class Journey:
    """A journey in hand: its title and its graph, and where in its file everything stands."""

    title: str
    graph: Any
    """As a client would hand it in, or as it is stored."""
    path: Path | None = None
    filed: FiledJourney | None = None

    def where(self, spelled: Sequence[str]) -> str:
        """The place of a part of the graph, as editors make a link of it."""
        inside = ("graph", *spelled)
        place = self.filed.place_of(inside) if self.filed else None
        return f"{self.path}:{place}" if place else ".".join(inside)


def take(journey: str | Path | Data) -> Journey:
    """Of a file, or of an object with `title` and `graph`. A graph alone is a journey, too."""
    path, filed = None, None
    if isinstance(journey, Mapping):
        data: Data = journey
    else:
        path = Path(journey)
        filed = read_journey(path.read_text("utf-8"))
        data = filed.variables
    if "graph" not in data:
        data = {"graph": data}
    title = data.get("title")
    return Journey(title if isinstance(title, str) else "Rehearsal", data["graph"], path, filed)


def plan_of(journey: Journey, said: Data, now: Instant) -> Plan:
    """Raises CannotRehearse."""
    graph = sound_graph(journey)
    plan, problems = read_plan(said, Setting(graph, now, title=journey.title))
    if problems:
        raise CannotRehearse(problems)
    return plan


def sound_graph(journey: Journey) -> Data:
    """The journey's graph as it is stored. Raises CannotRehearse."""
    graph: Data
    graph, problems = read_drawn(journey.graph)
    if problems:
        raise CannotRehearse([_placed(journey, list(map(str, one.path)), one) for one in problems])
    graph = with_made_up_ids(graph)
    found = _problems_with(graph)
    if found:
        raise CannotRehearse([_placed(journey, to_graphql_path(one.path, graph), one) for one in found])
    return graph


def _placed(journey: Journey, spelled: Sequence[str], problem: Problem) -> Problem:
    return Problem((journey.where(spelled),), problem.message, problem.code)


def _problems_with(graph: Data) -> list[Problem]:
    """What is wrong with a graph itself. What is connected is not known here, and does not matter."""
    drawn, problems = read_graph(graph)
    for index, item in enumerate(graph.get("steps") or ()):
        step = drawn.steps.get(str(item.get("key")))
        if not isinstance(step, MessageStep):
            continue
        for path, text in step.templates():
            problems += [
                Problem(("steps", index, *path), f"{one.message}.", "template")
                for one in compile_problems(text, str(path[-1]))
            ]
    return problems
