"""What went wrong with cohort reports elsewhere, each as a test.

The reports that these come from are public: users of other products have told of each of them.
"""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from server.aggregates.calendar import start_of
from server.cohorts.buckets import bucket_of, periods
from server.cohorts.definition import Act, Days, Definition
from server.cohorts.report import Row
from server.cohorts.words import Denominator, Granularity, Kind, Metric, Mode, Occurrence

from .brute import Fact
from .test_cells import told

SEOUL, NEW_YORK, TONGA = "Asia/Seoul", "America/New_York", "Pacific/Tongatapu"
FIRST = date(2024, 3, 4)
"""A Monday."""
HOUR = 3_600_000


def at(day: int, hour: int = 12, zone: str = SEOUL) -> int:
    """So many days after the first one, at this hour."""
    return start_of(FIRST + timedelta(days=day), zone) + hour * HOUR


def visits(zone: str = SEOUL, /, **days: list[int]) -> list[Fact]:
    """By person, the days on which it visits."""
    people = sorted(days)
    return [
        Fact(people.index(who), at(day, zone=zone), "visited", "", 1)
        for who, found in days.items()
        for day in found
    ]


def rows(facts: list[Fact], asked: Definition, now: int, zone: str = SEOUL) -> list[Row]:
    return list(told(zone, facts, asked, now)[0][0].rows)


def numbers(row: Row) -> list[int | None]:
    return [cell.numerator for cell in row.cells]


def days(first: int, until: int) -> Days:
    return Days(FIRST + timedelta(days=first), FIRST + timedelta(days=until))


ASKED = Definition(days=days(0, 3), last_period=3)


def test_relative_to_the_period_before_is_relative_to_the_period_before() -> None:
    facts = visits(a=[0, 1, 2, 3], b=[0, 1, 2], c=[0, 1], d=[0])
    (row,) = rows(facts, replace(ASKED, days=days(0, 1), denominator=Denominator.PREVIOUS), at(9))
    assert [cell.ratio for cell in row.cells] == [None, 3 / 4, 2 / 3, 1 / 2]
    later = replace(ASKED, days=days(0, 1), denominator=Denominator.PREVIOUS, first_period=1)
    assert [cell.ratio for cell in rows(facts, later, at(9))[0].cells] == [3 / 4, 2 / 3, 1 / 2]


def test_on_or_after_falls_as_people_are_seen_for_the_last_time() -> None:
    """And is not flat because somebody came back in the end."""
    facts = visits(a=[0, 3], b=[0, 1], c=[0])
    (row,) = rows(facts, replace(ASKED, days=days(0, 1), mode=Mode.ON_OR_AFTER), at(9))
    assert numbers(row) == [3, 2, 1, 1]


def test_what_lies_after_the_period_of_the_base_dates_is_followed_all_the_same() -> None:
    """The table is not cut at the end of the base dates, nor at 31 periods."""
    facts = visits(a=[0, 60])
    (row,) = rows(facts, Definition(days=days(0, 1), first_period=60, last_period=60), at(80))
    assert numbers(row) == [1]


def test_a_period_under_way_is_shown_and_marked_and_not_averaged() -> None:
    facts = visits(a=[0, 1, 2], b=[1, 2], c=[2])
    table = told(SEOUL, facts, ASKED, at(2, 18))[0][0]
    assert [numbers(row) for row in table.rows] == [
        [1, 1, 1, None],
        [2, 2, None, None],
        [3, None, None, None],
    ]
    assert [[cell.complete for cell in row.cells][:2] for row in table.rows] == [
        [True, True],
        [True, False],
        [False, False],
    ]
    assert [(cell.numerator, cell.denominator) for cell in table.averages] == [
        (3, 3),
        (1, 1),
        (None, None),
        (None, None),
    ]


def test_who_lost_everybody_counts_in_the_average_and_nobody_does_not() -> None:
    table = told(SEOUL, visits(a=[0, 1], b=[0], c=[3]), replace(ASKED, days=days(0, 4)), at(9))[0][0]
    # The 6th has nobody; the cohorts of the 5th and the 7th lost everybody on the day after.
    assert [row.size for row in table.rows] == [2, 1, 0, 1]
    assert [row.cells[1].ratio for row in table.rows] == [0.5, 0.0, None, 0.0]
    assert (table.averages[1].numerator, table.averages[1].denominator) == (1, 4)


def test_averages_are_pooled_and_not_of_percentages() -> None:
    facts = visits(a=[0, 1], b=[1], c=[1], d=[1])
    table = told(SEOUL, facts, replace(ASKED, days=days(0, 2)), at(9))[0][0]
    assert [row.cells[1].ratio for row in table.rows] == [1.0, 0.0]
    assert table.averages[1].ratio == 1 / 5


@pytest.mark.parametrize(
    ("week_start", "first"), [(0, date(2024, 3, 4)), (6, date(2024, 3, 3)), (5, date(2024, 3, 2))]
)
def test_weeks_begin_where_they_are_said_to(week_start: int, first: date) -> None:
    assert bucket_of(date(2024, 3, 7), Granularity.WEEK, week_start).first == first
    asked = Definition(granularity=Granularity.WEEK, week_start=week_start, days=days(3, 4), last_period=1)
    # Both Sundays and the Saturday before: in one week or in two, as weeks begin.
    (row,) = rows(visits(a=[3, 5], b=[3, 6], c=[3, 12]), asked, at(30))
    assert row.day == first
    assert numbers(row) == {0: [3, 1], 6: [3, 2], 5: [3, 2]}[week_start]


