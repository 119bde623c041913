"""A run as a path: its visits with their messages, and what it passed on the drawings of its versions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import orjson

from server.context import Context
from server.journey.awaiting import Awaiting, awaiting
from server.journey.graph import Graph, read_graph
from server.journey.moment import Instant
from server.journey.tracks import Track, tracks
from server.store.tables import Message, Run, Visit

from . import journeys


@dataclass(frozen=True, slots=True)
class Stay:
    """A visit, or the present one, which is written down only when it is over."""

    record: Visit | None
    version: int
    step_key: str
    arrived_at: Instant
    left_at: Instant | None
    output: str = ""


async def stays(context: Context, run: Run) -> list[Stay]:
    """Where the run has been, in order; the last is where it waits or ended."""
    over = await context.loaders.visits_by_run.load(run.id) or []
    found = [
        Stay(one, one.version, one.step_key, one.arrived_at, one.left_at, one.output or "") for one in over
    ]
    if run.wake_at is not None:
        found.append(Stay(None, run.version, run.step_key, run.arrived_at, None))
    return found


async def messages_of(context: Context, run_id: int, stay: Stay) -> list[Message]:
    """What the step decided to send on this visit: to several devices it is one message each."""
    until = stay.left_at
    return [
        one
        for one in await context.loaders.messages_by_run.load(run_id) or []
        if (one.version, one.step_key) == (stay.version, stay.step_key)
        and stay.arrived_at <= one.created_at
        and (until is None or one.created_at <= until)
    ]


async def drawn(context: Context, run: Run) -> list[Track]:
    """What the run passed, by the version on which it is drawn, in the order in which it travelled them."""
    found = await stays(context, run)
    numbers = sorted({stay.version for stay in found})
    edges = {number: await _targets(context, run.journey_id, number) for number in numbers}
    return tracks(found, lambda version, step_key, output: edges[version][step_key, output])


async def _targets(context: Context, journey_id: int, number: int) -> Mapping[tuple[str, str], str]:
    version = await journeys.version(context, journey_id, number)
    assert version is not None
    drawn: Sequence[Mapping[str, str]] = orjson.loads(version.graph).get("edges") or ()
    return {(edge["from"], edge["output"]): edge["to"] for edge in drawn}


async def awaited(context: Context, run: Run) -> Awaiting:
    """What a run that is inside waits for."""
    version = await journeys.version(context, run.journey_id, run.version)
    graph = read_graph(orjson.loads(version.graph))[0] if version else Graph()
    return awaiting(graph, run.step_key, orjson.loads(run.memory))
