"""What of a rehearsal can be said wrongly, all of it told at once."""

from typing import Any

import pytest

from server.rehearsal.plan import After
from server.rehearsal.reading import Setting, read_plan
from tests.world import DAY, HOUR, MINUTE, NOON, abandoned_cart


def told(said: dict[str, Any]) -> list[tuple[str, str]]:
    problems = read_plan({"people": [{"count": 1}], **said}, Setting(abandoned_cart(), NOON))[1]
    return [(".".join(map(str, one.path)), one.message) for one in problems]


@pytest.mark.parametrize(
    ("said", "where", "what"),
    [
        ({"peopel": []}, "peopel", "There is no `peopel` here"),
        ({"people": []}, "people", "1 to 1000 people"),
        ({"people": [{"count": 600}, {"count": 600}]}, "people", "found 1001"),
        ({"people": [{"name": "kim"}, {"name": "kim"}]}, "people", "Two people are called 'kim'"),
        ({"people": [{"attributes": []}]}, "people.0.attributes", "must be an object"),
        ({"people": [{"channels": "email"}]}, "people.0.channels", "a list of at most 20 texts"),
        ({"people": [{"events": [{"event": "x", "at": "noon"}]}]}, "people.0.events.0.at", "found 'noon'"),
        ({"events": [{"event": "x"}]}, "events.0.who", "`who` is missing"),
        ({"events": [{"who": "kim", "event": "x", "at": "40d"}]}, "people", "after the end"),
        ({"until": "401d"}, "until", "at most 400 days"),
        ({"until": "2024-03-13"}, "until", "ends after it begins"),
        ({"start": "yesterday"}, "start", "a time like"),
        ({"zone": "Asia/Nowhere"}, "zone", "A time zone like Asia/Seoul"),
        ({"rates": {"opend": 1}}, "rates.opend", "An object was wanted"),
        ({"rates": {"all": {"opend": 1}}}, "rates.all.opend", "There is no `opend` here"),
        ({"rates": {"opened": 40}}, "rates.opened", "a share from 0 to 1"),
        ({"rates": {"opened_within": "soon"}}, "rates.opened_within", "a length of time"),
        ({"habits": [{"event": "x", "step": "y"}]}, "habits.0.step", "There is no step 'y'"),
        ({"habits": [{"event": "x", "soonest": "2h", "latest": "1h"}]}, "habits.0.latest", "not lie before"),
        ({"wall_seconds": 1000}, "wall_seconds", "between 1 and 120"),
    ],
)
def test_every_fault_is_told_with_its_place(said: dict[str, Any], where: str, what: str) -> None:
    [(path, message)] = told(said)
    assert (path, what in message) == (where, True), message


def test_lengths_and_times_are_read_in_every_spelling() -> None:
    said = {
        "start": "2024-03-13T20:00:00+09:00",
        "until": 86_400,
        "events": [
            {"who": "kim", "event": "a", "at": "1h 30m"},
            {"who": "kim", "event": "b", "at": "2024-03-13T21:00:00+09:00"},
            {"who": "kim", "event": "c"},
        ],
        "habits": [{"event": "d", "after": "opened", "soonest": 60, "latest": "2m"}],
        "rates": {"all": {"opened_within": "1d"}},
    }
    plan, problems = read_plan(said, Setting(abandoned_cart(), 0))
    assert problems == []
    assert (plan.start, plan.until) == (NOON, NOON + DAY)
    assert [act.at - NOON for act in plan.people[0].acts] == [HOUR + HOUR // 2, HOUR, 1]
    [habit] = plan.habits
    assert (habit.after, habit.soonest_ms, habit.latest_ms) == (After.OPENED, MINUTE, 2 * MINUTE)
    assert plan.rates_for("mail", "email").opened_within_ms == DAY


def test_whoever_has_nothing_to_do_does_what_the_journey_begins_with() -> None:
    plan, problems = read_plan(
        {"people": [{"count": 2}, {"name": "kim", "events": [{"event": "other"}]}]},
        Setting(abandoned_cart(), NOON),
    )
    assert problems == []
    assert [[act.event for act in one.acts] for one in plan.people] == [["add_to_cart"]] * 2 + [["other"]]
    assert [one.name for one in plan.people] == ["person-1", "person-2", "kim"]
