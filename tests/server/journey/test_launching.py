"""When an audience is let in, and when each is."""

from typing import Any
from zoneinfo import available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.journey.launching import Launch, concerns, day_numbered, moment_of, next_launch
from server.journey.reading import Reader
from server.journey.steps import EntryAudience
from tests.world import DAY, HOUR, NOON

SEOUL = "Asia/Seoul"
MIDNIGHT = NOON - 20 * HOUR
"""Of 2024-03-13 in Seoul. NOON, as the world calls it, is 20:00 there."""
NINE = MIDNIGHT + 9 * HOUR


def entry(**config: Any) -> EntryAudience:
    reader = Reader({"key": "in", **config})
    found = EntryAudience.read(reader)
    assert reader.problems == []
    return found


def daily(**config: Any) -> EntryAudience:
    return entry(when={"kind": "every_days", "every": 1, "at": "09:00", "start": "2024-03-01"}, **config)


def once(day: str, **config: Any) -> EntryAudience:
    return entry(when={"kind": "once", "date": day, "at": "09:00"}, **config)


def launches(asked: EntryAudience, at: int, most: int = 3) -> list[int]:
    """When they are due."""
    found, last = [], None
    for _ in range(most):
        launch = next_launch(asked, at, SEOUL, last)
        if launch is None:
            break
        found.append(launch.due_at)
        last = launch.occurrence
    return found


def test_at_once_is_one_launch_at_that_moment() -> None:
    assert next_launch(entry(), NOON, SEOUL) == Launch(NOON, NOON)
    assert next_launch(entry(), NOON, SEOUL, NOON) is None


def test_every_day_from_the_next_time_on() -> None:
    assert launches(daily(), NINE) == [NINE, NINE + DAY, NINE + 2 * DAY]
    assert launches(daily(if_passed="skip"), NINE + 1) == [NINE + DAY, NINE + 2 * DAY, NINE + 3 * DAY]
    assert launches(daily(), NINE + 1) == [NINE + 1, NINE + DAY, NINE + 2 * DAY]


def test_a_day_that_has_passed() -> None:
    assert launches(once("2024-03-13"), NOON) == [NOON]
    assert launches(once("2024-03-10"), NOON) == [NOON]
    assert launches(once("2024-03-10", if_passed="next_day"), NOON) == [NINE + DAY]
    assert launches(once("2024-03-10", if_passed="skip"), NOON) == []
    assert launches(once("2024-03-15", if_passed="skip"), NOON) == [NINE + 2 * DAY]


def test_chosen_dates_and_weeks() -> None:
    dates = entry(when={"kind": "dates", "dates": ["2024-03-10", "2024-03-15", "2024-03-14"], "at": "09:00"})
    assert launches(dates, NOON) == [NINE + DAY, NINE + 2 * DAY]
    weekly = {"kind": "every_weeks", "every": 1, "weekdays": ["monday"], "start": "2024-03-01", "at": "09:00"}
    assert launches(entry(when=weekly), NOON, 2) == [NINE + 5 * DAY, NINE + 12 * DAY]


def test_in_the_persons_zone_it_begins_with_the_first_zone_on_earth() -> None:
    asked = once("2024-03-15", zone="person")
    launch = next_launch(asked, NOON, SEOUL)
    assert launch is not None
    day = day_numbered(launch.occurrence)
    assert launch.due_at == moment_of(asked, day, NOON, "Pacific/Kiritimati")
    seoul, london = (moment_of(asked, day, NOON, zone) for zone in (SEOUL, "Europe/London"))
    assert (seoul, london) == (NINE + 2 * DAY, NINE + 2 * DAY + 9 * HOUR)


@pytest.mark.parametrize(("policy", "seoul"), [("at_once", NOON), ("next_day", NINE + DAY), ("skip", None)])
def test_a_time_that_has_passed_for_some(policy: str, seoul: int | None) -> None:
    """At eight in the evening in Seoul it is seven in the morning in New York."""
    asked = once("2024-03-13", zone="person", if_passed=policy)
    launch = next_launch(asked, NOON, SEOUL)
    assert launch is not None
    assert launch.due_at == NOON
    day = day_numbered(launch.occurrence)
    assert moment_of(asked, day, NOON, SEOUL) == seoul
    assert moment_of(asked, day, NOON, "America/New_York") == NOON + 2 * HOUR


def test_a_day_before_the_start_concerns_nobody_to_whom_it_has_passed() -> None:
    asked = daily(zone="person")
    launch = next_launch(asked, NOON, SEOUL)
    assert launch is not None
    day = day_numbered(launch.occurrence)
    assert concerns(asked, day, NOON, "Etc/GMT+12")
    assert not concerns(asked, day_numbered(launch.occurrence - DAY), NOON, SEOUL)


ZONES = st.sampled_from(sorted(available_timezones()))


@given(
    st.integers(NOON - 400 * DAY, NOON + 400 * DAY),
    ZONES,
    ZONES,
    st.sampled_from(["at_once", "next_day", "skip"]),
    st.sampled_from(["project", "person"]),
)
def test_nobodys_moment_comes_before_the_launch_or_the_start(
    at: int, project: str, person: str, policy: str, zone: str
) -> None:
    asked = daily(zone=zone, if_passed=policy)
    launch = next_launch(asked, at, project)
    assert launch is not None
    assert launch.due_at >= at
    day = day_numbered(launch.occurrence)
    moment = moment_of(asked, day, at, person if zone == "person" else project)
    assert moment is None or moment >= launch.due_at


@pytest.mark.parametrize(
    ("config", "path"),
    [
        ({"segment": "a", "list": "b"}, ("list",)),
        ({"zone": "moon"}, ("zone",)),
        ({"if_passed": "cry"}, ("if_passed",)),
        ({"when": {"kind": "once", "at": "09:00"}}, ("when", "date")),
        ({"relaunches": "yes"}, ("relaunches",)),
    ],
)
def test_what_is_wrong_is_told_with_its_path(config: dict[str, Any], path: tuple[str, ...]) -> None:
    reader = Reader({"key": "in", **config})
    EntryAudience.read(reader)
    assert [problem.path for problem in reader.problems] == [path]
