"""A drawn graph turned into the plain data that `server.journey.graph` reads, and paths turned back."""

from enum import Enum
from typing import Any

import strawberry

from server.journey.moment import Path

from .graph_inputs import GoalInput, GraphInput, StepInput
from .sending_inputs import SendingInput
from .step_inputs import ConditionInput, DelayStepInput

Data = dict[str, Any]


def to_data(graph: GraphInput) -> Data:
    """The plain data of the graph, as it is stored."""
    return {
        "steps": [_step(step) for step in graph.steps],
        "edges": [{"from": edge.source, "output": edge.output, "to": edge.target} for edge in graph.edges],
        "goals": [_goal(goal) for goal in graph.goals or ()],
        "reentry": graph.reentry.value,
    }


def to_graphql_path(path: Path, data: Data) -> list[str]:
    """Where in the input a problem lies that was found in its plain data."""
    found: list[str] = []
    here: Any = data
    for depth, part in enumerate(path):
        found.append(_NAMES.get(str(part), _camel(str(part))))
        here = _inside(here, part)
        if part in _BY_NAME and isinstance(here, dict) and depth + 1 < len(path):
            # These came as a list of names and values.
            name = path[depth + 1]
            return [*found, *((str(list(here).index(name)), "value") if name in here else (str(name),))]
        if part == "options":
            # What is inside has its own names.
            return [*found, *map(str, path[depth + 1 :])]
        member = here.get("kind") or here.get("about") if isinstance(here, dict) else None
        if isinstance(part, int) and member:
            found.append(_camel(member))
    return found


_NAMES = {
    "duration_ms": "durationSeconds",
    "window_ms": "windowSeconds",
    "expires_after_ms": "expiresAfterSeconds",
    "channel": "channelName",
}
_BY_NAME = ("variables", "content")


def _inside(data: Any, part: str | int) -> Any:
    if isinstance(part, int):
        return data[part] if isinstance(data, list) and part < len(data) else None
    return data.get(part) if isinstance(data, dict) else None


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)


def _step(step: StepInput) -> Data:
    kind, given = _member(step)
    data: Data = {"kind": kind, **_plain(given)}
    if isinstance(given, DelayStepInput):
        data["duration_ms"] = data.pop("duration_seconds") * 1000
    if isinstance(given, SendingInput):
        _put_as_stored(data)
    return data


def _put_as_stored(data: Data) -> None:
    """What message steps call otherwise than their data does."""
    if "expires_after_seconds" in data:
        data["expires_after_ms"] = data.pop("expires_after_seconds") * 1000
    if "channel_name" in data:
        data["channel"] = data.pop("channel_name")
    for name in _BY_NAME:
        if name in data:
            data[name] = {one["name"]: one["value"] for one in data[name]}


def _goal(goal: GoalInput) -> Data:
    data: Data = _plain(goal)
    if "window_seconds" in data:
        data["window_ms"] = data.pop("window_seconds") * 1000
    return data


def _member(one_of: Any) -> tuple[str, Any]:
    """The one member that is given."""
    return next((name, given) for name, given in vars(one_of).items() if given is not strawberry.UNSET)


def _plain(given: Any) -> Any:
    """Names to plain values; what is not given is left out."""
    if isinstance(given, ConditionInput):
        about, asked = _member(given)
        return {"about": about, **_plain(asked)}
    if isinstance(given, Enum):
        return given.value
    if isinstance(given, list):
        return [_plain(item) for item in given]
    if hasattr(given, "__strawberry_definition__"):
        return {name: _plain(value) for name, value in vars(given).items() if value is not None}
    return given
