"""Rehearses journeys that stand in files, or are written out in a test."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from server.clock import Instant, WallClock
from server.files.reading import read_text
from server.journey.graph import read_graph
from server.journey.moment import Problem
from server.journey.steps import MessageStep
from server.rehearsal.plan import Plan
from server.rehearsal.problems import CannotRehearse
from server.rehearsal.reading import Setting, read_plan
from server.rehearsal.rehearse import Rehearsed, rehearse_apart
from server.schema.drawn import read_drawn
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

    Raises CannotRehearse with everything that is wrong.
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
    return rehearse_apart(plan_of(read_journey(journey), given, WallClock().now()))


def read_journey(journey: str | Path | Data) -> Data:
    """A journey as a file holds it: a `title` and a `graph`. A graph alone is one, too."""
    data = journey if isinstance(journey, Mapping) else read_text(Path(journey).read_text("utf-8")).data
    if not isinstance(data, Mapping) or not ("graph" in data or "steps" in data):
        raise CannotRehearse([Problem((), "A journey is an object with `title` and `graph`.")])
    return data if "graph" in data else {"graph": data}


def plan_of(journey: Data, said: Data, now: Instant) -> Plan:
    """Raises CannotRehearse."""
    graph, problems = read_drawn(journey["graph"])
    problems = problems or _problems_with(graph)
    if problems:
        raise CannotRehearse([Problem(("graph", *one.path), one.message, one.code) for one in problems])
    title = journey.get("title")
    setting = Setting(graph, now, title=title if isinstance(title, str) else "Rehearsal")
    plan, problems = read_plan(said, setting)
    if problems:
        raise CannotRehearse(problems)
    return plan


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
