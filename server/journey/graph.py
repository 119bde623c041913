"""The graph of a journey: steps, edges, goals and settings, read from plain data and checked as a whole."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Any

from .goals import Goal, read_goal
from .moment import Problem
from .reading import Reader
from .steps import KINDS, EntryEvent, Step

MOST_STEPS = 300


class Reentry(StrEnum):
    """Whether somebody who has left may come in again. Nobody is inside twice at once."""

    AFTER_LEAVING = "after_leaving"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class Edge:
    """One output of a step, leading to the next step."""

    source: str
    output: str
    target: str


@dataclass(frozen=True)
class Graph:
    steps: Mapping[str, Step] = field(default_factory=dict)
    edges: Sequence[Edge] = ()
    goals: Sequence[Goal] = ()
    reentry: Reentry = Reentry.AFTER_LEAVING

    @cached_property
    def entries(self) -> tuple[EntryEvent, ...]:
        return tuple(step for step in self.steps.values() if isinstance(step, EntryEvent))

    @cached_property
    def _targets(self) -> dict[tuple[str, str], Step]:
        return {(edge.source, edge.output): self.steps[edge.target] for edge in self.edges}

    def after(self, step_key: str, output: str) -> Step:
        """The step that this output leads to. A checked graph has one for every output."""
        return self._targets[step_key, output]

    @cached_property
    def asks_past_for(self) -> frozenset[str]:
        """The names of all events that any step looks for in the past."""
        return frozenset().union(*(step.asks_past_for() for step in self.steps.values()))

    @cached_property
    def asks_for_user(self) -> bool:
        """Whether any step needs to know the user: its attributes, or where to write to."""
        return any(step.asks_for_user() for step in self.steps.values())

    @cached_property
    def goal_events(self) -> frozenset[str]:
        return frozenset(goal.event for goal in self.goals)

    @cached_property
    def longest_window_ms(self) -> int:
        return max((goal.window_ms for goal in self.goals), default=0)


def read_graph(data: Any) -> tuple[Graph, list[Problem]]:
    """The graph in this data, and everything that is wrong with it. It may run only if nothing is."""
    reader = Reader(data)
    steps = _read_steps(reader)
    edges = _read_edges(reader)
    graph = Graph(
        steps=steps,
        edges=edges,
        goals=_read_goals(reader),
        reentry=Reentry(reader.choice("reentry", tuple(Reentry)))
        if reader.value("reentry", required=False)
        else Reentry.AFTER_LEAVING,
    )
    problems = reader.problems
    if not problems:
        problems = [*_edge_problems(graph), *_entry_problems(graph)]
    if not problems:
        problems = [*_reach_problems(graph), *_loop_problems(graph)]
    return graph, problems


def _read_steps(reader: Reader) -> dict[str, Step]:
    steps: dict[str, Step] = {}
    for item in reader.items("steps", least=1, most=MOST_STEPS):
        step = KINDS[item.choice("kind", tuple(KINDS))].read(item)
        if step.key in steps:
            item.refuse("key", f"Two steps have the key {step.key!r}; each needs its own", "duplicate")
        steps[step.key] = step
    return steps


def _read_edges(reader: Reader) -> list[Edge]:
    return [
        Edge(item.text("from", longest=64), item.text("output", longest=64), item.text("to", longest=64))
        for item in reader.items("edges", most=MOST_STEPS * 11)
    ]


def _read_goals(reader: Reader) -> list[Goal]:
    goals: list[Goal] = []
    for item in reader.items("goals", most=20):
        goal = read_goal(item)
        if any(other.key == goal.key for other in goals):
            item.refuse("key", f"Two goals have the key {goal.key!r}; each needs its own", "duplicate")
        goals.append(goal)
    return goals


def _edge_problems(graph: Graph) -> Iterable[Problem]:
    seen: set[tuple[str, str]] = set()
    for index, edge in enumerate(graph.edges):
        path = ("edges", index)
        if edge.source not in graph.steps:
            yield Problem((*path, "from"), f"There is no step {edge.source!r}.", "unknown_step")
        elif edge.output not in graph.steps[edge.source].outputs():
            outputs = ", ".join(graph.steps[edge.source].outputs()) or "none"
            yield Problem(
                (*path, "output"),
                f"Step {edge.source!r} has no output {edge.output!r}; its outputs: {outputs}.",
                "unknown_output",
            )
        if edge.target not in graph.steps:
            yield Problem((*path, "to"), f"There is no step {edge.target!r}.", "unknown_step")
        elif graph.steps[edge.target].is_entry:
            yield Problem((*path, "to"), f"Nothing can lead to the entry {edge.target!r}.", "leads_to_entry")
        if (edge.source, edge.output) in seen:
            yield Problem(
                path,
                f"Output {edge.output!r} of {edge.source!r} leads to two steps.",
                "duplicate",
            )
        seen.add((edge.source, edge.output))
    for index, step in enumerate(graph.steps.values()):
        for output in step.outputs():
            if (step.key, output) not in seen:
                yield Problem(
                    ("steps", index), f"Output {output!r} of step {step.key!r} leads nowhere.", "loose_output"
                )


def _entry_problems(graph: Graph) -> Iterable[Problem]:
    if not graph.entries:
        yield Problem(("steps",), "A journey needs an entry; found none.", "no_entry")


def _reach_problems(graph: Graph) -> Iterable[Problem]:
    reached = {entry.key for entry in graph.entries}
    frontier = list(reached)
    while frontier:
        source = frontier.pop()
        for output in graph.steps[source].outputs():
            target = graph.after(source, output).key
            if target not in reached:
                reached.add(target)
                frontier.append(target)
    for index, key in enumerate(graph.steps):
        if key not in reached:
            yield Problem(("steps", index), f"No entry leads to step {key!r}.", "unreachable")


def _loop_problems(graph: Graph) -> Iterable[Problem]:
    """Walks the steps that take no time; a way back into the walk would spin for ever."""
    state: dict[str, str] = {}

    def spins(key: str) -> bool:
        if state.get(key) == "on the way":
            return True
        if key in state or graph.steps[key].takes_time:
            return False
        state[key] = "on the way"
        found = any(spins(graph.after(key, output).key) for output in graph.steps[key].outputs())
        state[key] = "done"
        return found

    for index, key in enumerate(graph.steps):
        if spins(key):
            yield Problem(
                ("steps", index), f"A loop through {key!r} takes no time; it needs a delay.", "loop"
            )
