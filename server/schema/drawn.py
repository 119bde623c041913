"""Graphs as files and tests hold them: a `GraphInput` in JSON, or the plain data that is stored."""

from collections.abc import Mapping
from typing import Any

from graphql import GraphQLError, GraphQLInputType
from graphql.utilities import validate_input_value

from server.journey.moment import Problem

from .root import SCHEMA
from .to_data import from_variables, to_data

Data = dict[str, Any]


def read_drawn(graph: Any) -> tuple[Data, list[Problem]]:
    """The plain data of a graph, and what keeps it from being one at all."""
    if isinstance(graph, Mapping) and _is_stored(graph):
        return dict(graph), []
    problems: list[Problem] = []

    def note(error: GraphQLError, path: list[str | int]) -> None:
        problems.append(Problem(tuple(path), error.message))

    kind = SCHEMA._schema.type_map["GraphInput"]
    assert isinstance(kind, GraphQLInputType)
    validate_input_value(graph, kind, note)
    return ({}, problems) if problems else (to_data(from_variables(graph)), [])


def _is_stored(graph: Mapping[str, Any]) -> bool:
    steps = graph.get("steps")
    return isinstance(steps, list) and any(isinstance(one, Mapping) and "kind" in one for one in steps)
