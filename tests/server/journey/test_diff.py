"""What has changed between two drawings: nothing is left out, nothing is made up."""

from copy import deepcopy
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from server.journey.diff import Change, EdgeChange, FieldChange, GraphDiff, ItemChange, diff
from tests.world import HOUR, abandoned_cart, step

VALUES: st.SearchStrategy[Any] = st.recursive(
    st.booleans() | st.integers(-2, 2) | st.sampled_from("ab"),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("xy"), inner, max_size=2),
    max_leaves=5,
)
ITEMS = st.lists(
    st.builds(
        lambda key, more: {"key": key, **more}, st.sampled_from("abc"), st.dictionaries(st.just("v"), VALUES)
    ),
    max_size=3,
    unique_by=lambda item: item["key"],
)
EDGES = st.lists(
    st.fixed_dictionaries({name: st.sampled_from("ab") for name in ("from", "output", "to")}),
    max_size=4,
    unique_by=lambda edge: (edge["from"], edge["output"]),
)
DRAWINGS = st.fixed_dictionaries({"steps": ITEMS, "edges": EDGES, "goals": ITEMS, "reentry": VALUES})


def test_a_drawing_is_no_different_from_itself_however_it_is_ordered() -> None:
    old, new = abandoned_cart(), abandoned_cart()
    new["steps"].reverse()
    new["edges"].reverse()
    assert diff(old, new) == GraphDiff()
    assert diff(old, new).is_empty


def test_everything_that_has_changed_is_told() -> None:
    old, new = abandoned_cart(), abandoned_cart(reentry="never")
    steps = {one["key"]: one for one in new["steps"]}
    steps["hour"]["duration_ms"] = 2 * HOUR
    steps["bought"]["branches"][0]["conditions"][0]["event"] = "order"
    new["steps"] = [one for one in new["steps"] if one["key"] != "mail"] + [step("sms", "sms", text="Hi")]
    new["edges"][3] = {"from": "bought", "output": "otherwise", "to": "sms"}
    new["edges"][4] = {"from": "sms", "output": "next", "to": "done"}
    new["goals"] = []
    found = diff(old, new)
    assert found.steps == (
        ItemChange(Change.CHANGED, "hour", steps["hour"], (FieldChange(("duration_ms",), HOUR, 2 * HOUR),)),
        ItemChange(
            Change.CHANGED,
            "bought",
            steps["bought"],
            (FieldChange(("branches", "0", "conditions", "0", "event"), "purchase", "order"),),
        ),
        ItemChange(Change.ADDED, "sms", new["steps"][-1]),
        ItemChange(Change.REMOVED, "mail", old["steps"][3]),
    )
    assert found.edges == (
        EdgeChange(Change.CHANGED, "bought", "otherwise", "mail", "sms"),
        EdgeChange(Change.ADDED, "sms", "next", None, "done"),
        EdgeChange(Change.REMOVED, "mail", "next", "done", None),
    )
    assert found.goals == (ItemChange(Change.REMOVED, "bought", old["goals"][0]),)
    assert found.settings == (FieldChange(("reentry",), None, "never"),)


def test_true_is_not_one() -> None:
    old = {"steps": [step("a", "split", value=True)]}
    new = {"steps": [step("a", "split", value=1)]}
    assert diff(old, new).steps[0].fields == (FieldChange(("value",), True, 1),)


@given(DRAWINGS, DRAWINGS)
def test_there_and_back_is_the_same_the_other_way_round(old: dict[str, Any], new: dict[str, Any]) -> None:
    there, back = diff(old, new), diff(new, old)
    assert there.is_empty == back.is_empty
    assert {(edge.source, edge.output, edge.old_target, edge.new_target) for edge in there.edges} == {
        (edge.source, edge.output, edge.new_target, edge.old_target) for edge in back.edges
    }
    for forth, other in ((there.steps, back.steps), (there.goals, back.goals)):
        assert {one.key for one in forth} == {one.key for one in other}
    assert {(one.path, repr(one.old), repr(one.new)) for one in there.settings} == {
        (one.path, repr(one.new), repr(one.old)) for one in back.settings
    }


@given(DRAWINGS, DRAWINGS)
def test_what_is_told_makes_the_new_drawing_of_the_old(old: dict[str, Any], new: dict[str, Any]) -> None:
    found = diff(old, new)
    for name in ("steps", "goals"):
        made = {item["key"]: deepcopy(item) for item in old[name]}
        for one in getattr(found, name):
            if one.change is Change.REMOVED:
                del made[one.key]
            elif one.change is Change.ADDED:
                made[one.key] = one.item
            else:
                for field in one.fields:
                    put(made[one.key], field)
        wanted = {item["key"]: item for item in new[name]}
        assert repr(sorted_deep(made)) == repr(sorted_deep(wanted))


def put(item: Any, change: FieldChange) -> None:
    *way, last = change.path
    for part in way:
        item = item[int(part)] if isinstance(item, list) else item[part]
    if isinstance(item, list):
        item[int(last)] = change.new
    elif change.new is None:
        item.pop(last, None)
    else:
        item[last] = change.new


def sorted_deep(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: sorted_deep(value[name]) for name in sorted(value)}
    return [sorted_deep(one) for one in value] if isinstance(value, list) else value
