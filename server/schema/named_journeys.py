"""Journeys that a graph leads to: handed in by handle or by id, and stored by id."""

from collections.abc import Iterator, Mapping

from server.context import Context
from server.journey.steps.go_to_journey import GoToJourney, journey_in
from server.resolvers import handles

from .ids import to_id
from .to_data import Data

_MADE_UP = 2**40


async def with_ids(context: Context, graph: Data) -> Data:
    """The graph as it is stored. A handle that no journey has stays, and is told as a problem."""
    named = {name for name in _wanted(graph) if journey_in(name) is None}
    if not named:
        return graph
    found = await handles.numbers(context, named)
    return _renamed(graph, {handle: to_id("Journey", number) for handle, number in found.items()})


async def with_handles(context: Context, graph: Data) -> Data:
    """The graph as a file says it: journeys by their handles, those without one by their ids."""
    numbers = {id: number for id in _wanted(graph) if (number := journey_in(id)) is not None}
    if not numbers:
        return graph
    found = await handles.names(context, set(numbers.values()))
    return _renamed(graph, {id: found[number] for id, number in numbers.items() if number in found})


def with_made_up_ids(graph: Data) -> Data:
    """The graph as it would be stored where the journeys that it names are; for where nothing is stored."""
    named = dict.fromkeys(name for name in _wanted(graph) if journey_in(name) is None)
    ids = {name: str(to_id("Journey", _MADE_UP + number)) for number, name in enumerate(named)}
    return _renamed(graph, ids) if ids else graph


def _wanted(graph: Data) -> Iterator[str]:
    for step in graph.get("steps") or ():
        if step["kind"] == GoToJourney.kind:
            yield str(step["journey"])


def _renamed(graph: Data, names: Mapping[str, str]) -> Data:
    steps = [
        {**step, "journey": names.get(step["journey"], step["journey"])}
        if step["kind"] == GoToJourney.kind
        else step
        for step in graph["steps"]
    ]
    return {**graph, "steps": steps}
