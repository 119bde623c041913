"""Random conditions over the lives of `lives.py`."""

from typing import Any

from hypothesis import strategies as st

from server.global_ids import global_id
from tests.world import DAY, HOUR, MINUTE

attributes = st.sampled_from(
    [
        ("plan", "equals", "vip"),
        ("plan", "not_equals", "vip"),
        ("plan", "exists", None),
        ("plan", "not_exists", None),
        ("age", "at_least", 30),
        ("age", "equals", 30),
        ("age", "one_of", [20, 40.5]),
        ("tags", "contains", "b"),
        ("address.city", "equals", "서울"),
        ("address.city", "not_exists", None),
        ("email", "equals", "1@example.com"),
        ("email", "starts_with", "2"),
        ("nothing", "not_equals", 1),
    ]
).map(lambda told: {"attribute": dict(zip(("name", "operator", "value"), told, strict=True))})


def _in(window: Any) -> dict[str, Any]:
    return {"window": window} if window else {}


_windows = st.sampled_from(
    [
        None,
        None,
        {"last_days": 1},
        {"last_days": 3},
        {"last_days": 4, "before_last_days": 1},
        {"before_last_days": 2},
        {"within_ms": 2 * DAY},
        {"before_ms": DAY + HOUR},
        {"within_ms": 3 * DAY, "before_ms": 30 * MINUTE},
        {"since": "2024-03-15"},
        {"until": "2024-03-16"},
        {"since": "2024-03-14", "until": "2024-03-17"},
        {"since": "2024-01-01"},
    ]
)
_counts = st.sampled_from(
    [{}, {}, {"at_most": 0}, {"at_least": 2}, {"at_least": 2, "at_most": 3}, {"at_most": 1}, {"at_least": 0}]
)
_EVENTS = ("order", "view", "Home", "$page", "never")
_ACTS = ("sent", "delivered", "opened", "clicked")
_which = st.sampled_from(["every", "every", "first", "last"])
_times = st.builds(
    lambda window, count, which: {**_in(window), **count, "which": which},
    _windows,
    _counts,
    _which,
)


def _over(name: str, *about: dict[str, Any]) -> st.SearchStrategy[Any]:
    return st.builds(lambda one, times: {name: {**one, **times}}, st.sampled_from(about), _times)


def conditions(journey: int) -> st.SearchStrategy[Any]:
    here = {"journey": global_id("Journey", journey)}
    dear = {"where": [{"name": "total", "operator": "at_least", "value": 10}]}
    leaves = st.one_of(
        attributes,
        _over(
            "did",
            *({"event": name} for name in ("order", "view", "Home", "$page", "never")),
            {"event": "order", **dear},
        ),
        st.builds(
            lambda of, bound, window: {
                "did_amount": {
                    "event": "order",
                    "of": of,
                    "property": "total",
                    **bound,
                    **({"window": window} if window else {}),
                }
            },
            st.sampled_from(["sum", "average", "min", "max"]),
            st.sampled_from([{"at_least": 10}, {"at_most": 20.5}, {"at_most": 0}]),
            _windows,
        ),
        _over(
            "visited",
            {},
            {"source": ["search"]},
            {"device": ["mobile_web"]},
            {"campaign": ["spring", "autumn"]},
            {"landing": ["shop.example/item/1"]},
            {"source": ["search", "direct"], "device": ["pc_web"]},
        ),
        _over("entered_journey", here),
        _over("ended_journey", here, {**here, "reasons": ["completed"]}),
        _over("passed_step", {**here, "step": "wait"}, {**here, "step": "wait", "output": "next"}),
        _over("reached_goal", here, {**here, "goal": "bought"}),
        _over(
            "message",
            *({"act": act} for act in ("sent", "delivered", "opened", "clicked")),
            {"act": "sent", **here},
        ),
        _over("purchased", {}, {"kept": True}, {"product": ["a"]}),
        st.builds(
            lambda about, window: {"spent": {**about, **_in(window)}},
            st.sampled_from(
                [
                    {"currency": "KRW", "at_least": 20},
                    {"currency": "KRW", "at_most": 10.5},
                    {"currency": "USD", "at_most": 0, "net": True},
                    {"currency": "KRW", "of": "max", "at_least": 100},
                ]
            ),
            _windows,
        ),
        _windows.map(lambda window: {"signed_up": _in(window)}),
        _over("coupon", {"act": "used"}, {"act": "usable"}, {"act": "used", "coupon": ["SPRING"]}),
        st.sampled_from([{"inside_journey": here}, {"inside_journey": {**here, "step": "wait"}}]),
        st.sampled_from([{"in_list": "march"}, {"in_list": "april"}, {"reachable_on": "email"}]),
    )
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            inner.map(lambda one: {"not": one}),
            st.lists(inner, min_size=1, max_size=3).map(lambda some: {"all": some}),
            st.lists(inner, min_size=1, max_size=3).map(lambda some: {"any": some}),
        ),
        max_leaves=4,
    )