@pytest.mark.parametrize("zone", [SEOUL, NEW_YORK, TONGA, "Australia/Perth"])
def test_no_day_is_shifted_east_or_west_of_greenwich(zone: str) -> None:
    """The last millisecond of a day and the first of the next, also around a change of clocks."""
    facts = [Fact(0, at(6, 0, zone), "visited", "", 1), Fact(0, at(7, 0, zone) - 1, "visited", "", 1)]
    facts += [Fact(0, at(7, 0, zone), "visited", "", 1)]
    asked = Definition(days=days(5, 8), last_period=1)
    found = rows(facts, asked, at(20, zone=zone), zone)
    assert [numbers(row) for row in found] == [[0, 0], [1, 1], [1, 0]]


def test_months_begin_with_the_first_and_are_whole() -> None:
    """31 January to February, and not 30 days; the first month is not cut where the base dates begin."""
    asked = Definition(
        granularity=Granularity.MONTH, days=Days(date(2024, 1, 20), date(2024, 2, 2)), last_period=1
    )
    jan, feb, mar = (start_of(date(2024, month, 1), SEOUL) for month in (1, 2, 3))
    facts = [
        Fact(0, jan, "visited", "", 1),
        Fact(0, mar - 1, "visited", "", 1),
        Fact(1, feb, "visited", "", 1),
    ]
    found = rows(facts, asked, at(0))
    assert [(row.day, row.size) for row in found] == [(date(2024, 1, 1), 1), (date(2024, 2, 1), 2)]
    assert [numbers(row) for row in found] == [[1, 1], [2, 0]]


def test_period_0_of_the_same_deed_is_everybody_and_of_another_is_measured() -> None:
    facts = [*visits(a=[0], b=[0]), Fact(0, at(0, 5), "ordered", "", 1)]
    assert numbers(rows(facts, replace(ASKED, days=days(0, 1)), at(9))[0])[0] == 2
    bought = replace(ASKED, days=days(0, 1), returning=Act(Kind.PURCHASE))
    # The order came before the visit, on the same day: days know no order within them.
    assert numbers(rows(facts, bought, at(9))[0])[0] == 1


def test_two_entries_on_a_day_are_one() -> None:
    facts = [*visits(a=[0, 1]), *visits(a=[0])]
    assert [row.size for row in rows(facts, replace(ASKED, days=days(0, 1)), at(9))] == [1]


def test_what_comes_late_counts_where_it_happened() -> None:
    facts = visits(a=[0], b=[0])
    asked = replace(ASKED, days=days(0, 1))
    assert numbers(rows(facts, asked, at(9))[0]) == [2, 0, 0, 0]
    assert numbers(rows([*facts, *visits(a=[2])], asked, at(9))[0]) == [2, 0, 1, 0]


def test_an_earlier_first_time_that_comes_late_moves_the_first_time() -> None:
    asked = replace(ASKED, occurrence=Occurrence.FIRST_EVER)
    assert [row.size for row in rows(visits(a=[1, 2]), asked, at(9))] == [0, 1, 0]
    assert [row.size for row in rows(visits(a=[-40, 1, 2]), asked, at(9))] == [0, 0, 0]


def test_a_refund_makes_revenue_negative_on_its_own_day() -> None:
    paid = [Fact(0, at(0, 1), "spent", "KRW", 10_000), Fact(0, at(0, 1), "ordered", "", 1)]
    facts = [*visits(a=[0]), *paid, Fact(0, at(2), "refunded", "KRW", 4_000)]
    asked = replace(ASKED, days=days(0, 1), metric=Metric.REVENUE, denominator=Denominator.BASE_METRIC)
    (row,) = rows(facts, asked, at(9))
    assert numbers(row) == [10_000, 0, -4_000, 0]
    assert [cell.ratio for cell in row.cells] == [1.0, 0.0, -0.4, 0.0]
    so_far = replace(asked, mode=Mode.ON_OR_BEFORE, counts_from=0, denominator=Denominator.COHORT_SIZE)
    (row,) = rows(facts, so_far, at(9))
    assert numbers(row) == [10_000, 10_000, 6_000, 6_000]
    assert [cell.ratio for cell in row.cells] == [1.0, 1.0, 0.6, 0.6]


def test_a_base_of_0_has_no_ratio() -> None:
    facts = [*visits(a=[0]), Fact(0, at(1), "ordered", "", 1)]
    asked = replace(ASKED, days=days(0, 1), metric=Metric.PURCHASES, denominator=Denominator.BASE_METRIC)
    (row,) = rows(facts, asked, at(9))
    assert [cell.ratio for cell in row.cells] == [None] * 4


def test_eligible_are_those_who_have_come_through_the_period() -> None:
    asked = replace(ASKED, denominator=Denominator.ELIGIBLE, mode=Mode.ON_OR_AFTER)
    found = rows(visits(a=[0, 1], b=[1]), asked, at(2, 5))
    assert [cell.denominator for cell in found[0].cells] == [1, 1, 0, 0]
    assert [cell.ratio for cell in found[0].cells] == [1.0, 1.0, None, None]


def test_base_dates_that_have_not_begun_by_the_watermark_are_empty_and_open() -> None:
    terms = periods(ASKED, SEOUL, at(2), at(0, 5))
    assert (len(terms.bases), len(terms.reached)) == (3, 1)
