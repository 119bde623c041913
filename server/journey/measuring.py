"""Whether a split that chooses a branch itself can ever see what it is to choose by."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from .moment import Problem
from .steps import AbSplit, MessageStep
from .steps.ab_split import GOAL

if TYPE_CHECKING:
    from .graph import Graph


def goal_problems(graph: "Graph", places: Mapping[str, int]) -> Iterator[Problem]:
    """A split that chooses by a goal needs that goal."""
    known = {goal.key for goal in graph.goals}
    for key, step in graph.steps.items():
        decides = step.decides if isinstance(step, AbSplit) else None
        if decides is not None and decides.by == GOAL and decides.goal and decides.goal not in known:
            path = ("steps", places[key], "decides", "goal")
            yield Problem(path, f"There is no goal {decides.goal!r} to choose by.", "unknown_goal")


def message_problems(graph: "Graph") -> Iterator[Problem]:
    """A split that chooses by opens or clicks needs messages after it. For graphs whose edges are sound."""
    for index, step in enumerate(graph.steps.values()):
        decides = step.decides if isinstance(step, AbSplit) else None
        if decides is not None and decides.by != GOAL and not _leads_to_message(graph, step.key):
            path = ("steps", index, "decides", "by")
            yield Problem(
                path, f"No message comes after {step.key!r} that could be {decides.by}.", "no_message"
            )


def _leads_to_message(graph: "Graph", start: str) -> bool:
    reached: set[str] = set()
    frontier = [start]
    while frontier:
        source = frontier.pop()
        for output in graph.steps[source].outputs():
            target = graph.after(source, output)
            if isinstance(target, MessageStep):
                return True
            if target.key not in reached:
                reached.add(target.key)
                frontier.append(target.key)
    return False
