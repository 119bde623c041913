"""Clock times, weekdays and calendar days in a zone, as instants."""

from datetime import date, datetime, time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.journey.local_time import (
    Weekday,
    exists,
    instant_of,
    last_instant_of,
    local_of,
    next_at,
    next_weekday_at,
    today_at,
    weekday_of,
)

SEOUL, NEW_YORK, APIA = "Asia/Seoul", "America/New_York", "Pacific/Apia"


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp() * 1000)


@pytest.mark.parametrize(
    ("day", "clock", "zone", "instant"),
    [
        ("2026-12-24", "09:00", SEOUL, "2026-12-24T09:00+09:00"),
        ("2024-03-10", "02:30", NEW_YORK, "2024-03-10T03:00-04:00"),
        ("2024-03-10", "03:00", NEW_YORK, "2024-03-10T03:00-04:00"),
        ("2024-11-03", "01:30", NEW_YORK, "2024-11-03T01:30-04:00"),
        ("2024-04-26", "00:00", "Africa/Cairo", "2024-04-26T01:00+03:00"),
        ("2024-10-06", "02:10", "Australia/Lord_Howe", "2024-10-06T02:30+11:00"),
        ("2011-12-30", "12:00", APIA, "2011-12-31T00:00+14:00"),
    ],
)
def test_a_clock_time_of_a_day_is_an_instant(day: str, clock: str, zone: str, instant: str) -> None:
    assert instant_of(date.fromisoformat(day), time.fromisoformat(clock), zone) == at(instant)


def test_what_comes_twice_has_a_last_time() -> None:
    day = date(2024, 11, 3)
    assert last_instant_of(day, time(1, 30), NEW_YORK) == at("2024-11-03T01:30-05:00")
    assert last_instant_of(day, time(9), NEW_YORK) == instant_of(day, time(9), NEW_YORK)


def test_samoa_left_a_day_out() -> None:
    assert [exists(date(2011, 12, n), APIA) for n in (29, 30, 31)] == [True, False, True]
    evening = at("2011-12-29T20:00-10:00")
    assert next_at(evening, time(9), APIA) == at("2011-12-31T09:00+14:00")


def test_today_may_have_passed_and_next_never_has() -> None:
    now = at("2026-11-30T09:00+09:00")
    assert today_at(now, time(8), SEOUL) == at("2026-11-30T08:00+09:00")
    assert next_at(now, time(9), SEOUL) == at("2026-12-01T09:00+09:00")
    assert next_at(now - 1, time(9), SEOUL) == now


def test_next_monday_is_today_until_its_time_has_come() -> None:
    monday = at("2026-11-30T09:00+09:00")
    assert weekday_of(date(2026, 11, 30)) is Weekday.MONDAY
    assert next_weekday_at(monday - 1, [Weekday.MONDAY], time(9), SEOUL) == monday
    assert next_weekday_at(monday, [Weekday.MONDAY], time(9), SEOUL) == at("2026-12-07T09:00+09:00")
    both = [Weekday.MONDAY, Weekday.THURSDAY]
    assert next_weekday_at(monday, both, time(9), SEOUL) == at("2026-12-03T09:00+09:00")


def test_what_is_today_is_said_by_the_zone() -> None:
    now = at("2026-11-30T23:30+00:00")
    assert next_at(now, time(9), "UTC") == at("2026-12-01T09:00+00:00")
    assert next_at(now, time(9), SEOUL) == at("2026-12-01T09:00+09:00")


@given(
    st.integers(0, 4_102_444_800_000),
    st.sampled_from([SEOUL, NEW_YORK, "Africa/Cairo", "Asia/Kathmandu", "Antarctica/Troll", "UTC"]),
    st.times(),
)
def test_next_is_later_and_shown_by_the_clock_or_skipped_by_it(now: int, zone: str, clock: time) -> None:
    clock = clock.replace(second=0, microsecond=0)
    found = next_at(now, clock, zone)
    assert now < found <= now + 2 * 86_400_000
    shown = local_of(found, zone).time()
    assert shown == clock or local_of(found - 1, zone).time() < clock
