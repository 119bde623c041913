"""Cohorts by brute force: plain SQL over the facts themselves, in DuckDB. Shares no code with ours.

A second pair of eyes: another engine, another language, and no bitmaps, months or running unions.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

import duckdb

from server.cohorts.definition import Act, Definition
from server.cohorts.words import Binds, DeviceFilter, Granularity, Kind, Metric, Mode, Occurrence, Unit


class Fact(NamedTuple):
    """One thing that somebody did."""

    who: int
    at: int
    deed: str
    value: str = ""
    amount: int = 0


class Told(NamedTuple):
    """What the report has to say: by base date, and by base date and column."""

    sizes: dict[date, int]
    cells: dict[tuple[date, int, int], int]


_ACTS = {
    Kind.VISIT: ("visited", ""),
    Kind.FIRST_VISIT: ("visited", "="),
    Kind.REVISIT: ("visited", ">"),
    Kind.PURCHASE: ("ordered", ""),
    Kind.FIRST_PURCHASE: ("ordered", "="),
    Kind.REPURCHASE: ("ordered", ">"),
    Kind.SIGN_UP: ("signed_up", ""),
}
_DEVICES = {
    DeviceFilter.PC_WEB: "('pc_web')",
    DeviceFilter.MOBILE_WEB: "('mobile_web')",
    DeviceFilter.APP: "('app', 'hybrid_app')",
}


@dataclass
class Brute:
    connection: duckdb.DuckDBPyConnection = field(default_factory=duckdb.connect)

    def load(self, facts: Sequence[Fact], zone: str) -> None:
        self.connection.execute(
            "CREATE OR REPLACE TABLE fact (u BIGINT, day DATE, deed TEXT, value TEXT, amount BIGINT)"
        )
        if facts:
            rows = ", ".join(
                f"({one.who}, DATE '{local_day(one.at, zone)}', '{one.deed}', '{one.value}', {one.amount})"
                for one in facts
            )
            self.connection.execute(f"INSERT INTO fact VALUES {rows}")

    def tell(
        self, asked: Definition, first: date, last: date, horizon: date, value: str | None = None
    ) -> Told:
        """`first` and `last` base day; `horizon` is the last day of which anything is known."""
        entries = _entries(asked, value)
        begin, end, far = (_bucket(asked, f"DATE '{day}'") for day in (first, last, horizon))
        within = f"SELECT u, b FROM ({entries}) WHERE b BETWEEN {begin} AND {end} AND b <= {far}"
        if asked.occurrence is Occurrence.FIRST_MATCHING:
            within = f"SELECT u, min(b) AS b FROM ({within}) GROUP BY u"
        returns = f"SELECT * FROM ({_returns(asked, value)}) WHERE b <= {far}"
        columns = ", ".join(str(one) for one in asked.columns)
        cells = self.connection.execute(
            f"WITH e AS ({within}), r AS ({returns}), n AS (SELECT * FROM (VALUES {columns}) AS t(a, z)) "
            f"SELECT e.b, n.a, n.z, sum({_hit(asked)}) FROM e, n GROUP BY ALL"
        ).fetchall()
        sizes = self.connection.execute(f"SELECT b, count(*) FROM ({within}) GROUP BY b").fetchall()
        return Told(dict(sizes), {(b, a, z): int(found) for b, a, z, found in cells})


def local_day(at: int, zone: str) -> date:
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=at)).astimezone(ZoneInfo(zone)).date()


def _bucket(asked: Definition, day: str) -> str:
    if asked.granularity is Granularity.MONTH:
        return f"CAST(date_trunc('month', {day}) AS DATE)"
    if asked.granularity is Granularity.WEEK:
        return f"({day} - CAST((isodow({day}) - 1 - {asked.week_start} + 7) % 7 AS INTEGER))"
    return f"({day})"


def _off(asked: Definition) -> str:
    """How many periods after the base date."""
    if asked.granularity is Granularity.MONTH:
        return "date_diff('month', e.b, r.b)"
    return f"((r.b - e.b) // {7 if asked.granularity is Granularity.WEEK else 1})"


def _act(act: Act) -> str:
    if act.kind is Kind.DEED:
        deed, turn, value = act.name, "", f" AND value = '{act.value}'"
    elif act.kind is Kind.EVENT:
        deed, turn, value = "did", "", f" AND value = '{act.name}'"
    else:
        (deed, turn), value = _ACTS[act.kind], ""
    return _turned(f"SELECT DISTINCT u, day FROM fact WHERE deed = '{deed}'{value}", turn)


def _turned(days: str, turn: str) -> str:
    if not turn:
        return days
    return f"SELECT u, day FROM ({days}) a WHERE day {turn} (SELECT min(day) FROM ({days}) f WHERE f.u = a.u)"


def _filters(asked: Definition, value: str | None, *, of_entry: bool) -> str:
    found = []
    if asked.device is not DeviceFilter.ALL and (of_entry or asked.device_binds is Binds.BOTH):
        found.append(f"SELECT u, day FROM fact WHERE deed = 'device' AND value IN {_DEVICES[asked.device]}")
    if asked.unit is Unit.MEMBER:
        found.append("SELECT u, day FROM fact WHERE deed = 'member'")
    if of_entry:
        found += [_act(one) for one in asked.where]
    if asked.breakdown and (of_entry or asked.breakdown.binds is Binds.BOTH):
        of = f"deed = '{asked.breakdown.dimension}' AND value = '{value}'"
        found.append(f"SELECT u, day FROM fact WHERE {of}")
    return "".join(f" AND (u, day) IN ({one})" for one in found)


def _entries(asked: Definition, value: str | None) -> str:
    act = _act(asked.entry)
    if asked.occurrence is Occurrence.FIRST_EVER:
        act = _turned(act, "=")
    filters = _filters(asked, value, of_entry=True)
    return f"SELECT DISTINCT u, {_bucket(asked, 'day')} AS b FROM ({act}) WHERE true{filters}"


def _returns(asked: Definition, value: str | None) -> str:
    filters = _filters(asked, value, of_entry=False)
    bucket = _bucket(asked, "day")
    if asked.metric is Metric.PEOPLE:
        return f"SELECT DISTINCT u, {bucket} AS b, 1 AS amount FROM ({_act(asked.back)}) WHERE true{filters}"
    amount, which = (
        "amount",
        {
            Metric.VISITS: "deed = 'visited'",
            Metric.PURCHASES: "deed = 'ordered'",
            Metric.REVENUE: "deed IN ('spent', 'refunded')",
            Metric.TIMES: f"deed = 'did' AND value = '{asked.back.name}'",
        }[asked.metric],
    )
    if asked.metric is Metric.REVENUE:
        amount = "CASE deed WHEN 'spent' THEN amount ELSE -amount END"
    is_by_device = asked.device is not DeviceFilter.ALL and asked.device_binds is Binds.BOTH
    if asked.metric is Metric.VISITS and is_by_device:
        which = f"deed = 'device' AND value IN {_DEVICES[asked.device]}"
    if asked.metric is Metric.VISITS and asked.breakdown and asked.breakdown.binds is Binds.BOTH:
        which = f"deed = '{asked.breakdown.dimension}' AND value = '{value}'"
    return f"SELECT u, {bucket} AS b, {amount} AS amount FROM fact WHERE {which}{filters}"


def _hit(asked: Definition) -> str:
    off, begin = _off(asked), asked.counts_from
    span = {
        Mode.ON: f"{off} = n.a",
        Mode.ON_OR_AFTER: f"{off} >= n.a",
        Mode.ON_OR_BEFORE: f"{off} BETWEEN {begin} AND n.z",
        Mode.STREAK: f"{off} BETWEEN {begin} AND n.z",
        Mode.BRACKETS: f"{off} BETWEEN n.a AND n.z",
    }[asked.mode]
    rows = f"FROM r WHERE r.u = e.u AND {span}"
    if asked.metric is not Metric.PEOPLE:
        return f"coalesce((SELECT sum(amount) {rows}), 0)"
    if asked.mode is Mode.STREAK:
        return f"CASE WHEN (SELECT count(*) {rows}) = greatest(n.z - {begin} + 1, 0) THEN 1 ELSE 0 END"
    return f"CASE WHEN EXISTS (SELECT 1 {rows}) THEN 1 ELSE 0 END"
