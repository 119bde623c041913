"""Random graphs that can be published, of every kind of step that walks people on."""

from typing import Any

from hypothesis import strategies as st

from server.journey.graph import read_graph
from tests.world import DAY, HOUR, MINUTE, step

Data = dict[str, Any]
EVENTS = ("view", "purchase", "leave")
names = st.sampled_from(EVENTS)
spans = st.sampled_from([MINUTE, HOUR, 5 * HOUR, DAY, 3 * DAY])

_TWO = ("one", "two")
_CONDITIONS = st.one_of(
    names.map(lambda name: {"about": "did", "event": name}),
    names.map(lambda name: {"about": "did", "event": name, "ever": True, "at_least": 2}),
    st.just({"about": "attribute", "name": "vip", "operator": "exists"}),
    st.just({"about": "property", "name": "total", "operator": "at_least", "value": 5}),
)
_SHARES = st.sampled_from([(50, 50), (90, 10), (1, 99)])


def _branches(draw: st.DrawFn, inner: st.SearchStrategy[Any], field: str) -> list[Data]:
    return [
        {"output": output, field: draw(st.lists(inner, min_size=1, max_size=2)), "match": draw(matches)}
        for output in _TWO[: draw(st.integers(1, 2))]
    ]


matches = st.sampled_from(["all", "any"])


def _wait(draw: st.DrawFn) -> Data:
    events = names.map(lambda name: {"event": name})
    about = {"longest_ms": draw(spans), "always_full": draw(st.booleans())}
    return {**about, "branches": _branches(draw, events, "events")}


def _shares(draw: st.DrawFn) -> Data:
    shares = draw(_SHARES)
    return {"branches": [{"output": o, "percent": p} for o, p in zip(_TWO, shares, strict=True)]}


def _mail(draw: st.DrawFn) -> Data:
    outcome = draw(
        st.fixed_dictionaries(
            {},
            optional={
                "split_by": st.sampled_from(["delivered", "opened", "clicked"]),
                "if_not_sent": st.sampled_from(["go_on", "end", "branch"]),
            },
        )
    )
    return {"connection": "mail", "subject": "Hello", "text": "Hello, {{ user.name }}", **outcome}


_MADE: dict[str, Any] = {
    "delay": lambda draw: {"duration_ms": draw(spans)},
    "wait": _wait,
    "split": lambda draw: {"branches": _branches(draw, _CONDITIONS, "conditions")},
    "email": _mail,
    "reachability": lambda draw: {"channel": "email"},
    "update_user": lambda draw: {"changes": [{"attribute": "vip", "value": True}]},
    "random_split": _shares,
    "ab_split": _shares,
    "time_window": lambda draw: {
        "windows": [{"weekdays": ["monday", "wednesday", "sunday"], "from": "09:00", "until": "18:00"}]
    },
}
KINDS = sorted(_MADE)


@st.composite
def graphs(draw: st.DrawFn) -> Data:
    """Edges lead forward, or back to a step that always takes time, so that every loop does."""
    kinds = draw(st.lists(st.sampled_from(KINDS), min_size=1, max_size=6))
    steps = [step("in", "entry_event", event="sign_up")]
    steps += [step(f"s{place}", kind, **_MADE[kind](draw)) for place, kind in enumerate(kinds)]
    steps.append(step("out", "exit"))
    data: Data = {"steps": steps, "edges": _edges(draw, steps), "goals": draw(goals)}
    data["cancel_events"] = draw(st.sampled_from([[], [{"event": "leave"}]]))
    data["reentry"] = draw(st.sampled_from(["after_leaving", "never"]))
    problems = read_graph(data)[1]
    assert not problems, problems
    return data


goals = st.lists(
    st.fixed_dictionaries(
        {"event": names, "window_ms": st.sampled_from([0, DAY, 7 * DAY])},
        optional={"ends_journey": st.booleans(), "amount_property": st.just("total")},
    ),
    max_size=2,
).map(lambda found: [{"key": f"g{place}", **goal} for place, goal in enumerate(found)])


def _edges(draw: st.DrawFn, steps: list[Data]) -> list[Data]:
    edges = []
    sound = read_graph({"steps": steps})[0].steps
    for place, one in enumerate(steps[:-1]):
        outputs = sound[one["key"]].outputs()
        # The first output goes on by one, so that everything is reached.
        edges.append({"from": one["key"], "output": outputs[0], "to": steps[place + 1]["key"]})
        back = [other["key"] for other in steps[1 : place + 1] if sound[other["key"]].takes_time]
        anywhere = [*(other["key"] for other in steps[place + 1 :]), *back]
        for output in outputs[1:]:
            edges.append({"from": one["key"], "output": output, "to": draw(st.sampled_from(anywhere))})
    return edges
