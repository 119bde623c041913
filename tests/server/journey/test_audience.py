"""Segments: trees of questions, read and asked."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.journey.audience import (
    EVENT,
    Facts,
    Person,
    Question,
    Wants,
    Window,
    goes_in_circles,
    read_question,
    resolve,
    size_of,
)
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
    return Person(at=at, attributes={"plan": "vip"}, past=lambda facts: done.get(facts.name, []), **more)


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
    assert (wants.attributes, wants.lists, wants.facts) == (True, {"march"}, {Facts(EVENT, "order")})
    assert wants.since(10 * DAY, "UTC") == 9 * DAY + 1
    assert (wants | did().wants()).since(10 * DAY, "UTC") == 0
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
        ({"did": {"event": "a", "which": "second"}}, ("did", "which"), "invalid"),
        ({"did": {"event": "a", "window": {"since": "12.3."}}}, ("did", "window", "since"), "invalid"),
        (
            {"visited": {"window": {"last_days": 3, "before_last_days": 3}}},
            ("visited", "window", "before_last_days"),
            "invalid",
        ),
        (
            {"visited": {"window": {"since": "2024-03-02", "until": "2024-03-02"}}},
            ("visited", "window", "until"),
            "out_of_range",
        ),
        ({"visited": {"source": []}}, ("visited", "source"), "out_of_range"),
        ({"did_amount": {"event": "a", "of": "sum", "property": "b"}}, ("did_amount", "at_least"), "missing"),
        ({"entered_journey": {"journey": "x"}}, ("entered_journey", "journey"), "unknown_journey"),
        ({"message": {"act": "opened", "step": "a"}}, ("message", "journey"), "missing"),
        (
            {"ended_journey": {"journey": "Sm91cm5leTo1", "reasons": ["bored"]}},
            ("ended_journey", "reasons"),
            "invalid",
        ),
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


# Windows, first and last times, amounts

SEOUL = "Asia/Seoul"


def test_days_of_a_window_are_the_projects() -> None:
    """10 days after the epoch it is 9 o'clock in Seoul: today began nine hours ago."""
    at = 10 * DAY
    today = at - 9 * HOUR
    assert Window(last_days=1).bounds(at, SEOUL) == (today, at)
    assert Window(last_days=3, before_last_days=1).bounds(at, SEOUL) == (today - 2 * DAY, today - 1)
    assert Window(within_ms=DAY, before_ms=HOUR).bounds(at, SEOUL) == (9 * DAY + 1, at - HOUR)
    dates = read({"did": {"event": "order", "window": {"since": "1970-01-03", "until": "1970-01-05"}}})
    assert [dates.holds(person(when)) for when in (2 * DAY - 1, 2 * DAY, 4 * DAY - 1, 4 * DAY)] == [
        *(False, True, True, False)
    ]


def test_the_first_or_the_last_time_has_to_lie_in_the_window() -> None:
    def lately(which: str, *orders: int, **more: Any) -> bool:
        window = {"within_ms": 2 * DAY}
        return did(which=which, window=window, **more).holds(person(*orders))

    assert lately("every", 1, 9 * DAY)
    assert lately("last", 1, 9 * DAY)
    assert not lately("first", 1, 9 * DAY)
    assert lately("first", 9 * DAY)
    assert lately("first", 1, at_most=0), "not first lately"
    assert lately("first", at_most=0), "never at all"
    long_ago = did(which="last", window={"before_ms": 2 * DAY})
    assert [long_ago.holds(person(*some)) for some in ((1,), (1, 9 * DAY), ())] == [True, False, False]


def test_what_a_property_comes_to() -> None:
    def comes(of: str, *orders: int, **more: Any) -> bool:
        about = {"event": "order", "of": of, "property": "total", **more}
        return read({"did_amount": about}).holds(person(*orders))

    assert comes("sum", 1, 2, at_least=3)
    assert not comes("sum", 1, 2, at_least=3.5)
    assert comes("sum", at_most=0), "of nothing the sum is 0"
    assert comes("average", 1, 2, at_least=1.5, at_most=1.5)
    assert not comes("average", at_most=0)
    assert comes("min", 1, 2, at_most=1)
    assert comes("max", 1, 2, at_least=2)
    assert not comes("max", 1, 9 * DAY, at_least=2, window={"before_ms": 2 * DAY})


def test_a_visit_has_to_meet_all_that_is_asked_of_it() -> None:
    visits = [Past(1, {"source": "search", "device": "app"}), Past(2, {"source": "ad", "device": "pc_web"})]
    somebody = Person(at=9, attributes={}, past=lambda facts: visits if facts == Facts("visit") else ())
    assert read({"visited": {"source": ["search", "social"]}}).holds(somebody)
    assert not read({"visited": {"source": ["search"], "device": ["pc_web"]}}).holds(somebody)
    assert read({"visited": {"at_least": 2}}).holds(somebody)


# Segments in segments


def test_what_a_segment_names_comes_in_its_place() -> None:
    both = read({"all": [{"in_segment": "vip"}, {"not": {"in_segment": "gone"}}]})
    named = {"vip": read(VIP), "both": both}
    assert resolve(named["both"], named).holds(person())
    assert not resolve(read({"not": {"in_segment": "both"}}), named).holds(person())
    assert size_of("both", named) == 5


def test_circles_are_found_and_have_nobody_in_them() -> None:
    of_a = {"in_segment": "a"}
    named = {"a": read({"in_segment": "b"}), "b": read({"not": of_a}), "c": read(of_a)}
    assert [goes_in_circles(name, named) for name in "abc"] == [True, True, False]
    assert resolve(named["a"], named, frozenset("a")).holds(person()), "not of nobody"
