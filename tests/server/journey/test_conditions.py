"""Comparisons and conditions."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.journey.conditions import OPERATORS, Condition, holds, look_up, read_condition, read_predicates
from server.journey.moment import Did, Moment, Past, Predicate
from server.journey.reading import Reader

NESTED = {"plan": "gold", "address": {"city": "서울", "lines": ["1", "2"]}, "a.b": 1, "a": {"b": 2}}


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("plan", "gold"),
        ("address.city", "서울"),
        ("address.street", None),
        ("address.city.part", None),
        ("address.lines.0", None),
        ("missing", None),
        ("a.b", 1),
        ("", None),
    ],
)
def test_a_dotted_name_looks_into_objects_and_an_exact_name_goes_first(name: str, found: Any) -> None:
    assert look_up(NESTED, name) == found


@pytest.mark.parametrize(
    ("operator", "found", "wanted", "true"),
    [
        ("equals", 1, 1, True),
        ("equals", 1, 1.0, True),
        ("equals", True, 1, False),
        ("equals", 0, False, False),
        ("equals", True, True, True),
        ("equals", "1", 1, False),
        ("equals", None, "x", False),
        ("not_equals", True, 1, True),
        ("not_equals", "x", "x", False),
        ("not_equals", None, "x", True),
        ("greater", 2, 1, True),
        ("greater", 1, 1, False),
        ("greater", "b", "a", True),
        ("greater", "2", 1, False),
        ("greater", True, 0, False),
        ("greater", None, 0, False),
        ("at_least", 1, 1, True),
        ("at_least", 0.99, 1, False),
        ("less", 1, 2, True),
        ("less", None, 2, False),
        ("at_most", 2, 2, True),
        ("at_most", [1], 2, False),
        ("contains", "shopping", "shop", True),
        ("contains", "shopping", 1, False),
        ("contains", [1, 2], 2, True),
        ("contains", [1, 2], True, False),
        ("contains", {"a": 1}, "a", False),
        ("contains", None, "a", False),
        ("starts_with", "shopping", "shop", True),
        ("starts_with", "shopping", "ping", False),
        ("starts_with", 12, 1, False),
        ("one_of", "a", ["a", "b"], True),
        ("one_of", 1, [True], False),
        ("one_of", "a", "abc", False),
        ("exists", 0, None, True),
        ("exists", False, None, True),
        ("exists", None, None, False),
        ("not_exists", None, None, True),
        ("not_exists", "", None, False),
    ],
)
def test_an_operator_compares(operator: str, found: Any, wanted: Any, true: bool) -> None:
    assert holds(Predicate("it", operator, wanted), {"it": found}) is true


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)


@given(st.sampled_from(sorted(OPERATORS)), ANYTHING, ANYTHING)
def test_whatever_customers_send_a_comparison_answers_and_never_fails(
    operator: str, found: Any, wanted: Any
) -> None:
    assert holds(Predicate("it", operator, wanted), {"it": found}) in (True, False)


def _moment(attributes: dict[str, Any], properties: dict[str, Any], *happened: str) -> Moment:
    def past(name: str) -> list[Past]:
        return [Past(1, {})] if name in happened else []

    return Moment(at=2, attributes=attributes, properties=properties, past=past)


def test_a_condition_asks_the_attributes_the_entry_event_or_the_past() -> None:
    moment = _moment({"plan": "gold"}, {"total": 5}, "purchase")
    assert Condition("attribute", Predicate("plan", "equals", "gold")).holds(moment)
    assert not Condition("property", Predicate("plan", "equals", "gold")).holds(moment)
    assert Condition("property", Predicate("total", "equals", 5)).holds(moment)
    assert Condition("did", Did("purchase")).holds(moment)
    assert not Condition("did", Did("refund")).holds(moment)


def test_conditions_are_read_with_what_they_ask() -> None:
    reader = Reader({"about": "did", "event": "purchase", "where": [{"name": "n", "operator": "exists"}]})
    assert read_condition(reader) == Condition("did", Did("purchase", (Predicate("n", "exists"),)))
    assert reader.problems == []


@pytest.mark.parametrize(
    ("data", "path"),
    [
        ({"operator": "equals", "value": 1}, "name"),
        ({"name": "n", "operator": "resembles", "value": 1}, "operator"),
        ({"name": "n", "operator": "equals"}, "value"),
        ({"name": "n", "operator": "one_of", "value": "abc"}, "value"),
        ({"name": "n", "operator": "one_of"}, "value"),
    ],
)
def test_a_predicate_with_one_fault_gives_one_problem_at_its_path(data: Any, path: str) -> None:
    reader = Reader({"where": [data]})
    read_predicates(reader)
    assert [problem.path for problem in reader.problems] == [("where", 0, path)]


def test_a_condition_about_nothing_known_is_one_problem() -> None:
    reader = Reader({"about": "the weather"})
    read_condition(reader)
    assert [problem.path for problem in reader.problems] == [("about",)]
