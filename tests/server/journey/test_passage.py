"""A run's passage through a graph: from one wait to the next, in one go."""

from itertools import pairwise
from random import Random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from server.journey import passage
from server.journey.goals import DAY
from server.journey.graph import Graph, read_graph
from server.journey.moment import EndReason, Moment, Past
from server.journey.passage import SILENT, Passage, Visit, Waited
from server.journey.reading import Reader
from server.journey.waits import read_waiting
from tests.world import HOUR, NOON, abandoned_cart, line, step


def graph_of(data: dict[str, Any]) -> Graph:
    graph, problems = read_graph(data)
    assert problems == []
    return graph


def moment(at: int, *happened: str, **attributes: Any) -> Moment:
    """After what happened a moment ago, at a step to which the run came at noon."""

    def past(name: str) -> list[Past]:
        return [Past(at - 1, {})] if name in happened else []

    return Moment(at=at, attributes=attributes, past=past, arrived_at=NOON)


def test_a_run_waits_from_the_moment_of_its_arrival() -> None:
    graph = graph_of(abandoned_cart())
    taken = passage.enter(graph, graph.entries[0], moment(NOON))
    assert taken == Passage(
        visits=[Visit("cart", NOON, NOON, "next")], step_key="hour", arrived_at=NOON, wake_at=NOON + HOUR
    )


def test_a_wait_that_is_over_leads_on_to_the_end() -> None:
    graph = graph_of(abandoned_cart())
    at = NOON + HOUR
    taken = passage.wake(graph, "hour", moment(at))
    assert taken == Passage(
        visits=[
            Visit("hour", NOON, at, "next"),
            Visit("bought", at, at, "otherwise", saw={"did purchase": 0}),
            Visit("mail", at, at, "next", sends=True),
            Visit("done", at, at, end_reason=EndReason.COMPLETED),
        ],
        step_key="done",
        arrived_at=at,
        end_reason=EndReason.COMPLETED,
    )


def test_what_the_user_did_decides_the_branch_and_no_message_is_asked_for() -> None:
    graph = graph_of(abandoned_cart())
    taken = passage.wake(graph, "hour", moment(NOON + HOUR, "purchase"))
    assert [(visit.step_key, visit.output, visit.sends) for visit in taken.visits] == [
        ("hour", "next", False),
        ("bought", "yes", False),
        ("done", "", False),
    ]


def test_the_first_branch_that_holds_is_taken_with_all_or_any_of_its_conditions() -> None:
    def asks(name: str) -> dict[str, str]:
        return {"about": "attribute", "name": name, "operator": "exists"}

    which = step(
        "which",
        "split",
        branches=[
            {"output": "both", "match": "all", "conditions": [asks("a"), asks("b")]},
            {"output": "either", "match": "any", "conditions": [asks("a"), asks("b")]},
        ],
    )
    data = line(step("in", "entry_event", event="start"), which)
    data["steps"].append(step("out", "exit"))
    data["edges"] += [
        {"from": "which", "output": output, "to": "out"} for output in ("both", "either", "otherwise")
    ]
    graph = graph_of(data)

    def branch(**attributes: Any) -> str:
        return passage.enter(graph, graph.entries[0], moment(NOON, **attributes)).visits[1].output

    assert [branch(a=1, b=1), branch(a=1), branch(b=1), branch()] == ["both", "either", "either", "otherwise"]


def test_a_graph_that_was_never_checked_ends_a_run_that_walks_in_a_circle() -> None:
    asked = [{"about": "attribute", "name": "vip", "operator": "not_exists"}]
    data = line(
        step("in", "entry_event", event="start"),
        step("round", "split", branches=[{"output": "next", "conditions": asked}]),
    )
    data["edges"].append({"from": "round", "output": "next", "to": "round"})
    graph = read_graph(data)[0]
    taken = passage.enter(graph, graph.entries[0], moment(NOON))
    assert (taken.wake_at, taken.end_reason) == (None, EndReason.INTERNAL_ERROR)
    assert taken.visits[-1].because == "walked in a circle"


@st.composite
def sound_graphs(draw: st.DrawFn) -> dict[str, Any]:
    """Random graphs: edges lead forward, or back to a delay, so that every loop takes time."""
    kinds = draw(st.lists(st.sampled_from(["delay", "time_window", "split", "email"]), max_size=7))
    steps = [step("in", "entry_event", event="start")]
    for number, kind in enumerate(kinds):
        steps.append(step(f"s{number}", kind, **_config(draw, kind)))
    steps.append(step("out", "exit"))
    edges = []
    for place, one in enumerate(steps[:-1]):
        back = [other["key"] for other in steps[1 : place + 1] if _takes_time(other)]
        # The first output goes on by one, so that everything is reached; the others go wherever they may.
        edges.append({"from": one["key"], "output": _outputs(one)[0], "to": steps[place + 1]["key"]})
        anywhere = [other["key"] for other in steps[place + 1 :]] + back
        for output in _outputs(one)[1:]:
            edges.append({"from": one["key"], "output": output, "to": draw(st.sampled_from(anywhere))})
    return {"steps": steps, "edges": edges}


