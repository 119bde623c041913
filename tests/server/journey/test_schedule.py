"""Plans of what happens at once, at a time, or again and again."""

from datetime import date, datetime, time
from itertools import islice
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.journey.local_time import Weekday, weekday_of
from server.journey.reading import Reader
from server.journey.schedule import EVERY_DAYS, EVERY_WEEKS, Schedule, read_schedule

SEOUL = "Asia/Seoul"


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp() * 1000)


def read(**data: Any) -> Schedule:
    reader = Reader(data)
    schedule = read_schedule(reader)
    assert reader.problems == []
    return schedule


def some(schedule: Schedule, since: str, most: int = 4) -> list[str]:
    return [str(day) for day in islice(schedule.days(date.fromisoformat(since)), most)]


def test_at_once_has_no_days() -> None:
    schedule = read(kind="at_once")
    assert schedule.is_at_once
    assert schedule.next_after(0, SEOUL) is None


def test_one_time_happens_once_and_in_every_zone_at_its_own_instant() -> None:
    schedule = read(kind="once", date="2026-12-24", at="09:00")
    assert schedule.next_after(0, SEOUL) == at("2026-12-24T09:00+09:00")
    assert schedule.next_after(0, "America/New_York") == at("2026-12-24T09:00-05:00")
    assert schedule.next_after(at("2026-12-24T09:00+09:00"), SEOUL) is None


def test_chosen_dates_come_in_order_and_once() -> None:
    schedule = read(kind="dates", dates=["2026-12-24", "2026-02-16", "2026-12-24"], at="09:00")
    assert some(schedule, "2026-01-01") == ["2026-02-16", "2026-12-24"]
    assert some(schedule, "2026-02-17") == ["2026-12-24"]


def test_every_third_day_counts_from_its_start() -> None:
    schedule = read(kind="every_days", every=3, start="2026-01-01", until="2026-01-11", at="09:00")
    assert some(schedule, "2020-01-01", 9) == ["2026-01-01", "2026-01-04", "2026-01-07", "2026-01-10"]
    assert some(schedule, "2026-01-05") == ["2026-01-07", "2026-01-10"]
    assert schedule.next_after(at("2026-01-10T09:00+09:00"), SEOUL) is None


def test_every_second_week_counts_from_the_week_of_its_start() -> None:
    schedule = read(
        kind="every_weeks", every=2, weekdays=["tuesday", "friday"], start="2026-01-01", at="09:00"
    )
    # The 1st of January 2026 is a Thursday.
    assert some(schedule, "2025-01-01", 5) == [
        "2026-01-02",
        "2026-01-13",
        "2026-01-16",
        "2026-01-27",
        "2026-01-30",
    ]
    assert some(schedule, "2026-01-14", 2) == ["2026-01-16", "2026-01-27"]


@given(
    st.integers(1, 60),
    st.dates(date(2001, 1, 1), date(2040, 1, 1)),
    st.dates(date(2001, 1, 1), date(2040, 1, 1)),
)
def test_days_are_the_same_wherever_one_begins_to_look(every: int, start: date, since: date) -> None:
    schedule = Schedule(EVERY_DAYS, time(9), every=every, start=start)
    found = list(islice(schedule.days(since), 3))
    assert all(day >= max(since, start) and (day - start).days % every == 0 for day in found)
    assert (found[0] - max(since, start)).days < every


@given(
    st.integers(1, 10),
    st.sets(st.sampled_from(list(Weekday)), min_size=1),
    st.dates(date(2001, 1, 1), date(2040, 1, 1)),
    st.dates(date(2001, 1, 1), date(2040, 1, 1)),
)
def test_weeks_are_the_same_wherever_one_begins_to_look(
    every: int, weekdays: set[Weekday], start: date, since: date
) -> None:
    schedule = Schedule(EVERY_WEEKS, time(9), every=every, weekdays=frozenset(weekdays), start=start)
    found = list(islice(schedule.days(since), 20))
    assert found == sorted(set(found))
    assert found[0] >= max(since, start)
    assert all(weekday_of(day) in weekdays for day in found)
    weeks = {(day.toordinal() - 1) // 7 - (start.toordinal() - 1) // 7 for day in found}
    assert all(week % every == 0 for week in weeks)
    assert len(weeks) >= 20 // len(weekdays)


@pytest.mark.parametrize(
    ("data", "key"),
    [
        ({"kind": "sometimes"}, "kind"),
        ({"kind": "once", "at": "09:00"}, "date"),
        ({"kind": "once", "date": "2026-12-24"}, "at"),
        ({"kind": "once", "date": "24.12.2026", "at": "09:00"}, "date"),
        ({"kind": "once", "date": "9999-12-31", "at": "09:00"}, "date"),
        ({"kind": "once", "date": "2026-12-24", "at": "9:00"}, "at"),
        ({"kind": "once", "date": "2026-12-24", "at": "24:00"}, "at"),
        ({"kind": "dates", "dates": [], "at": "09:00"}, "dates"),
        ({"kind": "dates", "dates": ["2026-02-30"], "at": "09:00"}, "dates"),
        ({"kind": "every_days", "every": 0, "start": "2026-01-01", "at": "09:00"}, "every"),
        (
            {"kind": "every_days", "every": 1, "start": "2026-01-02", "until": "2026-01-01", "at": "09:00"},
            "until",
        ),
        (
            {"kind": "every_weeks", "every": 1, "start": "2026-01-01", "weekdays": [], "at": "09:00"},
            "weekdays",
        ),
        (
            {"kind": "every_weeks", "every": 1, "start": "2026-01-01", "weekdays": ["x"], "at": "09:00"},
            "weekdays",
        ),
    ],
)
def test_what_is_wrong_is_told_where_it_is(data: dict[str, Any], key: str) -> None:
    reader = Reader(data)
    read_schedule(reader)
    assert [problem.path for problem in reader.problems] == [(key,)]
