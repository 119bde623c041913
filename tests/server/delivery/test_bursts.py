"""Hits of one message, judged together."""

from collections import Counter
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.delivery import bursts
from server.delivery.bursts import MOST_HITS, hear_hit, is_unjudged, judge, reasons, seen, to_hit
from server.delivery.status import hear

AT = 1_710_327_600_000


def hit(kind: str, seconds: float, link: str = "", actor: str = "human") -> bursts.Hit:
    return to_hit(kind, AT + round(seconds * 1000), actor, link and f"https://shop.example/{link}")


def click(seconds: float, link: str = "a", actor: str = "human") -> bursts.Hit:
    return hit("clicked", seconds, link, actor)


def opened(seconds: float, actor: str = "human") -> bursts.Hit:
    return hit("opened", seconds, actor=actor)


def trap(seconds: float) -> bursts.Hit:
    return hit("trapped", seconds, actor="machine")


HUMAN, BURST, TRAP, PAIR = ("human", ""), ("machine", "burst"), ("machine", "honeypot"), ("unsure", "pair")


@pytest.mark.parametrize(
    ("hits", "verdicts"),
    [
        ([click(0)], [HUMAN]),
        ([click(0), click(0.1), click(0.2)], [HUMAN, HUMAN, HUMAN]),
        ([click(0), click(1, "b"), click(3, "c")], [BURST, BURST, BURST]),
        ([click(0), click(1.5, "b"), click(3.1, "c")], [HUMAN, HUMAN, HUMAN]),
        ([click(0), click(0.5, "b"), click(1, "a")], [PAIR, PAIR, PAIR]),
        ([click(0), click(1.001, "b")], [HUMAN, HUMAN]),
        ([click(0), click(0.5, "")], [HUMAN, HUMAN]),
        ([click(0), click(0, "b", "unsure")], [PAIR, ("unsure", "")]),
        ([opened(-5), click(0), click(1, "b"), click(2, "c"), opened(7)], [BURST] * 5),
        ([opened(-5.1), click(0), click(1, "b"), click(2, "c"), click(7.1)], [HUMAN, *[BURST] * 3, HUMAN]),
        ([click(-5), opened(1), trap(0), click(5.1)], [TRAP, TRAP, HUMAN]),
        ([click(0, actor="machine"), trap(0)], [("machine", "")]),
        ([click(0, actor="unsure"), trap(0)], [TRAP]),
        ([trap(0)], []),
    ],
)
def test_hits_close_together_tell_who_was_there(hits: list[Any], verdicts: list[tuple[str, str]]) -> None:
    for order in permutations(hits):
        assert [(one.actor, one.why) for one in judge(order)] == verdicts


hits = st.builds(
    to_hit,
    st.sampled_from(["opened", "clicked", "clicked", "clicked", "trapped"]),
    st.integers(0, 40).map(lambda half: AT + half * 500),
    st.sampled_from(["human", "human", "machine", "unsure", ""]),
    st.sampled_from(["", "https://a.example/", "https://b.example/", "https://c.example/"]),
)


def told(heard: dict[str, Any], some: list[bursts.Hit]) -> Counter[Any]:
    """Hears them one by one. Returns what the changes add up to."""
    sums: Counter[Any] = Counter()
    for one in some:
        sums.update(hear_hit(heard, one))
        hear(heard, one.kind, one.at)
    return sums


@given(st.lists(hits, max_size=12).flatmap(lambda some: st.tuples(st.just(some), st.permutations(some))))
@pytest.mark.parametrize("most", [3, MOST_HITS])
def test_hits_add_up_to_the_same_in_any_order(most: int, both: tuple[list[Any], list[Any]]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bursts, "MOST_HITS", most)
        one: dict[str, Any] = {}
        other: dict[str, Any] = {}
        wanted = Counter((found.kind, found.actor, found.at) for found in judge(both[0]))
        for heard, some in ((one, both[0]), (other, both[1])):
            sums = told(heard, some)
            assert {key: n for key, n in sums.items() if n} == wanted
        assert one == other
        assert len(one.get(bursts.HITS, ())) <= most
        shown = {key: value for key, value in seen(one).items() if "/" in key}
        folded: dict[str, Any] = {}
        for kind, actor, at in wanted.elements():
            hear(folded, f"{kind}/{actor}", at)
        assert shown == folded


def test_beyond_the_bound_each_hit_stands_for_itself() -> None:
    heard: dict[str, Any] = {}
    told(heard, [opened(n) for n in range(MOST_HITS)])
    told(heard, [click(100, "a"), click(100, "b"), click(100, "c")])
    assert len(heard[bursts.HITS]) == MOST_HITS
    assert seen(heard)["clicked/human"][2] == 3
    told(heard, [trap(-1)])
    found = seen(heard)
    assert (found["opened/machine"][2], found["opened/human"][2]) == (5, MOST_HITS - 5)
    assert found["opened"][2] == MOST_HITS


def test_what_was_counted_without_the_list_goes_on_without_it() -> None:
    heard: dict[str, Any] = {"clicked": [AT, AT, 1], "clicked/human": [AT, AT, 1]}
    assert is_unjudged(heard)
    assert told(heard, [click(0, "b"), click(0, "c"), trap(0)]) == {("clicked", "human", AT): 2}
    assert seen(heard) == {
        "clicked": [AT, AT, 3],
        "clicked/human": [AT, AT, 3],
        "trapped": [AT, AT, 1],
    }
    assert reasons(heard) == {}


def test_what_moved_a_hit_is_told() -> None:
    heard: dict[str, Any] = {}
    told(heard, [click(0), trap(0), *(click(60, link) for link in "abc"), click(90), click(90, "b")])
    assert reasons(heard) == {"clicked/machine": "honeypot", "clicked/unsure": "pair"}
    assert reasons({}) == {}