def _config(draw: st.DrawFn, kind: str) -> dict[str, Any]:
    if kind == "delay":
        return draw(
            st.fixed_dictionaries({"duration_ms": st.integers(1000, 40 * DAY)}) | st.sampled_from(WAITS)
        )
    if kind == "time_window":
        return {"windows": [{"weekdays": ["tuesday"], "from": "01:30", "until": "02:30"}]}
    if kind == "email":
        return {"connection": "mail", "subject": "Hello", "text": "Hello"}
    names = draw(st.lists(st.sampled_from("abcdef"), min_size=1, max_size=3, unique=True))
    asked = [{"about": "did", "event": "coin"}]
    return {"branches": [{"output": name, "conditions": asked} for name in names]}


WAITS: list[dict[str, Any]] = [
    {"clock_time": {"at": "02:30"}},
    {"clock_time": {"at": "02:30", "if_passed": "go_on"}},
    {"weekday_time": {"weekdays": ["sunday", "wednesday"], "at": "01:30"}},
    {"date_time": {"date": "2024-03-20", "at": "09:00", "if_passed": "leave"}},
    {"date_from": {"from": "attribute", "name": "born", "yearly": True, "if_unreadable": "leave"}},
    {"date_from": {"from": "attribute", "name": "ends", "days": -3, "if_passed": "go_on"}},
]


def _takes_time(one: dict[str, Any]) -> bool:
    return "duration_ms" in one or one in [{**one, **wait} for wait in (WAITS[0], WAITS[2])]


def _outputs(one: dict[str, Any]) -> list[str]:
    if one["kind"] == "delay":
        return list(read_waiting(Reader(one)).outputs())
    if one["kind"] == "split":
        return [*(branch["output"] for branch in one["branches"]), "otherwise"]
    return ["next"]


@given(sound_graphs(), st.randoms(use_true_random=False))
def test_a_run_walks_along_edges_through_time_and_is_at_any_moment_either_waiting_or_over(
    data: dict[str, Any], random: Random
) -> None:
    graph = graph_of(data)
    visits, taken, at = [], None, NOON
    for _ in range(50):

        def past(name: str, now: int = at) -> list[Past]:
            return [Past(now - 1, {})] if random.random() < 0.5 else []

        known = {"born": random.choice(["03-14", None]), "ends": random.choice(["2024-05-01", "2024-03-01"])}
        arrived = taken.arrived_at if taken else at
        now = Moment(at=at, attributes=known, past=past, arrived_at=arrived, zone="America/New_York")
        if taken is None:
            taken = passage.enter(graph, graph.entries[0], now)
        else:
            taken = passage.wake(graph, taken.step_key, now)
        visits += taken.visits
        assert (taken.wake_at is None) == (taken.end_reason is not None)
        if taken.wake_at is None:
            break
        assert graph.steps[taken.step_key].kind in ("delay", "time_window")
        assert taken.wake_at > at
        # Timers may fire late, never early.
        at = taken.wake_at + random.choice([0, 0, 1, DAY])
    _is_a_path(graph, visits, ended=taken is not None and taken.wake_at is None)


def _is_a_path(graph: Graph, visits: list[Visit], *, ended: bool) -> None:
    assert visits[0].step_key == "in"
    for one, following in pairwise(visits):
        assert graph.after(one.step_key, one.output).key == following.step_key
        assert one.arrived_at <= one.left_at == following.arrived_at
        assert one.end_reason is None
    assert visits[-1].arrived_at <= visits[-1].left_at
    assert (visits[-1].end_reason is not None) == ended
    assert (visits[-1].output == "") == ended


def test_who_waits_in_silence_and_moves_to_another_version_still_waits_for_its_end() -> None:
    night = [{"channels": ["email"], "ranges": [{"from": "19:00", "until": "08:00"}]}]
    graph = graph_of(abandoned_cart(silence=night))
    # Noon is 20:00 in Seoul.
    now = Moment(at=NOON + HOUR, arrived_at=NOON, zone="Asia/Seoul", memory={SILENT: True})
    taken = passage.move(graph, "mail", now, Waited(NOON, NOON + HOUR))
    assert (taken.visits, taken.step_key, taken.wake_at) == ([], "mail", NOON + 12 * HOUR)
    woken = Moment(at=NOON + 12 * HOUR, arrived_at=NOON, zone="Asia/Seoul", memory=taken.memory)
    assert [visit.sends for visit in passage.wake(graph, "mail", woken).visits] == [True, False]
