"""What a run waits for at the step where it is, told by the graph and by what the step keeps."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, NamedTuple

from .graph import Graph
from .passage import SILENT
from .steps.outcome import MESSAGES


class Awaited(StrEnum):
    """What has to come for a run to go on."""

    TIME = "time"
    EVENT = "event"
    """Something that the user does, or the time at which the step gives up."""
    MESSAGE = "message"
    """What becomes of the step's message, or the time at which the step gives up."""
    SILENCE = "silence"
    """The end of silent hours."""


class Awaiting(NamedTuple):
    """What a run waits for, and what else would move it."""

    what: Awaited
    events: tuple[str, ...]
    """With these it may go on earlier."""
    ends_on: tuple[str, ...]
    """With these it ends at once, wherever it is: goals that end the journey, and cancel events."""


def awaiting(graph: Graph, step_key: str, memory: Mapping[str, Any]) -> Awaiting:
    step = graph.steps.get(step_key)
    events = tuple(sorted(step.listens_for())) if step else ()
    ending = {goal.event for goal in graph.goals if goal.ends_journey}
    ending |= {one.event for one in graph.cancel_events}
    return Awaiting(_what(events, memory), events, tuple(sorted(ending)))


def _what(events: tuple[str, ...], memory: Mapping[str, Any]) -> Awaited:
    if SILENT in memory:
        return Awaited.SILENCE
    if events:
        return Awaited.EVENT
    return Awaited.MESSAGE if MESSAGES in memory else Awaited.TIME
