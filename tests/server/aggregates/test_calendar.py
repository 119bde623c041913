"""Hours and days of a project."""

from calendar import monthrange
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.aggregates.calendar import (
    ALL_TIME,
    ENTERED,
    FIRST_HOUR,
    HAPPENED,
    counting,
    covering,
    day_of,
    hour_of,
    spans,
    spans_of_hours,
    start_of,
)
from server.clock import HOUR, MINUTE

ZONES = [
    "UTC",
    "Asia/Seoul",
    "Asia/Kathmandu",
    "Asia/Kolkata",
    "Australia/Lord_Howe",
    "America/New_York",
    "America/St_Johns",
    "Africa/Cairo",
    "Pacific/Apia",
]
SINCE_2000 = st.integers(946_728_000_000, 2_208_988_800_000)


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp() * 1000)


@pytest.mark.parametrize(
    ("zone", "moment", "hour", "day"),
    [
        ("Asia/Seoul", "2024-03-13T23:59:59.999+09:00", "2024-03-13T23:00+09:00", 20240313),
        ("Asia/Seoul", "2024-03-14T00:00+09:00", "2024-03-14T00:00+09:00", 20240314),
        ("Asia/Kathmandu", "2024-03-14T00:10+05:45", "2024-03-14T00:00+05:45", 20240314),
        ("Australia/Lord_Howe", "2024-04-06T23:45+11:00", "2024-04-06T23:00+11:00", 20240406),
        ("America/New_York", "2024-03-10T03:30-04:00", "2024-03-10T03:00-04:00", 20240310),
        ("America/New_York", "2024-11-03T01:30-05:00", "2024-11-03T01:00-05:00", 20241103),
    ],
)
def test_an_instant_falls_into_the_hour_and_the_day_of_the_projects_zone(
    zone: str, moment: str, hour: str, day: int
) -> None:
    assert hour_of(at(moment), zone) == at(hour)
    assert day_of(at(moment), zone) == day


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("moment", [0, 1, -1, -62_104_060_800_000, 3_600_000, 946_000_000_000])
def test_what_is_told_of_an_earlier_time_is_counted_at_the_beginning(zone: str, moment: int) -> None:
    """As an hour it would be written with the digits of a day, a month or of all time, and count twice."""
    assert day_of(moment, zone) == 20000101
    assert hour_of(moment, zone) > FIRST_HOUR
    assert len({span for _, span in spans_of_hours(hour_of(moment, zone), hour_of(moment, zone), zone)}) == 4


@given(SINCE_2000, st.sampled_from(ZONES))
def test_an_hour_holds_its_instant_and_lies_within_one_day(moment: int, zone: str) -> None:
    hour = hour_of(moment, zone)
    assert hour <= moment < hour + HOUR
    assert day_of(hour, zone) == day_of(moment, zone)


@given(SINCE_2000, st.sampled_from(ZONES))
def test_a_day_is_what_the_calendar_of_the_zone_says(moment: int, zone: str) -> None:
    local = datetime.fromtimestamp(moment / 1000, ZoneInfo(zone))
    assert day_of(moment, zone) == int(f"{local:%Y%m%d}")


@given(st.dates(date(2000, 1, 2), date(2039, 12, 31)), st.sampled_from(ZONES))
def test_a_day_begins_at_its_first_instant(day: date, zone: str) -> None:
    if (zone, day) == ("Pacific/Apia", date(2011, 12, 30)):
        return  # Samoa left this day out altogether.
    start = start_of(day, zone)
    assert day_of(start, zone) == int(f"{day:%Y%m%d}")
    assert day_of(start - 1, zone) < int(f"{day:%Y%m%d}")


def test_a_day_that_begins_at_one_o_clock_begins_there() -> None:
    # Cairo goes forward at midnight.
    assert start_of(date(2024, 4, 26), "Africa/Cairo") == at("2024-04-26T01:00+03:00")


def test_what_happens_falls_into_days_and_months_of_both_clocks_and_once_into_all_time() -> None:
    assert spans(20240313, 20240229) == (
        (HAPPENED, 20240313),
        (HAPPENED, 202403),
        (HAPPENED, ALL_TIME),
        (ENTERED, 20240229),
        (ENTERED, 202402),
    )


@given(st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1)), st.sampled_from(ZONES))
def test_no_hour_can_be_taken_for_a_day_or_a_month(at: datetime, zone: str) -> None:
    hour = hour_of(int(at.replace(tzinfo=UTC).timestamp() * 1000), zone)
    coarse = [span for _, span in spans_of_hours(hour, hour, zone)[2:]]
    assert hour > FIRST_HOUR > max(coarse)


@given(st.dates(date(2015, 1, 1), date(2030, 1, 1)), st.integers(0, 800))
def test_days_and_months_cover_a_period_exactly_once(first: date, length: int) -> None:
    last = first + timedelta(days=length)
    days: list[int] = []
    for level in covering(first, last):
        days += [level] if level > 999_999 else _days_of_month(level)
    wanted = [first + timedelta(days=n) for n in range(length)]
    assert days == [int(f"{day:%Y%m%d}") for day in wanted]


def _days_of_month(month: int) -> list[int]:
    day = date(month // 100, month % 100, 1)
    found = []
    while day.month == month % 100:
        found.append(int(f"{day:%Y%m%d}"))
        day += timedelta(days=1)
    return found


def test_whole_months_are_read_as_months() -> None:
    assert covering(date(2024, 1, 31), date(2024, 4, 2)) == [20240131, 202402, 202403, 20240401]


def test_utc_hours_are_whole_hours() -> None:
    moment = int(datetime(2024, 3, 13, 11, 59, tzinfo=UTC).timestamp() * 1000)
    assert hour_of(moment, "UTC") == moment - 59 * MINUTE


@given(st.dates(date(2001, 1, 1), date(2099, 1, 1)), st.integers(1, 500), st.integers(-40, 600))
def test_what_is_added_less_what_is_taken_away_is_every_day_once(first: date, days: int, passed: int) -> None:
    last = first + timedelta(days=days)
    added, taken = counting(first, last, first + timedelta(days=passed))
    found = Counter(day for span in added for day in days_of(span))
    found.subtract(day for span in taken for day in days_of(span))
    wanted = {int(f"{first + timedelta(days=number):%Y%m%d}") for number in range(days)}
    assert {day: n for day, n in found.items() if n} == dict.fromkeys(wanted, 1)


def test_a_month_that_is_nearly_whole_is_counted_by_what_it_lacks() -> None:
    today = date(2024, 3, 28)
    assert counting(date(2024, 3, 1), date(2024, 3, 29), today) == ([202403], [20240329, 20240330, 20240331])
    assert counting(date(2024, 2, 3), date(2024, 3, 2), today) == ([202402, 20240301], [20240201, 20240202])
    assert counting(date(2024, 2, 27), date(2024, 2, 29), today) == ([20240227, 20240228], [])


def days_of(span: int) -> list[int]:
    """The days of a stored day or month."""
    if span > 999_912:
        return [span]
    return [span * 100 + day for day in range(1, monthrange(span // 100, span % 100)[1] + 1)]
