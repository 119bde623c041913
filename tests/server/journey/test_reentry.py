"""Who may come in again."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.journey.graph import read_graph
from server.journey.reading import Reader
from server.journey.reentry import ANY_TIME, MOST_OPEN, Again, Barred, Earlier, Reentry, Since, read_reentry
from tests.world import DAY, HOUR, line, step


def read(**data: Any) -> Reentry:
    reader = Reader(data)
    rules = read_reentry(reader)
    assert reader.problems == []
    return rules


def problems(**data: Any) -> list[tuple[Any, str]]:
    graph = line(step("in", "entry_event", event="a"), step("out", "exit"), **data)
    return [(problem.path, problem.code) for problem in read_graph(graph)[1]]


OVER, OPEN = Earlier(0, HOUR, ""), Earlier(0, None, "")


def test_a_graph_that_says_nothing_lets_everybody_in_again_who_has_left() -> None:
    assert read() == read(reentry="after_leaving") == ANY_TIME
    assert ANY_TIME.bars([], "", 0) is None
    assert ANY_TIME.bars([OVER], "", HOUR) is None
    assert ANY_TIME.bars([OVER, OPEN], "", HOUR) is Barred.ALREADY_INSIDE


def test_never_is_never() -> None:
    assert read(reentry="never").bars([OVER], "", 300 * DAY) is Barred.ENTERED_BEFORE


def test_a_time_counts_from_leaving_or_from_entry() -> None:
    leaving = read(reentry_rules={"after_ms": DAY})
    assert leaving.bars([OVER], "", DAY + HOUR - 1) is Barred.TOO_SOON
    assert leaving.bars([OVER], "", DAY + HOUR) is None
    entry = read(reentry_rules={"after_ms": DAY, "since": "entry"})
    assert entry.bars([OVER], "", DAY - 1) is Barred.TOO_SOON
    assert entry.bars([OVER], "", DAY) is None


def test_so_many_entries_in_a_period() -> None:
    rules = read(reentry_rules={"most": 2, "within_ms": DAY})
    runs = [Earlier(0, 1, ""), Earlier(HOUR, HOUR + 1, "")]
    assert rules.bars(runs, "", DAY - 1) is Barred.TOO_OFTEN
    assert rules.bars(runs, "", DAY) is None


def test_each_value_has_a_run_of_its_own_and_so_many_at_once() -> None:
    rules = read(reentry_rules={"one_per": "order.id"})
    assert rules.value_of({"order": {"id": 7}}) == "7"
    assert rules.value_of({"order": {}}) == rules.value_of({"order": {"id": [7]}}) == ""
    assert rules.bars([Earlier(0, None, "7")], "7", 1) is Barred.ALREADY_INSIDE
    assert rules.bars([Earlier(0, None, "7")], "8", 1) is None
    many = [Earlier(0, None, str(n)) for n in range(MOST_OPEN)]
    assert rules.bars(many, "new", 1) is Barred.TOO_OFTEN
    assert read(reentry="never", reentry_rules={"one_per": "id"}).bars([OVER], "8", 1) is None


@pytest.mark.parametrize(
    ("data", "path", "code"),
    [
        ({"reentry_rules": {"most": 2}}, ("reentry_rules", "within_ms"), "missing"),
        ({"reentry_rules": {"within_ms": DAY}}, ("reentry_rules", "most"), "missing"),
        ({"reentry_rules": {"after_ms": 1}}, ("reentry_rules", "after_ms"), "out_of_range"),
        ({"reentry": "never", "reentry_rules": {"after_ms": DAY}}, ("reentry_rules", "after_ms"), "invalid"),
        ({"reentry_rules": {"since": "birth"}}, ("reentry_rules", "since"), "invalid"),
        ({"reentry_rules": 7}, ("reentry_rules",), "invalid"),
    ],
)
def test_what_is_wrong_is_told_with_its_path(data: dict[str, Any], path: tuple[str, ...], code: str) -> None:
    assert problems(**data) == [(path, code)]


instants = st.integers(0, 20)
spans = st.tuples(instants, st.integers(0, 5)).map(lambda pair: Earlier(pair[0], sum(pair), ""))


@given(st.lists(spans, max_size=6), instants, st.integers(0, 6), st.integers(0, 3), st.integers(1, 9))
def test_rules_only_ever_bar_more(runs: list[Earlier], at: int, after: int, most: int, within: int) -> None:
    """Whoever a stricter rule lets in, a milder one lets in, too."""
    strict = Reentry(after_ms=after, most=most, within_ms=within)
    if strict.bars(runs, "", at) is None:
        assert Reentry(after_ms=max(0, after - 1)).bars(runs, "", at) is None
        assert Reentry(after_ms=after, since=Since.ENTRY).bars(runs, "", at) is None
        assert Reentry(most=most and most + 1, within_ms=within).bars(runs, "", at) is None
    if Reentry(again=Again.NEVER).bars(runs, "", at) is None:
        assert runs == []
