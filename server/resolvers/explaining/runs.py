"""Why a run went where it went: each decision with what it looked at, what it waits for, what can end it."""

from collections.abc import Iterator
from typing import Any

import orjson

from server.context import Context
from server.journey.graph import Graph, read_graph
from server.journey.moment import EndReason
from server.journey.passage import SILENT
from server.journey.steps import Step

from .. import journeys
from .. import runs as resolve
from .facts import Fact, FactCode, quoted, when

_ENDS = {
    EndReason.COMPLETED: "It came to the end of the journey",
    EndReason.GOAL: "It reached the goal {!r}, which ends the journey",
    EndReason.CANCEL_EVENT: "The user did {!r}, which takes people out",
    EndReason.MOVED_ON: "It went on in another journey",
    EndReason.HELD_OUT: "The user belongs to the share that gets nothing, so that the rest can be compared",
    EndReason.INTERNAL_ERROR: "Something went wrong inside: {}",
    EndReason.SEND_ERROR: "Its message could not be sent, and the step ends whoever it cannot write to",
    EndReason.OVERDUE: "Its wait fell due during a pause, and it was chosen to go on without such runs",
    EndReason.EDITED: "The journey was changed, and it was chosen to end the runs of the old version",
    EndReason.REMOVED: "The user was taken out over the API",
    EndReason.ERASED: "The user was erased",
    EndReason.STOPPED: "The journey was stopped",
    EndReason.MERGED: "The user turned out to be another one, who was inside already",
}
_NAMED = (EndReason.GOAL, EndReason.CANCEL_EVENT, EndReason.INTERNAL_ERROR)


async def explain(context: Context, run: Any) -> list[Fact]:
    """The facts of a run, in order."""
    version = await journeys.version(context, run.journey_id, run.version)
    project = await journeys.project(context)
    graph = read_graph(orjson.loads(version.graph))[0] if version else Graph()
    visits = await resolve.visits(context, run.id)
    facts = [_entered(run)]
    for visit in visits:
        facts += _visit(visit, graph)
    facts += [_converted(hit) for hit in await resolve.conversions(context, run.id)]
    if run.wake_at is not None:
        facts += _waiting(run, graph, project.time_zone)
    return facts


def _entered(run: Any) -> Fact:
    properties = orjson.loads(run.properties)
    how = f"by the event {run.event_name!r}" if run.event_name else "without an event"
    text = f"It entered at {run.entry_key!r} {how}, in version {run.version}."
    about = {"event": run.event_name, "properties": properties, "version": run.version}
    return Fact(FactCode.ENTERED, text, run.entered_at, run.entry_key, about)


def _visit(visit: Any, graph: Graph) -> Iterator[Fact]:
    saw = orjson.loads(visit.saw)
    if visit.message_id is not None:
        text = f"{_named(graph, visit.step_key)} asked for a message."
        yield Fact(FactCode.SENT, text, visit.left_at, visit.step_key)
    if visit.end_reason:
        yield _ended(visit, saw)
    else:
        yield Fact(FactCode.DECIDED, _decided(visit, graph, saw), visit.left_at, visit.step_key, saw)


def _decided(visit: Any, graph: Graph, saw: dict[str, Any]) -> str:
    waited = " at once" if visit.left_at == visit.arrived_at else ""
    text = f"{_named(graph, visit.step_key)} let it go on{waited} by {visit.output!r}"
    because = f": {visit.because}" if visit.because else ""
    return f"{text}{because}.{_seen(saw)}"


def _seen(saw: dict[str, Any]) -> str:
    if not saw:
        return ""
    return " It looked at " + ", ".join(f"{name}: {quoted(value)}" for name, value in saw.items()) + "."


def _ended(visit: Any, saw: dict[str, Any]) -> Fact:
    reason = EndReason(visit.end_reason)
    text = _ENDS[reason].format(visit.because)
    if visit.because and reason not in _NAMED:
        text = f"{text}: {visit.because}"
    code = FactCode.HELD_OUT if reason is EndReason.HELD_OUT else FactCode.ENDED
    about = {**saw, "reason": reason.value}
    return Fact(code, f"{text}.{_seen(saw)}", visit.left_at, visit.step_key, about)


def _converted(hit: Any) -> Fact:
    text = f"It reached the goal {hit.goal_key!r}."
    return Fact(FactCode.CONVERTED, text, hit.occurred_at, values={"goal": hit.goal_key})


def _waiting(run: Any, graph: Graph, zone: str) -> Iterator[Fact]:
    memory = orjson.loads(run.memory)
    silent = ", the end of silent hours" if SILENT in memory else ""
    held = " Its journey is paused: that time does not come nearer." if run.held else ""
    text = f"{_named(graph, run.step_key)} has it wait until {when(run.wake_at, zone)}{silent}.{held}"
    about = {"until": run.wake_at, "memory": memory}
    yield Fact(FactCode.WAITS, text, run.arrived_at, run.step_key, about)
    step = graph.steps.get(run.step_key)
    for event in sorted(step.listens_for()) if step else ():
        text = f"It goes on earlier if the user does {event!r} as the step wants it."
        yield Fact(FactCode.CAN_END, text, step_key=run.step_key, values={"event": event})
    for goal in graph.goals:
        if goal.ends_journey:
            text = f"It ends at once if the user does {goal.event!r}: the goal {goal.key!r}."
            yield Fact(FactCode.CAN_END, text, values={"goal": goal.key, "event": goal.event})
    for one in graph.cancel_events:
        text = f"It ends at once if the user does {one.event!r}, which takes people out."
        yield Fact(FactCode.CAN_END, text, values={"event": one.event})


def _named(graph: Graph, key: str) -> str:
    step: Step | None = graph.steps.get(key)
    if step is None:
        return f"The step {key!r}"
    title = f" ({step.title})" if step.title != key else ""
    return f"The step {key!r}{title}"
