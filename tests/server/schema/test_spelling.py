"""What is handed in, what is stored, and the way back: nothing is lost on it, whatever the kind of step."""

from typing import Any

import pytest
from graphql import coerce_input_value
from hypothesis import given
from hypothesis import strategies as st
from strawberry.types.arguments import convert_argument

from server.journey.graph import read_graph
from server.journey.steps import KINDS
from server.schema.graph_inputs import GraphInput, StepInput
from server.schema.root import SCHEMA
from server.schema.spelling import fields_of, is_input, to_spelled, told_by
from server.schema.to_data import from_variables, to_data, to_graphql_path, to_variables
from tests.server.schema.drawings import GRAPHS, STEPS
from tests.world import abandoned_cart


def as_graphql_takes_it(variables: dict[str, Any]) -> GraphInput:
    """By the library's own way from variables to arguments."""
    coerced = coerce_input_value(variables, SCHEMA._schema.type_map["GraphInput"])
    registry, config = SCHEMA.schema_converter.scalar_registry, SCHEMA.config
    found: GraphInput = convert_argument(coerced, GraphInput, registry, config)
    return found


def test_every_kind_of_step_can_be_handed_in() -> None:
    """A kind without an input has no form as a file either."""
    assert {field.name for field in fields_of(StepInput)} == set(KINDS)


@given(GRAPHS)
def test_what_is_stored_comes_back_as_what_makes_the_same_again(variables: dict[str, Any]) -> None:
    stored = to_data(as_graphql_takes_it(variables))
    told = to_variables(stored)
    assert to_data(from_variables(told)) == stored
    assert to_data(as_graphql_takes_it(told)) == stored


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
def test_every_kind_comes_back(kind: str, data: st.DataObject) -> None:
    variables = {"steps": [data.draw(STEPS[kind])], "edges": []}
    stored = to_data(as_graphql_takes_it(variables))
    assert stored["steps"][0]["kind"] == kind
    assert to_data(from_variables(to_variables(stored))) == stored


@given(GRAPHS)
def test_no_default_is_told(variables: dict[str, Any]) -> None:
    told = to_variables(to_data(from_variables(variables)))
    assert told.keys() <= variables.keys()
    assert told.get("reentry") != "AFTER_LEAVING"
    assert not any(edge.get("output") == "next" for edge in told["edges"])


def test_a_graph_that_was_stored_otherwise_means_the_same_when_it_comes_back() -> None:
    raw = abandoned_cart()
    again = to_data(from_variables(to_variables(raw)))
    assert read_graph(again) == read_graph(raw)


def test_what_has_no_place_in_the_input_is_not_lost_in_silence() -> None:
    graph = abandoned_cart(mood="good")
    with pytest.raises(ValueError, match="no place for mood"):
        to_variables(graph)
    with pytest.raises(ValueError, match="no place for 'juggle'"):
        to_spelled({"kind": "juggle", "key": "a"}, StepInput)


@given(GRAPHS)
def test_every_place_in_what_is_stored_has_a_place_in_what_came_in(variables: dict[str, Any]) -> None:
    stored = to_data(from_variables(variables))
    told = to_variables(stored)
    for path in places(stored):
        check(told, to_graphql_path(path, stored))


def check(here: Any, path: list[str]) -> None:
    """Fails where the path leads out of the JSON."""
    for part in path:
        if isinstance(here, dict) and part not in here:
            return  # It says no more than a default.
        here = here[int(part)] if isinstance(here, list) else here[part]


def places(stored: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Of the steps, without what says of which member something is."""
    found = [path]
    if isinstance(stored, list):
        found += [inner for n, one in enumerate(stored) for inner in places(one, (*path, n))]
    if isinstance(stored, dict):
        named = [(name, one) for name, one in stored.items() if name not in TOLD_BY]
        found += [inner for name, one in named for inner in places(one, (*path, name))]
    return found


TOLD_BY = ("kind", "about")


def test_the_names_of_members_are_those_that_we_leave_out() -> None:
    def one_ofs(kind: Any, seen: set[Any]) -> set[str]:
        if kind in seen or not is_input(kind):
            return set()
        seen.add(kind)
        own = {told_by(kind)} if kind.__strawberry_definition__.is_one_of else set()
        inner = [getattr(field.type, "of_type", field.type) for field in fields_of(kind)]
        return own.union(*(one_ofs(one, seen) for one in inner))

    assert one_ofs(GraphInput, set()) == set(TOLD_BY)
