"""The graph of a journey: steps, edges, goals and settings, read from plain data and checked as a whole."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from .cancel_events import CancelEvent, read_cancel_event
from .goals import Goal, read_goal
from .holdout import read_holdout
from .measuring import goal_problems, message_problems
from .moment import Did, Problem
from .reading import Reader
from .reentry import ANY_TIME, Reentry, read_reentry
from .silence import Silence, read_silence
from .steps import KINDS, EntryEvent, Step
from .steps.base import read_common

MOST_STEPS = 300


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
    cancel_events: Sequence[CancelEvent] = ()
    reentry: Reentry = ANY_TIME
    holdout_percent: int = 0
    """How many of a hundred people get nothing."""
    silence: Silence = field(default_factory=Silence)

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
    def _asks_past(self) -> tuple[Did, ...]:
        return tuple(question for step in self.steps.values() for question in step.asks_past())

    @cached_property
    def asks_past_for(self) -> frozenset[str]:
        """The names of all events that any step looks for in the past."""
        return frozenset(question.event for question in self._asks_past)

    @cached_property
    def looks_back_ms(self) -> int | None:
        """How long before now, or else since the entry, steps look into the past; None: as far as it goes."""
        if any(question.ever for question in self._asks_past):
            return None
        return max((question.within_ms or 0 for question in self._asks_past), default=0)

    @cached_property
    def moves_runs(self) -> frozenset[str]:
        """The names of the events that reach goals, end runs or are waited for."""
        listened = (step.listens_for() for step in self.steps.values())
        ending = frozenset(one.event for one in self.cancel_events)
        return self.goal_events.union(ending, *listened)

    @cached_property
    def asks_segments(self) -> frozenset[str]:
        """The names of the segments that any step asks about the user."""
        return frozenset[str]().union(*(step.asks_segments() for step in self.steps.values()))

    @cached_property
    def asks_for_reach(self) -> bool:
        """Whether any step asks on which channels the user can be written to."""
        return any(step.asks_for_reach() for step in self.steps.values())

    @cached_property
    def leads_to(self) -> tuple[int, ...]:
        """The journeys to which steps take people."""
        return tuple(one for step in self.steps.values() for one in step.leads_to())

    @cached_property
    def all_entries(self) -> tuple[Step, ...]:
        return tuple(step for step in self.steps.values() if step.is_entry)

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


@dataclass
class _Drawn:
    """What was read before it is known to be sound."""

    steps: dict[str, Step] = field(default_factory=dict)
    places: dict[str, int] = field(default_factory=dict)
    """Where in the data each step stands."""
    unsound: set[str] = field(default_factory=set)
    """Steps of which something could not be read: what leads out of them is not known."""


def read_graph(data: Any) -> tuple[Graph, list[Problem]]:
    """The graph in this data, and everything that is wrong with it. It may run only if nothing is."""
    reader = Reader(data)
    if reader.problems:
        return Graph(), reader.problems
    drawn = _read_steps(reader)
    edges = _read_edges(reader)
    graph = Graph(
        steps=drawn.steps,
        edges=edges,
        goals=_read_goals(reader),
        cancel_events=tuple(read_cancel_event(item) for item in reader.items("cancel_events", most=20)),
        reentry=read_reentry(reader),
        holdout_percent=read_holdout(reader),
        silence=read_silence(reader),
    )
    problems = reader.problems
    lists_are_read = not any(problem.path in (("steps",), ("edges",)) for problem in problems)
    if lists_are_read:
        problems = [*problems, *_edge_problems(graph, drawn), *_loose_outputs(graph, drawn)]
        problems += [*_entry_problems(graph, drawn), *goal_problems(graph, drawn.places)]
    if not problems:
        problems = [*_reach_problems(graph), *_loop_problems(graph), *message_problems(graph)]
    return graph, problems


def _read_steps(reader: Reader) -> _Drawn:
    drawn = _Drawn()
    for index, item in enumerate(reader.items("steps", least=1, most=MOST_STEPS)):
        before = len(item.problems)
        kind = KINDS[item.choice("kind", tuple(KINDS))]
        if len(item.problems) > before:
            # Of a kind that we do not know, only the key can be read.
            drawn.unsound.add(str(read_common(item)["key"]))
            continue
        step = kind.read(item)
        if step.key and step.key in drawn.steps:
            item.refuse("key", f"Two steps have the key {step.key!r}; each needs its own", "duplicate")
        if len(item.problems) > before:
            drawn.unsound.add(step.key)
        drawn.steps.setdefault(step.key, step)
        drawn.places.setdefault(step.key, index)
    return drawn


def _read_edges(reader: Reader) -> list[Edge]:
    return [
        Edge(item.text("from", longest=64), item.text("output", longest=64), item.text("to", longest=64))
        for item in reader.items("edges", most=MOST_STEPS * 11)
    ]


def _read_goals(reader: Reader) -> list[Goal]:
    goals: list[Goal] = []
    for item in reader.items("goals", most=20):
        goal = read_goal(item)
        if goal.key and any(other.key == goal.key for other in goals):
            item.refuse("key", f"Two goals have the key {goal.key!r}; each needs its own", "duplicate")
        goals.append(goal)
    return goals


def _edge_problems(graph: Graph, drawn: _Drawn) -> Iterable[Problem]:
    seen: set[tuple[str, str]] = set()
    for index, edge in enumerate(graph.edges):
        path = ("edges", index)
        if not (edge.source and edge.output and edge.target):
            continue  # The reader has told what is missing.
        source, target = graph.steps.get(edge.source), graph.steps.get(edge.target)
        if edge.output.startswith("@"):
            message = f"An output cannot begin with @, found {edge.output!r}."
            yield Problem((*path, "output"), message)
        if source is None and edge.source not in drawn.unsound:
            yield Problem((*path, "from"), f"There is no step {edge.source!r}.", "unknown_step")
        elif source and edge.source not in drawn.unsound and edge.output not in source.outputs():
            outputs = ", ".join(source.outputs()) or "none"
            yield Problem(
                (*path, "output"),
                f"Step {edge.source!r} has no output {edge.output!r}; its outputs: {outputs}.",
                "unknown_output",
            )
        if target is None and edge.target not in drawn.unsound:
            yield Problem((*path, "to"), f"There is no step {edge.target!r}.", "unknown_step")
        elif target and target.is_entry:
            yield Problem((*path, "to"), f"Nothing can lead to the entry {edge.target!r}.", "leads_to_entry")
        if (edge.source, edge.output) in seen:
            yield Problem(
                path,
                f"Output {edge.output!r} of {edge.source!r} leads to two steps.",
                "duplicate",
            )
        seen.add((edge.source, edge.output))


def _loose_outputs(graph: Graph, drawn: _Drawn) -> Iterable[Problem]:
    led = {(edge.source, edge.output) for edge in graph.edges}
    half_read = {edge.source for edge in graph.edges if not edge.output}
    for key, step in graph.steps.items():
        if key in drawn.unsound or key in half_read:
            continue
        for output in step.outputs():
            if (key, output) not in led:
                path = ("steps", drawn.places[key])
                yield Problem(path, f"Output {output!r} of step {key!r} leads nowhere.", "loose_output")


def _entry_problems(graph: Graph, drawn: _Drawn) -> Iterable[Problem]:
    if not graph.all_entries and not drawn.unsound:
        yield Problem(("steps",), "A journey needs an entry; found none.", "no_entry")


def _reach_problems(graph: Graph) -> Iterable[Problem]:
    reached = {entry.key for entry in graph.all_entries}
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
    """A way back to a step that takes no time would spin for ever. Each loop is told once."""
    reached = {key: _reached_at_once(graph, key) for key in graph.steps}
    told: set[str] = set()
    for index, key in enumerate(graph.steps):
        if key in reached[key] and key not in told:
            told |= {other for other in reached[key] if key in reached[other]}
            yield Problem(
                ("steps", index), f"A loop through {key!r} takes no time; it needs a delay.", "loop"
            )


def _reached_at_once(graph: Graph, start: str) -> set[str]:
    """The steps to which a run that leaves this one comes before any time has passed."""
    reached: set[str] = set()
    frontier = [] if graph.steps[start].lets_time_pass() else [start]
    while frontier:
        source = frontier.pop()
        for output in graph.steps[source].outputs():
            target = graph.after(source, output)
            if not target.lets_time_pass() and target.key not in reached:
                reached.add(target.key)
                frontier.append(target.key)
    return reached
