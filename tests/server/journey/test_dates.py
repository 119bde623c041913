"""Dates in attributes and properties, however customers keep them."""

from datetime import date, datetime, time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.journey.dates import (
    Found,
    Unreadable,
    Yearly,
    find_date,
    find_yearly,
    instant_near,
    next_anniversary,
)

SEOUL = "Asia/Seoul"
THE_13TH = date(2024, 3, 13)


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp() * 1000)


@pytest.mark.parametrize(
    ("value", "clock"),
    [
        ("2024-03-13", None),
        (" 2024-3-13 ", None),
        ("2024/03/13", None),
        ("2024. 3. 13.", None),
        ("20240313", None),
        (20240313, None),
        ("2024-03-13T20:00", time(20)),
        ("2024-03-13 20:00:00", time(20)),
        ("2024. 3. 13. 20:00", time(20)),
        ("20240313200000", time(20)),
        ("2024-03-13T11:00:00Z", time(20)),
        ("2024-03-13T11:00:00.000Z", time(20)),
        ("2024-03-13 07:00:00 -0400", time(20)),
        (1_710_327_600, time(20)),
        (1_710_327_600.0, time(20)),
        ("1710327600", time(20)),
        (1_710_327_600_000, time(20)),
        ("1710327600000", time(20)),
    ],
)
def test_a_date_is_read_in_the_persons_zone(value: Any, clock: time | None) -> None:
    assert find_date(value, SEOUL) == Found(THE_13TH, clock)


def test_a_zone_in_the_value_can_make_it_another_day() -> None:
    assert find_date("2024-03-12T20:00:00Z", SEOUL) == Found(THE_13TH, time(5))


@pytest.mark.parametrize(
    "value",
    [
        None,
        "",
        "soon",
        "13.03.2024",
        "03/13/2024",
        "2024-02-30",
        "2024-13-01",
        "2024-03-13T25:00",
        "2024-03-13 noon",
        "2024-03",
        "9999-12-31",
        "0001-01-01T00:00:00",
        "9999-12-31T23:59:59-12:00",
        True,
        0,
        7,
        -1,
        10**400,
        1e300,
        float("nan"),
        float("inf"),
        "9" * 400,
        ["2024-03-13"],
        {"date": "2024-03-13"},
    ],
    ids=lambda value: str(value)[:30],
)
def test_what_is_no_date_says_so(value: Any) -> None:
    found = find_date(value, SEOUL)
    assert isinstance(found, Unreadable)
    assert 0 < len(found.why) < 120


@given(st.text() | st.integers() | st.floats() | st.from_regex(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d.{0,8}"))
def test_whatever_it_is_it_is_read_or_refused(value: Any) -> None:
    found = find_date(value, "America/New_York")
    assert isinstance(found, Unreadable) or 1900 <= found.day.year <= 2199
    find_yearly(value, "America/New_York")


def test_so_many_days_before_at_a_time() -> None:
    found = Found(THE_13TH, time(20))
    assert instant_near(found, -3, time(9), SEOUL) == at("2024-03-10T09:00+09:00")
    assert instant_near(found, 1, None, SEOUL) == at("2024-03-14T20:00+09:00")
    assert instant_near(Found(THE_13TH, None), 0, None, SEOUL) == at("2024-03-13T00:00+09:00")


@pytest.mark.parametrize("value", ["1990-03-13", "03-13", "--03-13", "0313", 19900313])
def test_a_birthday_needs_no_year(value: Any) -> None:
    assert find_yearly(value, SEOUL) == Yearly(3, 13)


@pytest.mark.parametrize("value", ["02-30", "13-01", "birthday", None])
def test_what_is_no_day_of_a_year_says_so(value: Any) -> None:
    assert isinstance(find_yearly(value, SEOUL), Unreadable)


@pytest.mark.parametrize(
    ("now", "yearly", "days", "next_one"),
    [
        ("2024-03-13T08:59+09:00", Yearly(3, 13), 0, "2024-03-13T09:00+09:00"),
        ("2024-03-13T09:00+09:00", Yearly(3, 13), 0, "2025-03-13T09:00+09:00"),
        ("2024-12-30T12:00+09:00", Yearly(1, 3), -7, "2025-12-27T09:00+09:00"),
        ("2024-12-26T12:00+09:00", Yearly(1, 3), -7, "2024-12-27T09:00+09:00"),
        ("2024-12-30T12:00+09:00", Yearly(12, 28), 7, "2025-01-04T09:00+09:00"),
        ("2024-06-01T12:00+09:00", Yearly(2, 29), 0, "2025-02-28T09:00+09:00"),
        ("2027-06-01T12:00+09:00", Yearly(2, 29), 0, "2028-02-29T09:00+09:00"),
    ],
)
def test_the_next_birthday_is_the_next_one(now: str, yearly: Yearly, days: int, next_one: str) -> None:
    assert next_anniversary(at(now), yearly, days, time(9), SEOUL) == at(next_one)


@given(
    st.integers(0, 4_000_000_000_000), st.dates(date(2024, 1, 1), date(2024, 12, 31)), st.integers(-366, 366)
)
def test_a_birthday_comes_within_a_year(now: int, day: date, days: int) -> None:
    found = next_anniversary(now, Yearly(day.month, day.day), days, time(9), SEOUL)
    assert now < found <= now + 368 * 86_400_000
