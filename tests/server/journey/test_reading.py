"""A graph is read as a whole: whatever is wrong is told at once, each with its path."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.journey.graph import MOST_STEPS, read_graph
from tests.world import HOUR, abandoned_cart, line, step

ENTRY = step("in", "entry_event", event="start")
EXIT = step("out", "exit")


def problems(graph: Any) -> list[tuple[tuple[str | int, ...], str]]:
    return [(problem.path, problem.code) for problem in read_graph(graph)[1]]


def edge(source: str, output: str, target: str) -> dict[str, str]:
    return {"from": source, "output": output, "to": target}


def split(key: str, *outputs: str) -> dict[str, Any]:
    asked = [{"about": "attribute", "name": "vip", "operator": "exists"}]
    return step(key, "split", branches=[{"output": output, "conditions": asked} for output in outputs])


def test_a_sound_graph_has_no_problems() -> None:
    assert problems(abandoned_cart()) == []
    assert problems(line(ENTRY, EXIT)) == []


def test_every_fault_gives_its_problem_at_its_path_all_at_once() -> None:
    graph = {
        "steps": [
            step("in", "entry_event"),
            step("wait", "delay", duration_ms=1),
            step("", "exit"),
            step("mail", "email", connection="mail", subject="Hello"),
            step("odd", "teleport"),
            step("two words", "exit"),
            step("in", "exit"),
        ],
        "edges": [edge("in", "next", "nowhere"), {"from": "wait", "to": "mail"}],
        "goals": [{"key": "bought"}],
        "reentry": "sometimes",
    }
    found = read_graph(graph)[1]
    assert sorted((problem.path for problem in found), key=str) == sorted(
        [
            ("steps", 0, "event"),
            ("steps", 1, "duration_ms"),
            ("steps", 2, "key"),
            ("steps", 3, "html"),
            ("steps", 4, "kind"),
            ("steps", 5, "key"),
            ("steps", 6, "key"),
            ("edges", 0, "to"),
            ("edges", 1, "output"),
            ("goals", 0, "event"),
            ("reentry",),
        ],
        key=str,
    )
    assert all(problem.message.endswith(".") for problem in found)


@pytest.mark.parametrize(
    ("graph", "path", "code"),
    [
        (None, (), "invalid"),
        ([], (), "invalid"),
        ({}, ("steps",), "missing"),
        ({"steps": []}, ("steps",), "out_of_range"),
        ({"steps": "all"}, ("steps",), "invalid"),
        ({"steps": [ENTRY, EXIT], "edges": "all"}, ("edges",), "invalid"),
        (line(EXIT), ("steps",), "no_entry"),
        (line(ENTRY, EXIT, reentry="daily"), ("reentry",), "invalid"),
        (line(ENTRY, {**EXIT, "position": {"x": 1}}), ("steps", 1, "position"), "invalid"),
        (line(ENTRY, {**EXIT, "title": "t" * 201}), ("steps", 1, "title"), "too_long"),
        (line(ENTRY, step("d", "delay"), EXIT), ("steps", 1), "missing"),
        (line(ENTRY, step("d", "delay", duration_ms=True), EXIT), ("steps", 1, "duration_ms"), "invalid"),
        (line(ENTRY, step("d", "delay", duration_ms=9e9), EXIT), ("steps", 1, "duration_ms"), "invalid"),
        (line(ENTRY, EXIT, goals=[{"key": "g", "event": "e", "ends_journey": 1}]),
         ("goals", 0, "ends_journey"), "invalid"),
        (line(ENTRY, EXIT, goals=[{"key": "g", "event": "e"}] * 2), ("goals", 1, "key"), "duplicate"),
    ],
)  # fmt: skip
def test_one_fault_is_one_problem(graph: Any, path: tuple[str | int, ...], code: str) -> None:
    assert problems(graph) == [(path, code)]


def test_an_output_that_leads_nowhere_is_loose() -> None:
    graph = {"steps": [ENTRY, split("which", "yes"), EXIT], "edges": [edge("in", "next", "which")]}
    graph["edges"].append(edge("which", "otherwise", "out"))
    found = read_graph(graph)[1]
    assert [(problem.path, problem.code) for problem in found] == [(("steps", 1), "loose_output")]
    assert found[0].message == "Output 'yes' of step 'which' leads nowhere."


def test_an_output_leads_to_one_step_only() -> None:
    graph = line(ENTRY, EXIT)
    graph["edges"].append(edge("in", "next", "out"))
    assert problems(graph) == [(("edges", 1), "duplicate")]


def test_an_edge_from_an_output_that_is_none_is_told_with_those_there_are() -> None:
    graph = line(ENTRY, EXIT)
    graph["edges"].append(edge("in", "yes", "out"))
    [problem] = read_graph(graph)[1]
    assert problem.path == ("edges", 1, "output")
    assert problem.message == "Step 'in' has no output 'yes'; its outputs: next."


def test_nothing_leads_into_an_entry() -> None:
    other = step("in2", "entry_event", event="other")
    graph = {"steps": [ENTRY, other, EXIT], "edges": [edge("in", "next", "in2"), edge("in2", "next", "out")]}
    assert problems(graph) == [(("edges", 0, "to"), "leads_to_entry")]


@pytest.mark.parametrize("output", ["yes", "otherwise"])
def test_the_outputs_of_a_split_are_told_apart(output: str) -> None:
    graph = {
        "steps": [ENTRY, split("which", "yes", output), EXIT],
        "edges": [
            edge("in", "next", "which"),
            edge("which", "yes", "out"),
            edge("which", "otherwise", "out"),
        ],
    }
    assert problems(graph) == [(("steps", 1, "branches", 1, "output"), "duplicate")]


def test_a_step_that_no_entry_leads_to_is_unreachable() -> None:
    graph = line(ENTRY, EXIT)
    graph["steps"].append(step("island", "exit"))
    assert problems(graph) == [(("steps", 2), "unreachable")]


def test_a_loop_must_take_time_and_is_told_once_at_a_step_of_the_loop() -> None:
    graph = {
        "steps": [ENTRY, split("a", "on", "leave"), split("b", "back"), EXIT],
        "edges": [
            edge("in", "next", "a"),
            edge("a", "on", "b"),
            edge("a", "leave", "out"),
            edge("a", "otherwise", "out"),
            edge("b", "back", "a"),
            edge("b", "otherwise", "out"),
        ],
    }
    assert problems(graph) == [(("steps", 1), "loop")]
    graph["steps"].append(step("pause", "delay", duration_ms=HOUR))
    graph["edges"][4]["to"] = "pause"
    graph["edges"].append(edge("pause", "next", "a"))
    assert problems(graph) == []


def test_every_loop_is_told_also_where_they_share_a_beginning() -> None:
    graph = {
        "steps": [ENTRY, split("fork", "left"), split("l", "again"), split("r", "again"), EXIT],
        "edges": [
            edge("in", "next", "fork"),
            edge("fork", "left", "l"),
            edge("fork", "otherwise", "r"),
            edge("l", "again", "l"),
            edge("l", "otherwise", "out"),
            edge("r", "again", "r"),
            edge("r", "otherwise", "out"),
        ],
    }
    assert problems(graph) == [(("steps", 2), "loop"), (("steps", 3), "loop")]


def test_a_journey_has_a_largest_size() -> None:
    graph = line(ENTRY, *(step(f"s{n}", "delay", duration_ms=HOUR) for n in range(MOST_STEPS - 1)), EXIT)
    assert problems(graph) == [(("steps",), "out_of_range")]


ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.sampled_from(["in", "out", "split"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                ["steps", "edges", "goals", "kind", "key", "from", "to", "output", "branches", "where"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)


@given(ODD)
def test_whatever_is_handed_over_is_answered_with_problems_and_not_with_an_error(data: Any) -> None:
    assert read_graph(data)[1]
