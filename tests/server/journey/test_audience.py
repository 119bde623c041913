"""Segments: trees of questions, read and asked."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.journey.audience import Person, Question, Wants, read_question
from server.journey.moment import Past
from server.journey.reading import Reader
from tests.world import DAY, HOUR

VIP = {"attribute": {"name": "plan", "operator": "equals", "value": "vip"}}


def read(data: Any) -> Question:
    reader = Reader(data)
    question = read_question(reader)
    assert reader.problems == []
    return question


def problems(data: Any) -> list[tuple[Any, str]]:
    reader = Reader(data)
    read_question(reader)
    return [(problem.path, problem.code) for problem in reader.problems]


def person(*orders: int, at: int = 10 * DAY, **more: Any) -> Person:
    done = {"order": [Past(when, {"total": when}) for when in orders]}
    return Person(at=at, attributes={"plan": "vip"}, past=lambda name: done.get(name, []), **more)


def did(**more: Any) -> Question:
    return read({"did": {"event": "order", **more}})


def test_questions_are_put_together_by_all_any_and_not() -> None:
    never = {"not": VIP}
    assert read({"all": [VIP, VIP]}).holds(person())
    assert not read({"all": [VIP, never]}).holds(person())
    assert read({"any": [never, VIP]}).holds(person())
    assert not read({"any": [never, never]}).holds(person())


def test_how_often_and_in_which_time() -> None:
    assert did().holds(person(1))
    assert not did().holds(person())
    assert did(at_most=0).holds(person())
    assert not did(at_most=0).holds(person(1))
    assert did(at_least=2, at_most=3).holds(person(1, 2))
    assert not did(at_least=2, at_most=3).holds(person(1, 2, 3, 4))
    assert did(within_ms=DAY).holds(person(9 * DAY + 1))
    assert not did(within_ms=DAY).holds(person(9 * DAY))
    dear = [{"name": "total", "operator": "at_least", "value": 5}]
    assert not did(where=dear).holds(person(4))
    assert did(where=dear).holds(person(5))


def test_as_of_a_moment_only_what_had_happened_by_then_counts() -> None:
    assert did().holds(person(HOUR, at=HOUR))
    assert not did().holds(person(HOUR + 1, at=HOUR))


def test_lists_and_channels() -> None:
    assert read({"in_list": "march"}).holds(person(lists={"march"}))
    assert not read({"in_list": "march"}).holds(person(lists={"april"}))
    reaches = {"email": "", "sms": "no address"}.__getitem__
    assert read({"reachable_on": "email"}).holds(person(reaches=reaches))
    assert not read({"reachable_on": "sms"}).holds(person(reaches=reaches))


def test_a_tree_says_what_has_to_be_known() -> None:
    tree = read({"any": [VIP, {"in_list": "march"}, {"not": {"did": {"event": "order", "within_ms": DAY}}}]})
    wants = tree.wants()
    assert (wants.attributes, wants.lists, wants.events) == (True, {"march"}, {"order"})
    assert wants.since(10 * DAY) == 9 * DAY
    assert (wants | did().wants()).since(10 * DAY) == 0
    assert read({"reachable_on": "sms"}).wants() == Wants(channels=frozenset(("sms",)))


@pytest.mark.parametrize(
    ("data", "path", "code"),
    [
        ({}, (), "invalid"),
        ({"all": [VIP], "any": [VIP]}, (), "invalid"),
        ({"all": []}, ("all",), "out_of_range"),
        ({"all": [VIP, {"did": {}}]}, ("all", 1, "did", "event"), "missing"),
        (
            {"not": {"attribute": {"name": "a", "operator": "?"}}},
            ("not", "attribute", "operator"),
            "invalid",
        ),
        ({"did": {"event": "a", "at_least": 3, "at_most": 2}}, ("did", "at_most"), "out_of_range"),
        ({"did": {"event": "a", "within_ms": 5}}, ("did", "within_ms"), "out_of_range"),
        ({"in_list": 7}, ("in_list",), "invalid"),
        ("everybody", (), "invalid"),
    ],
)
def test_what_is_wrong_is_told_with_its_path(data: Any, path: tuple[Any, ...], code: str) -> None:
    assert (path, code) in problems(data)


def test_a_tree_has_bounds() -> None:
    deep: Any = VIP
    for _ in range(6):
        deep = {"not": deep}
    assert [code for _, code in problems(deep)] == ["out_of_range"]
    wide = {"all": [{"any": [VIP] * 20}] * 5}
    assert ((), "out_of_range") in problems(wide)


leaves = st.sampled_from([VIP, {"did": {"event": "order"}}, {"in_list": "march"}])
trees = st.recursive(
    leaves,
    lambda inner: st.one_of(
        inner.map(lambda one: {"not": one}),
        st.lists(inner, min_size=1, max_size=3).map(lambda some: {"all": some}),
        st.lists(inner, min_size=1, max_size=3).map(lambda some: {"any": some}),
    ),
    max_leaves=5,
).filter(lambda tree: problems(tree) == [])
people = st.builds(
    lambda orders, lists: person(*orders, lists=lists),
    st.lists(st.integers(0, 11 * DAY), max_size=2),
    st.sets(st.sampled_from(["march"])),
)


@given(trees, people)
def test_what_holds_does_not_hold_turned_round(tree: Any, somebody: Person) -> None:
    holds = read(tree).holds(somebody)
    if problems({"not": tree}) == []:
        assert read({"not": tree}).holds(somebody) is not holds
    if problems({"all": [tree]}) == []:
        assert read({"all": [tree]}).holds(somebody) is read({"any": [tree]}).holds(somebody) is holds
