"""A drawn graph turned into the plain data that `server.journey.graph` reads, and back; with its paths."""

from typing import Any

from server.journey.moment import Path

from .graph_inputs import GraphInput
from .spelling import from_spelled, to_spelled, to_spelled_path, to_stored

Data = dict[str, Any]


def to_data(graph: GraphInput) -> Data:
    """The plain data of the graph, as it is stored."""
    return {"goals": [], **to_stored(graph, GraphInput)}


def to_variables(data: Data) -> Data:
    """The same graph as a client hands it in: a `GraphInput` in JSON, without what defaults say anyway."""
    spelled: Data = to_spelled(data, GraphInput)
    return {name: value for name, value in spelled.items() if name != "goals" or value}


def from_variables(variables: Data) -> GraphInput:
    """The input in this JSON, which has to be one that GraphQL takes."""
    graph: GraphInput = from_spelled(variables, GraphInput)
    return graph


def to_graphql_path(path: Path, data: Data) -> list[str]:
    """Where in the input a problem lies that was found in its plain data."""
    return to_spelled_path(path, data, GraphInput)
