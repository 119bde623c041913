"""What texts ask for, and who brings it."""

import pytest

from server.journey.graph import read_graph
from server.journey.scopes import Scope, asked_by, bound_by, entries_to, row_names
from tests.world import reaching, saying, step


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("{{ coupon.code }}", {Scope.COUPON}),
        ("{% if coupon.expires_at %}x{% endif %}", {Scope.COUPON}),
        ("{{ row.branch }} {{ row['지점 이름'] }}", {Scope.UPLOAD}),
        ("{{ event.coupon }} {{ user.row }} coupon row", set()),
        ("{{ user.name | default: 'coupon' }} {{ user['coupon'] }} {{ coupons }}", set()),
    ],
)
def test_only_what_a_text_shows_is_asked_for(text: str, asked: set[Scope]) -> None:
    assert asked_by([text]) == asked


def test_the_columns_of_a_line_are_named() -> None:
    assert row_names(["{{ row.branch }} {{ row['지점 이름'] }} {{ row.지점 }}"]) == {
        "branch",
        "지점 이름",
        "지점",
    }


def test_an_entry_binds_what_everybody_brings_who_comes_in_by_it() -> None:
    graph, problems = read_graph(
        {
            "steps": [
                step("issued", "entry_event", event="쿠폰 발급"),
                step("bought", "entry_event", event="purchase"),
                step("list", "entry_audience", list="vip"),
                step("all", "entry_audience"),
                saying("alimtalk", "talk"),
                step("done", "exit"),
            ],
            "edges": [
                *({"from": one, "output": "next", "to": "talk"} for one in ("issued", "bought", "list")),
                {"from": "all", "output": "next", "to": "done"},
                {"from": "talk", "output": "next", "to": "done"},
            ],
        }
    )
    assert problems == []
    bound = {key: set(bound_by(graph.steps[key])) for key in ("issued", "bought", "list", "all")}
    assert bound == {"issued": {Scope.COUPON}, "bought": set(), "list": {Scope.UPLOAD}, "all": set()}
    assert [one.key for one in entries_to(graph, "talk")] == ["issued", "bought", "list"]


def test_a_loop_before_a_step_is_no_trouble() -> None:
    graph, _ = read_graph(reaching(step("wait", "delay", duration_ms=60_000)))
    assert [one.key for one in entries_to(graph, "done")] == ["entry"]
