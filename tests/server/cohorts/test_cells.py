"""Every cell of every mode equals brute force in SQL, whatever the history."""

from datetime import date, timedelta

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from server.cohorts import counting
from server.cohorts.assembling import group
from server.cohorts.buckets import bucket_of, date_of, periods
from server.cohorts.counting import Work
from server.cohorts.definition import Act, Breakdown, Days, Definition, wrongs
from server.cohorts.gathering import spans_of
from server.cohorts.report import Group, Row
from server.cohorts.words import (
    Binds,
    Denominator,
    DeviceFilter,
    Granularity,
    Kind,
    Metric,
    Mode,
    Occurrence,
)

from .brute import Brute, Fact, Told
from .facts import DAYS, HOUR, SOURCES, SPOTS, UNITS, histories, shelves_of

BRUTE = Brute()
SHARDS = 2
READ = Act(Kind.EVENT, name="read")
FOUND = Act(Kind.DEED, name="source", value="search")
ENTRIES = [
    Act(kind) for kind in (Kind.VISIT, Kind.FIRST_VISIT, Kind.REVISIT, Kind.PURCHASE, Kind.FIRST_PURCHASE)
]
RETURNS = [None, Act(Kind.VISIT), Act(Kind.PURCHASE), Act(Kind.REPURCHASE), READ]


@st.composite
def definitions(draw: st.DrawFn, start: date) -> Definition:
    metric = draw(st.sampled_from(Metric))
    first = start + timedelta(days=draw(st.integers(0, 4)))
    back = {Metric.PEOPLE: draw(st.sampled_from(RETURNS)), Metric.TIMES: READ}.get(metric)
    mode = draw(
        st.sampled_from([mode for mode in Mode if metric is Metric.PEOPLE or mode is not Mode.STREAK])
    )
    from_period = draw(st.integers(0, 2))
    return Definition(
        entry=draw(st.sampled_from([*ENTRIES, READ, FOUND])),
        occurrence=draw(st.sampled_from(Occurrence)),
        returning=back,
        unit=draw(UNITS),
        metric=metric,
        currency="KRW",
        mode=mode,
        counts_from=draw(st.integers(0, 1)),
        brackets=((0, 0), (1, 2), (3, 7)) if mode is Mode.BRACKETS else (),
        denominator=draw(st.sampled_from(Denominator)),
        granularity=draw(
            st.sampled_from([Granularity.DAY, Granularity.DAY, Granularity.WEEK, Granularity.MONTH])
        ),
        week_start=draw(st.sampled_from([0, 6])),
        first_period=from_period,
        last_period=from_period + draw(st.integers(0, 4)),
        days=Days(first, first + timedelta(days=draw(st.integers(1, 5)))),
        device=draw(st.sampled_from(DeviceFilter)),
        device_binds=draw(st.sampled_from(Binds)),
        where=draw(st.sampled_from([(), (), (FOUND,), (Act(Kind.FIRST_VISIT),)])),
        breakdown=draw(
            st.sampled_from(
                [None, None, Breakdown("source", SOURCES), Breakdown("source", SOURCES, binds=Binds.BOTH)]
            )
        ),
    )


@st.composite
def questions(draw: st.DrawFn) -> tuple[str, list[Fact], Definition, int]:
    zone, start = draw(st.sampled_from(sorted(SPOTS.items())))
    asked = draw(definitions(date_of(start, zone)).filter(lambda one: not list(wrongs(one))))
    now = start + draw(st.integers(5 * 24, DAYS * 24)) * HOUR
    return zone, draw(histories(start)), asked, now


@given(questions())
@settings(max_examples=40, deadline=None, phases=[Phase.explicit, Phase.generate])
def test_every_cell_is_what_brute_force_finds(question: tuple[str, list[Fact], Definition, int]) -> None:
    zone, facts, asked, now = question
    for found, value in told(zone, facts, asked, now):
        BRUTE.load(facts, zone)
        first, last = asked.days.first, asked.days.until
        assert first
        assert last
        last_day = min(last - timedelta(days=1), date_of(now, zone))
        wanted = BRUTE.tell(asked, first, last_day, _horizon(asked, now, zone), value)
        for row in found.rows:
            _compare(asked, row, wanted, now)
        _compare_averages(found)


def told(zone: str, facts: list[Fact], asked: Definition, now: int) -> list[tuple[Group, str | None]]:
    """What we say, with what each group is of."""
    terms = periods(asked, zone, now, now)
    spans, places = spans_of(asked, terms)
    work = Work(asked, terms, "KRW", places, has_base=True)
    values = list(asked.breakdown.values) if asked.breakdown else [None]
    shelves = shelves_of(facts, zone, SHARDS, spans, terms.bases[0].first)
    counted = counting.count(work, shelves, None, values)
    return [(group(work, one, value, now), value) for one, value in zip(counted, values, strict=True)]


def _horizon(asked: Definition, now: int, zone: str) -> date:
    """The last day of the period in which we are."""
    here = bucket_of(date_of(now - 1, zone), asked.granularity, asked.week_start)
    return here.until - timedelta(days=1)


def _compare(asked: Definition, row: Row, wanted: Told, now: int) -> None:
    assert row.size == wanted.sizes.get(row.day, 0)
    assert row.complete == (row.ends_at <= now)
    for cell in row.cells:
        assert cell.starts_at is not None
        assert cell.ends_at is not None
        found = wanted.cells.get((row.day, cell.first, cell.last), 0)
        assert cell.numerator == (found if cell.starts_at < now else None), (row.day, cell)
        assert cell.complete == (cell.ends_at <= now)
        if asked.denominator is Denominator.COHORT_SIZE:
            assert cell.denominator == row.size
        if asked.denominator is Denominator.ELIGIBLE:
            assert cell.denominator == (row.size if cell.complete else 0)
        ratio = None if cell.numerator is None or not cell.denominator else True
        assert (cell.ratio is None) == (ratio is None)


def _compare_averages(found: Group) -> None:
    for place, average in enumerate(found.averages):
        column = [row.cells[place] for row in found.rows]
        pooled = [
            cell for cell in column if cell.complete and cell.denominator and cell.numerator is not None
        ]
        parts = [sum(cell.numerator or 0 for cell in pooled), sum(cell.denominator or 0 for cell in pooled)]
        assert [average.numerator, average.denominator] == (parts if pooled else [None, None])
