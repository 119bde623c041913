"""A journey as a file: nothing is lost on the way into it and back, and everything in it has its line."""

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.files.problems import CannotRead, Place
from server.journey.graph import read_graph
from server.journey.steps import KINDS
from server.schema.file_form import FiledJourney, read_journey, short, to_text
from server.schema.graph_inputs import GraphInput
from server.schema.spelling import fields_of, is_input, item_of
from server.schema.to_data import from_variables, to_data, to_variables
from tests.server.schema.drawings import GRAPHS, STEPS
from tests.world import abandoned_cart

CART = """\
handle: cart
title: 장바구니
graph:
  steps:
    - entryEvent: {key: cart, event: add_to_cart}
    - delay:
        key: hour
        duration: 1h 30m
    - alimtalk:
        key: remind
        variables:
          "#{name}": "{{ user.name }}"
        template: CART_01
    - exit: {key: done}
  edges:
    - {from: cart, to: hour}
    - {from: hour, to: remind}
    - {from: remind, to: done}
"""


def filed(stored: dict[str, Any], *, as_json: bool = False) -> FiledJourney:
    return read_journey(to_text({"title": "T", "graph": to_variables(stored)}, as_json=as_json))


@given(GRAPHS, st.booleans())
def test_the_file_of_a_graph_makes_the_same_graph_again(variables: dict[str, Any], as_json: bool) -> None:
    stored = to_data(from_variables(variables))
    assert to_data(from_variables(filed(stored, as_json=as_json).variables["graph"])) == stored


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
def test_every_kind_of_step_has_a_form_as_a_file(kind: str, data: st.DataObject) -> None:
    stored = to_data(from_variables({"steps": [data.draw(STEPS[kind])], "edges": []}))
    assert to_data(from_variables(filed(stored).variables["graph"])) == stored


def test_a_file_as_json_is_the_input_itself() -> None:
    variables = {"title": "T", "graph": to_variables(abandoned_cart())}
    assert read_journey(to_text(variables, as_json=True)).variables == variables


def test_what_people_write_becomes_what_the_api_takes() -> None:
    graph = read_journey(CART).variables["graph"]
    assert graph["steps"][1] == {"delay": {"key": "hour", "durationSeconds": 5400}}
    assert graph["steps"][2]["alimtalk"]["variables"] == [{"name": "#{name}", "value": "{{ user.name }}"}]
    assert to_text(read_journey(CART).variables, as_json=False) == CART.replace(
        'variables:\n          "#{name}": "{{ user.name }}"', "variables: {'#{name}': '{{ user.name }}'}"
    ).replace("delay:\n        key: hour\n        duration: 1h 30m", "delay: {key: hour, duration: 1h 30m}")


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("graph.steps.1.delay.durationSeconds", Place(8, 9)),
        ("graph.steps.1.delay.nothing", Place(6, 7)),
        ("graph.steps.2.alimtalk.variables.0.value", Place(12, 11)),
        ("graph.edges.2.to", Place(18, 22)),
        ("graph.steps.9", Place(4, 3)),
        ("title", Place(2, 1)),
        ("category", Place(1, 1)),
        ("", Place(1, 1)),
    ],
)
def test_a_place_in_the_input_is_a_place_in_the_file(path: str, place: Place) -> None:
    assert read_journey(CART).place_of(tuple(path.split("."))) == place


def test_what_is_inside_options_has_its_place_too() -> None:
    text = (
        "graph:\n  steps:\n    - sms:\n        options:\n          tags:\n            - a\n            - b\n"
    )
    assert read_journey(text).place_of(("graph", "steps", "0", "sms", "options", "tags", "1")) == Place(7, 15)


@pytest.mark.parametrize("wrong", ["soon", "90", "1h 1h", "-1h"])
def test_a_length_that_is_none_is_told_with_its_line(wrong: str) -> None:
    with pytest.raises(CannotRead) as refused:
        read_journey(CART.replace("1h 30m", wrong))
    (problem,) = refused.value.problems
    assert (problem.place, "1h 30m" in problem.message) == (Place(8, 9), True)


@pytest.mark.parametrize("text", ["", "[]", "journey", "- a"])
def test_what_is_no_object_is_no_journey(text: str) -> None:
    with pytest.raises(CannotRead, match="object"):
        read_journey(text)


def test_no_short_name_of_a_length_is_another_fields_name() -> None:
    for kind in inputs(GraphInput, set()):
        names = [field.spelled for field in fields_of(kind)]
        names += [short(field) for field in fields_of(kind) if field.is_length]
        assert len(names) == len(set(names)), kind


def inputs(kind: Any, seen: set[Any]) -> set[Any]:
    """Every input that a graph may hold."""
    kind = item_of(kind) or kind
    if is_input(kind) and kind not in seen:
        seen.add(kind)
        for field in fields_of(kind):
            inputs(field.type, seen)
    return seen


def test_the_file_in_the_docs_can_be_applied() -> None:
    page = (Path(__file__).parents[3] / "docs" / "journeys-as-files.md").read_text(encoding="utf-8")
    [text] = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    graph, problems = read_graph(to_data(from_variables(read_journey(text).variables["graph"])))
    assert (len(graph.steps), problems) == (4, [])
