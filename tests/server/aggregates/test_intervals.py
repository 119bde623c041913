"""The intervals of a chart: every one of them, also on days on which clocks change."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.aggregates.ask import HOURS, Answer, Span, SpanCount
from server.aggregates.calendar import hour_of, start_of
from server.aggregates.charts import Chart, Line, points
from server.aggregates.intervals import MOST, intervals
from server.aggregates.metrics import Metric
from server.aggregates.series import DAY, HOUR, WEEK, beginning_of
from server.clock import HOUR as LENGTH
from server.errors import BadInput

ZONES = ["UTC", "Asia/Seoul", "Asia/Kathmandu", "Australia/Lord_Howe", "America/New_York", "Africa/Cairo"]
DAYS = st.dates(date(2015, 1, 1), date(2025, 12, 1))
FAR = 4_102_444_800_000


@given(DAYS, st.integers(1, 6), st.sampled_from(ZONES))
def test_every_hour_of_a_span_is_there_and_no_other(first: date, days: int, zone: str) -> None:
    span = Span(zone, first, first + timedelta(days=days))
    found = intervals(span, HOUR, None, FAR)
    assert found == sorted(set(found))
    begin, end = start_of(first, zone), start_of(first + timedelta(days=days), zone)
    quarters = range(begin, end, 15 * 60_000)
    assert set(found) == {hour_of(at, zone) for at in quarters}
    assert len(found) in range(24 * days - 2, 24 * days + 3)


@given(DAYS, st.integers(1, 60), st.sampled_from(ZONES))
def test_days_and_weeks_begin_where_their_counts_are_put(first: date, days: int, zone: str) -> None:
    span = Span(zone, first, first + timedelta(days=days))
    every_day = intervals(span, DAY, None, FAR)
    assert every_day == [start_of(first + timedelta(days=n), zone) for n in range(days)]
    weeks = intervals(span, WEEK, None, FAR)
    assert weeks == sorted({beginning_of(at, WEEK, zone) for at in every_day})
    assert {datetime.fromtimestamp(at / 1000, ZoneInfo(zone)).weekday() for at in weeks} == {0}


@pytest.mark.parametrize(("day", "hours"), [("2024-03-10", 23), ("2024-11-03", 25), ("2024-06-01", 24)])
def test_a_day_on_which_clocks_change_is_shorter_or_longer(day: str, hours: int) -> None:
    first = date.fromisoformat(day)
    span = Span("America/New_York", first, first + timedelta(days=1))
    assert len(intervals(span, HOUR, None, FAR)) == hours


def test_nothing_lies_ahead_of_now_and_nothing_before_what_came_first() -> None:
    zone, first = "Asia/Seoul", date(2024, 3, 1)
    now = start_of(date(2024, 3, 4), zone) + 5
    assert len(intervals(Span(zone, first), DAY, None, now)) == 4
    assert len(intervals(Span(zone, first, date(2024, 3, 3)), DAY, None, now)) == 2
    assert len(intervals(Span(zone), DAY, start_of(date(2024, 3, 2), zone), now)) == 3
    assert intervals(Span(zone), DAY, None, now) == []


def test_a_series_without_end_is_refused() -> None:
    with pytest.raises(BadInput, match=f"at most {MOST:,} points"):
        intervals(Span("UTC", date(2000, 1, 1)), HOUR, None, FAR)


@pytest.mark.parametrize("fill", [False, True])
def test_nobody_gets_every_hour_of_years(fill: bool) -> None:
    counts = [SpanCount(n * LENGTH, "sent", "", "", "email", "", 1, 0) for n in range(MOST + 1)]
    chart = Chart(HOUR, fill, Span("UTC"), FAR)
    most = Answer(series={HOURS: counts[:MOST]})
    assert len(list(points(most, Line(Metric.SENT), chart._replace(now=counts[-2].at)))) == MOST
    with pytest.raises(BadInput, match=f"at most {MOST:,} points"):
        list(points(Answer(series={HOURS: counts}), Line(Metric.SENT), chart))
