from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.ingest.segment_time import DAY, TRAVEL_ALLOWED, occurred_at, to_instant

HOUR = 3_600_000
NINE = 1_795_334_400_000  # 2026-11-22T08:00:00Z


@pytest.mark.parametrize(
    ("written", "instant"),
    [
        ("2026-11-22T08:00:00Z", NINE),
        ("2026-11-22T08:00:00.000Z", NINE),
        ("2026-11-22T08:00:00.1Z", NINE + 100),
        ("2026-11-22T08:00:00.123456789Z", NINE + 123),
        ("2026-11-22T08:00:00.9999999999999999Z", NINE + 999),
        ("2026-11-22T08:00:00,5Z", NINE + 500),
        ("2026-11-22T08:00Z", NINE),
        ("2026-11-22t08:00:00z", NINE),
        (" 2026-11-22T08:00:00Z\n", NINE),
        ("2026-11-22 08:00:00", NINE),
        ("2026-11-22 08:00:00 UTC", NINE),
        ("2026-11-22T17:00:00+09:00", NINE),
        ("2026-11-22T17:00:00.000+0900", NINE),
        ("2026-11-22T17:00:00+09", NINE),
        ("2026-11-22T08:00:00.000-00:00", NINE),
        ("20261122T080000Z", NINE),
        ("2026-11-22", NINE - 8 * 3_600_000),
        ("20261122", NINE - 8 * 3_600_000),
        ("1969-12-31T23:59:59.999Z", -1),
        ("0001-01-01T00:00:00Z", -62_135_596_800_000),
        ("9999-12-31T23:59:59.999-12:00", 253_402_343_999_999),
        (NINE, NINE),
        (NINE // 1000, NINE),
        (NINE / 1000 + 0.5, NINE + 500),
        (float(NINE), NINE),
        (str(NINE), NINE),
        (str(NINE // 1000), NINE),
        ("1795334400.5", NINE + 500),
        (0, 0),
        (-1, -1000),
    ],
)
def test_every_spelling_of_a_time_is_read(written, instant):
    assert to_instant(written) == instant


@pytest.mark.parametrize(
    "written",
    [
        "",
        " ",
        "yesterday",
        "2026-13-01T00:00:00Z",
        "2026-11-31",
        "0000-01-01T00:00:00Z",
        "10000-01-01T00:00:00Z",
        "Sun Nov 22 2026",
        "08:00",
        "1e9",
        "-",
        ".",
        "²",
        "9" * 30,
        "12:",
        "\ud800",
        True,
        False,
        None,
        [],
        {},
        float("nan"),
        float("inf"),
        -float("inf"),
        10**400,
        10**17,
        b"2026-11-22",
    ],
)
def test_what_is_no_time_is_none(written):
    assert to_instant(written) is None


@settings(deadline=None)
@given(
    st.datetimes(),
    st.none() | st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes))),
)
def test_every_time_python_writes_is_read_to_the_millisecond(when, zone):
    exact = when.replace(tzinfo=zone or UTC) - datetime(1970, 1, 1, tzinfo=UTC)
    assert to_instant(when.replace(tzinfo=zone).isoformat()) == exact // timedelta(milliseconds=1)


@settings(deadline=None)
@given(st.text() | st.integers() | st.floats() | st.from_regex(r"[0-9:TZ.+ -]{1,30}"))
def test_nothing_makes_reading_fail(value):
    assert isinstance(to_instant(value), int | None)


@settings(deadline=None)
@given(
    st.integers(0, 2 * 10**12), st.integers(0, 10**9), st.integers(0, 10**6), st.integers(-(10**13), 10**13)
)
def test_a_wrong_clock_moves_an_event_by_no_more_than_the_way_takes(really_at, waited, travelled, wrong_by):
    sent_at = really_at + waited
    received_at = sent_at + travelled
    wrong = occurred_at(really_at + wrong_by, received_at=received_at, sent_at=sent_at + wrong_by)
    assert abs(wrong.at - really_at) <= travelled + TRAVEL_ALLOWED


def test_a_clock_an_hour_off_is_corrected_as_segment_specifies():
    assert occurred_at(NINE - HOUR, received_at=NINE + 300, sent_at=NINE - HOUR + 100) == (NINE + 200, False)


def test_a_request_of_some_seconds_is_no_wrong_clock():
    assert occurred_at(NINE, received_at=NINE + TRAVEL_ALLOWED, sent_at=NINE) == (NINE, False)
    assert occurred_at(NINE, received_at=NINE + TRAVEL_ALLOWED + 1, sent_at=NINE) == (
        NINE + TRAVEL_ALLOWED + 1,
        False,
    )


def test_a_message_without_a_time_happened_when_it_came():
    assert occurred_at(None, received_at=NINE, sent_at=NINE - 5) == (NINE, False)


def test_a_time_without_sent_at_is_believed_so_that_history_can_be_imported():
    assert occurred_at(NINE - 1000 * DAY, received_at=NINE, sent_at=None) == (NINE - 1000 * DAY, False)


@pytest.mark.parametrize("sent_at", [None, NINE])
def test_more_than_a_day_ahead_counts_as_received_and_is_flagged(sent_at):
    assert occurred_at(NINE + DAY, received_at=NINE, sent_at=sent_at) == (NINE + DAY, False)
    assert occurred_at(NINE + DAY + 1, received_at=NINE, sent_at=sent_at) == (NINE, True)
