"""Hours, and periods from each entry on: whatever happened, plain SQL over it says the same of every cell."""

import sqlite3
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.aggregates.calendar import day_of
from server.clock import DAY, HOUR
from server.cohorts import moments
from server.cohorts.acts import source_of
from server.cohorts.definition import Act, Definition
from server.cohorts.happenings import Did, Happening, Life, Past, life_of
from server.cohorts.moments import Cohort, Frame
from server.cohorts.words import (
    Alignment,
    Denominator,
    DeviceFilter,
    Granularity,
    Kind,
    Metric,
    Mode,
    Occurrence,
    Unit,
)

NEW_YORK = "America/New_York"
FIRST = 1_709_960_400_000
"""2024-03-09 00:00 in New York. On the next day two o'clock becomes three."""
BASES = 3
END = FIRST + 3 * DAY - HOUR
"""Three days later, one of them an hour short."""
ASKED = Definition(entry=Act(Kind.EVENT, "in"), returning=Act(Kind.EVENT, "back"), last_period=4)

Told = tuple[int, int, bool, bool, str, int]
"""Unit, when, whether it came in, whether it came back, on which device, and how much it spent."""
told = st.tuples(
    st.integers(1, 3),
    # Edges of hours and days are likelier than anything between.
    st.integers(0, 6 * 24 * 4).map(lambda quarter: FIRST - DAY + quarter * HOUR // 4),
    st.booleans(),
    st.booleans(),
    st.sampled_from(["", "pc_web", "mobile_web"]),
    st.sampled_from([0, 0, 5, 70]),
)
modes = st.sampled_from(
    [
        replace(ASKED, mode=Mode.ON),
        replace(ASKED, mode=Mode.ON_OR_AFTER),
        replace(ASKED, mode=Mode.ON_OR_BEFORE, counts_from=0),
        replace(ASKED, mode=Mode.ON_OR_BEFORE, counts_from=1),
        replace(ASKED, mode=Mode.BRACKETS, brackets=((0, 0), (1, 3), (2, 9))),
    ]
)
metrics = st.sampled_from([Metric.PEOPLE, Metric.TIMES, Metric.PURCHASES, Metric.REVENUE])
devices = st.sampled_from(list(DeviceFilter)[:3])


def pasts(happened: Sequence[Told]) -> list[Past]:
    found: dict[int, list[Happening]] = {}
    for unit, at, came, back, device, spent in sorted(happened, key=lambda one: one[1]):
        deeds = {("did", "in"): 1} if came else {}
        deeds |= {("did", "back"): 1} if back else {}
        deeds |= {("device", device): 0, ("visited", ""): 0} if device else {}
        deeds |= {("ordered", ""): 1, ("spent", "KRW"): spent} if spent else {}
        found.setdefault(unit, []).append(Happening(at, day_of(at, NEW_YORK), deeds))
    return [Past(one) for one in found.values()]


def frame(*, rolling: bool, watermark: int = FIRST + 30 * DAY) -> Frame:
    if rolling:
        return Frame([FIRST, FIRST + DAY, FIRST + 2 * DAY - HOUR, END], DAY, True, NEW_YORK, watermark)
    return Frame(list(range(FIRST, END + HOUR, HOUR)), HOUR, False, NEW_YORK, watermark)


def counted(asked: Definition, over: Frame, happened: Sequence[Told]) -> list[Cohort]:
    def enters(at: int) -> bool:
        return over.starts[0] <= at < over.starts[-1]

    return moments.count(over, asked, [life_of(one, asked, "KRW", None, enters) for one in pasts(happened)])


SAME_DAY = "EXISTS (SELECT 1 FROM did d WHERE d.unit = did.unit AND d.day = did.day AND d.device = :device)"


class Sql:
    """The same by SQL that knows nothing of sets, lives or frames."""

    def __init__(self, happened: Sequence[Told]) -> None:
        self.db = sqlite3.connect(":memory:")
        self.db.execute("CREATE TABLE did (unit, at INTEGER, came, back, device, spent, day)")
        rows = [(*one, day_of(one[1], NEW_YORK)) for one in happened]
        self.db.executemany("INSERT INTO did VALUES (?, ?, ?, ?, ?, ?, ?)", rows)

    def cells(self, asked: Definition, over: Frame) -> tuple[dict[int, int], dict[tuple[int, int], int]]:
        """Sizes by base date, and cells by base date and column."""
        device = asked.device.value if asked.device is not DeviceFilter.ALL else ""
        about: dict[str, Any] = {"device": device, "since": FIRST, "until": END}
        on_device = SAME_DAY if device else "TRUE"
        entry = "at" if over.is_rolling else f"at / {HOUR}"
        first = "MIN" if over.is_rolling else ""
        group = "unit" if over.is_rolling else f"unit, at / {HOUR}"
        what, amount = {
            Metric.PEOPLE: ("back", "1"),
            Metric.TIMES: ("back", "1"),
            Metric.PURCHASES: ("spent > 0", "1"),
            Metric.REVENUE: ("spent > 0", "spent"),
        }[asked.metric]
        later = f"at - e.entry) / {DAY}" if over.is_rolling else f"at / {HOUR} - e.entry)"
        early = "did.at >= e.entry" if over.is_rolling else f"did.at / {HOUR} >= e.entry"
        self.db.execute("DROP TABLE IF EXISTS entries")
        self.db.execute(
            f"""CREATE TABLE entries AS SELECT unit, {first}({entry}) AS entry FROM did
                WHERE came AND at >= :since AND at < :until AND {on_device} GROUP BY {group}""",  # noqa: S608 - words of ours
            about,
        )
        rows = self.db.execute(
            f"""SELECT e.unit, e.entry, (did.{later} AS n, SUM({amount})
                FROM entries e JOIN did ON did.unit = e.unit AND {early}
                WHERE {what} AND {on_device} GROUP BY 1, 2, 3""",  # noqa: S608 - words of ours
            about,
        ).fetchall()
        sizes: dict[int, int] = {}
        for (at,) in self.db.execute("SELECT entry FROM entries").fetchall():
            base = self._base(over, at)
            sizes[base] = sizes.get(base, 0) + 1
        return sizes, self._folded(asked, over, rows)

    def _base(self, over: Frame, at: int) -> int:
        moment = at if over.is_rolling else at * HOUR
        return max(number for number, starts in enumerate(over.starts) if starts <= moment)

    def _folded(self, asked: Definition, over: Frame, rows: Sequence[Any]) -> dict[tuple[int, int], int]:
        found: dict[tuple[int, int], int] = {}
        for place, (first, last) in enumerate(asked.columns):
            who: dict[tuple[int, int], int] = {}
            for unit, at, n, amount in rows:
                fits = {
                    Mode.ON: n == first,
                    Mode.ON_OR_AFTER: n >= first,
                    Mode.ON_OR_BEFORE: asked.counts_from <= n <= last,
                    Mode.BRACKETS: first <= n <= last,
                }[asked.mode]
                if fits:
                    who[unit, at] = who.get((unit, at), 0) + amount
            for (_, at), amount in who.items():
                key = (self._base(over, at), place)
                found[key] = found.get(key, 0) + (1 if asked.metric is Metric.PEOPLE else amount)
        return found


@given(st.lists(told, max_size=25), modes, metrics, devices, st.booleans())
@settings(max_examples=120, deadline=None)
def test_every_cell_is_what_sql_says(
    happened: list[Told], asked: Definition, metric: Metric, device: DeviceFilter, rolling: bool
) -> None:
    returning = asked.returning if metric in (Metric.PEOPLE, Metric.TIMES) else None
    granularity = Granularity.DAY if rolling else Granularity.HOUR
    alignment = Alignment.ROLLING if rolling else Alignment.CALENDAR
    asked = replace(
        asked, metric=metric, device=device, returning=returning, granularity=granularity, alignment=alignment
    )
    over = frame(rolling=rolling)
    found = counted(asked, over, happened)
    sizes, cells = Sql(happened).cells(asked, over)
    assert {base: one.size for base, one in enumerate(found) if one.size} == sizes
    told = {(base, place): n for base, one in enumerate(found) for place, n in enumerate(one.cells) if n}
    assert told == {key: n for key, n in cells.items() if n}


ROLLING = replace(ASKED, alignment=Alignment.ROLLING)


def test_a_day_from_the_entry_on_ends_to_the_millisecond() -> None:
    """A day of the calendar that is an hour short does not matter."""
    at = FIRST + 23 * HOUR
    happened = [
        (1, at, True, True, "", 0),
        (1, at + DAY - 1, False, True, "", 0),
        (1, at + DAY, False, True, "", 0),
        (1, at + 4 * DAY - 1, False, True, "", 0),
    ]
    found = counted(replace(ROLLING, metric=Metric.TIMES), frame(rolling=True), happened)
    assert [one.size for one in found] == [1, 0, 0]
    assert found[0].cells == [2, 1, 0, 1, 0]


def test_what_was_done_before_the_entry_is_no_return() -> None:
    happened = [(1, FIRST + HOUR, False, True, "", 0), (1, FIRST + HOUR + 1, True, False, "", 0)]
    assert counted(ROLLING, frame(rolling=True), happened)[0].cells == [0] * 5
    # Hours are those of the clock: within one of them it does not matter what came first.
    hours = replace(ASKED, granularity=Granularity.HOUR)
    assert counted(hours, frame(rolling=False), happened)[1].cells == [1, 0, 0, 0, 0]


def test_the_hour_after_the_one_that_is_skipped_is_the_next() -> None:
    one_o_clock = FIRST + DAY + HOUR
    happened = [(1, one_o_clock, True, False, "", 0), (1, one_o_clock + HOUR, False, True, "", 0)]
    found = counted(replace(ASKED, granularity=Granularity.HOUR), frame(rolling=False), happened)
    assert found[25].cells == [0, 1, 0, 0, 0]
    assert len(found) == 71


def test_only_those_whose_period_is_over_are_eligible() -> None:
    entry = FIRST + 20 * HOUR
    over = frame(rolling=True, watermark=entry + 2 * DAY)
    happened = [
        (1, entry, True, True, "", 0),
        (2, entry + HOUR, True, False, "", 0),
        (2, entry + DAY + HOUR, False, True, "", 0),
    ]
    found = counted(replace(ROLLING, denominator=Denominator.ELIGIBLE), over, happened)[0]
    assert (found.size, found.eligible) == (2, [2, 1, 0, 0, 0])
    # The second came back on its second day, but that day is not over yet.
    assert found.cells == [1, 0, 0, 0, 0]
    assert [over.complete(0, n) for n in range(3)] == [True, False, False]
    assert [over.begun(0, n) for n in range(5)] == [True, True, True, False, False]


def test_the_first_time_ever_is_told_by_what_was_done_before() -> None:
    asked = replace(ROLLING, entry=Act(Kind.EVENT, "in"), occurrence=Occurrence.FIRST_EVER)
    happened = [Happening(FIRST + n * DAY, 20240309 + n, {("did", "in"): 1}) for n in range(2)]
    source = source_of(asked.entry, Unit.USER)

    def enters(at: int) -> bool:
        return at >= FIRST

    assert life_of(Past(happened), asked, "", None, enters).entries == [FIRST]
    assert life_of(Past(happened, {source}), asked, "", None, enters).entries == ()
    again = replace(ROLLING, entry=Act(Kind.REVISIT))
    visits = [Happening(FIRST + n * HOUR * 20, 20240309 + n // 2, {("visited", ""): 1}) for n in range(4)]
    assert life_of(Past(visits), again, "", None, enters).entries == [FIRST + 40 * HOUR]


def test_a_streak_is_broken_once() -> None:
    did = [Did(FIRST + n * DAY, 1) for n in (0, 1, 2, 4)]
    life = Life([FIRST], did, (), (), ())
    found = moments.count(frame(rolling=True), replace(ROLLING, mode=Mode.STREAK), [life])
    assert found[0].cells == [1, 1, 1, 0, 0]


@pytest.mark.parametrize("rolling", [False, True])
def test_who_comes_in_twice_is_counted_in_each_hour_but_once_from_the_entry_on(rolling: bool) -> None:
    happened = [(1, FIRST + n * HOUR, True, True, "", 0) for n in (0, 0, 2)]
    asked = ROLLING if rolling else replace(ASKED, granularity=Granularity.HOUR)
    found = counted(asked, frame(rolling=rolling), happened)
    assert [one.size for one in found[:4]] == ([1, 0, 0] if rolling else [1, 0, 1, 0])
