"""Everything that is wrong with a drawn graph: its shape, its texts, the connections that it names."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from server.journey.graph import Graph, read_graph
from server.journey.moment import Problem
from server.journey.steps import Email
from server.templates.render import compile_problems


def problems_of(data: Mapping[str, Any], connections: Mapping[str, str]) -> list[Problem]:
    """All problems with their paths. `connections` are the project's: name to channel."""
    graph, problems = read_graph(data)
    return [*problems, *_text_problems(graph, data), *_connection_problems(graph, data, connections)]


def _text_problems(graph: Graph, data: Mapping[str, Any]) -> Iterable[Problem]:
    for index, step in _messages(graph, data):
        for name, text in step.templates().items():
            for problem in compile_problems(text, name):
                line = f"Line {problem.line}: " if problem.line else "Template: "
                yield Problem(("steps", index, name), f"{line}{problem.message}.", "template")


def _connection_problems(
    graph: Graph, data: Mapping[str, Any], connections: Mapping[str, str]
) -> Iterable[Problem]:
    known: Collection[str] = [name for name, channel in connections.items() if channel == "email"]
    for index, step in _messages(graph, data):
        if step.connection and step.connection not in known:
            there = ", ".join(sorted(known)) or "none"
            yield Problem(
                ("steps", index, "connection"),
                f"There is no e-mail connection {step.connection!r}; there are: {there}.",
                "unknown_connection",
            )


def _messages(graph: Graph, data: Mapping[str, Any]) -> Iterable[tuple[int, Email]]:
    told: set[str] = set()
    for index, item in enumerate(data.get("steps") or ()):
        key = item.get("key", "")
        step = graph.steps.get(key)
        # Of two steps with one key the graph has the first, and its problems are not the second's.
        if isinstance(step, Email) and key not in told:
            told.add(key)
            yield index, step
