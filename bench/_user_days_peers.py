"""DuckDB and ClickHouse over the same user-days, asked for the same grids in several forms: the best counts.

A grid is a cohort a base date, and how many of it, or how much, on that day and each of the seven after it.
"""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

from bench._user_days import DEVICES, SOURCES, UserDays

BASES, PERIODS = 30, 8
Cells = dict[tuple[int, int], int]
"""By base date and days after it."""
DEVICE, SOURCE = "mobile_web", "search"
"""What people came by and from on the base date: the two conditions."""

PLAIN, SEGMENT, REVENUE = "plain", "two conditions", "revenue"
QUESTIONS = (PLAIN, SEGMENT, REVENUE)
_CHOSEN = f"device = '{DEVICE}' AND source = '{SOURCE}'"
_MASKS = """SELECT "user", bit_or(1::UBIGINT << day) AS days{more} FROM user_day GROUP BY "user" """
_JOIN = """SELECT a.day, b.day - a.day AS n, {what} FROM user_day a JOIN user_day b
ON a."user" = b."user" AND b.day BETWEEN a.day AND a.day + 7 WHERE a.day < 30{more} GROUP BY ALL"""
_PAIRS = [(base, base + n) for base in range(BASES) for n in range(PERIODS)]


def _bits(name: str, count: str) -> str:
    """A column a cell: those who have both days in their mask."""
    both = (f"(({name} >> {a}) & (days >> {b}) & 1) = 1" for a, b in _PAIRS)
    return ", ".join(count.format(one) for one in both)


def _windows(name: str) -> str:
    """Of masks, windows of eight days, counted before they are taken apart."""
    return f"""windows AS (SELECT a, (days >> a) & 255 AS days, count(*) AS c FROM masks, range(30) r(a)
    WHERE ({name} >> a) & 1 = 1 GROUP BY ALL)
    SELECT a, n, sum(c) FROM windows, range(8) r(n) WHERE (days >> n) & 1 = 1 GROUP BY ALL"""


_ENTERED = f", bit_or(CASE WHEN {_CHOSEN} THEN 1::UBIGINT << day ELSE 0::UBIGINT END) AS entered"
DUCKDB_FORMS: Mapping[str, Mapping[str, str]] = {
    PLAIN: {
        "join": _JOIN.format(what="count(*)", more=""),
        "masks": f"WITH masks AS ({_MASKS.format(more='')}) "
        f"SELECT {_bits('days', 'count_if({})')} FROM masks",
        "windows of masks": f"WITH masks AS ({_MASKS.format(more='')}), {_windows('days')}",
    },
    SEGMENT: {
        "join": _JOIN.format(what="count(*)", more=f" AND a.device = '{DEVICE}' AND a.source = '{SOURCE}'"),
        "masks": f"WITH masks AS ({_MASKS.format(more=_ENTERED)}) "
        f"SELECT {_bits('entered', 'count_if({})')} FROM masks WHERE entered <> 0",
        "windows of masks": f"WITH masks AS ({_MASKS.format(more=_ENTERED)}), {_windows('entered')}",
    },
    REVENUE: {
        "join": _JOIN.format(what="sum(b.spent)", more=" AND b.orders > 0"),
        "masks of buyers": """WITH bought AS (SELECT "user", day, spent FROM user_day WHERE orders > 0),
        masks AS (SELECT "user", bit_or(1::UBIGINT << day) AS days FROM user_day
            WHERE "user" IN (SELECT "user" FROM bought) GROUP BY "user")
        SELECT day - n AS a, n, sum(spent) FROM bought JOIN masks USING ("user"), range(8) r(n)
        WHERE day >= n AND day - n < 30 AND (days >> (day - n)::UBIGINT) & 1 = 1 GROUP BY ALL""",
    },
}

_STATES = "SELECT day, groupBitmapState(user) AS users FROM user_day {where} GROUP BY day ORDER BY day"
_SETS = f"(SELECT groupArray(users) FROM ({_STATES.format(where='')})) AS sets"
_ENTERED_SETS = f"(SELECT groupArray(users) FROM ({_STATES.format(where=f'WHERE day < 30 AND {_CHOSEN}')}))"
_GRID = "arrayMap(a -> arrayMap(n -> {cell}, range(8)), range(30))"
_BOTH = _GRID.format(cell="bitmapAndCardinality({name}[a + 1], sets[a + n + 1])")
_CH_JOIN = """SELECT e.day, r.day - e.day AS n, {what} FROM user_day r
JOIN (SELECT user, day FROM user_day WHERE day < 30{more}) e ON e.user = r.user
WHERE r.day BETWEEN e.day AND e.day + 7{also} GROUP BY 1, 2"""
_CH_WINDOWS = """SELECT a, n, sum(c) FROM (
    SELECT a, bitAnd(bitShiftRight(days, a), 255) AS near, count() AS c FROM (
        SELECT groupBitOr(bitShiftLeft(toUInt64(1), day)) AS days{more} FROM user_day GROUP BY user)
    ARRAY JOIN range(30) AS a WHERE bitTest({entered}, a) GROUP BY a, near)
ARRAY JOIN range(8) AS n WHERE bitTest(near, n) GROUP BY a, n"""
_CH_ENTERED = f", groupBitOr(if({_CHOSEN}, bitShiftLeft(toUInt64(1), day), 0)) AS entered"
CLICKHOUSE_FORMS: Mapping[str, Mapping[str, str]] = {
    PLAIN: {
        "bitmaps": f"WITH {_SETS} SELECT {_BOTH.format(name='sets')}",
        "bitmaps of a subquery": f"SELECT {_BOTH.format(name='sets')} FROM "
        f"(SELECT groupArray(users) AS sets FROM ({_STATES.format(where='')}))",
        "join": _CH_JOIN.format(what="count()", more="", also=""),
        "windows of masks": _CH_WINDOWS.format(more="", entered="days"),
    },
    SEGMENT: {
        "bitmaps": f"WITH {_SETS}, {_ENTERED_SETS} AS entered SELECT {_BOTH.format(name='entered')}",
        "bitmaps of a subquery": f"""SELECT {_BOTH.format(name="entered")} FROM (
            SELECT groupArray(users) AS sets, groupArray(chosen) AS entered FROM (
                SELECT day, groupBitmapState(user) AS users, groupBitmapStateIf(user, {_CHOSEN}) AS chosen
                FROM user_day GROUP BY day ORDER BY day))""",
        "join": _CH_JOIN.format(what="count()", more=f" AND {_CHOSEN}", also=""),
        "windows of masks": _CH_WINDOWS.format(more=_CH_ENTERED, entered="entered"),
    },
    REVENUE: {
        "bitmaps": f"""WITH {_SETS} SELECT day - n AS a, n, sumIf(spent, bitmapContains(sets[a + 1], user))
            FROM (SELECT user, day, spent FROM user_day WHERE orders > 0) ARRAY JOIN range(8) AS n
            WHERE day >= n AND day - n < 30 GROUP BY 1, 2""",
        "bitmaps and arrays": f"""WITH {_SETS}, bought AS (
                SELECT day, groupArray(user) AS users, groupArray(spent) AS amounts
                FROM user_day WHERE orders > 0 GROUP BY day)
            SELECT a, n, arraySum((u, x) -> x * bitmapContains(sets[a + 1], u), users, amounts)
            FROM (SELECT day - n AS a, n, users, amounts FROM bought ARRAY JOIN range(8) AS n
                WHERE day >= n AND day - n < 30)""",
        "join": _CH_JOIN.format(what="sum(r.spent)", more="", also=" AND r.orders > 0"),
    },
}


class DuckDB:
    name, forms = "DuckDB", DUCKDB_FORMS

    def __init__(self, folder: Path) -> None:
        import duckdb

        self._connection = duckdb.connect(str(folder / "days.duckdb"))

    def fill(self, days: UserDays, folder: Path) -> None:
        """Also into a file, from which ClickHouse takes them."""
        self._connection.register("told", dict(days._asdict()))
        self._connection.execute(
            f"""CREATE TABLE user_day AS SELECT "user", day, visits, orders, spent,
            {list(DEVICES)}[device + 1]::ENUM {DEVICES} AS device,
            {list(SOURCES)}[source + 1]::ENUM {SOURCES} AS source FROM told"""
        )
        self._connection.execute(f"COPY user_day TO '{folder / 'days.parquet'}' (FORMAT parquet)")
        self._connection.execute("CHECKPOINT")

    def ask(self, statement: str) -> Cells:
        return _cells(self._connection.execute(statement).fetchall())

    def close(self) -> None:
        self._connection.close()


class ClickHouse:
    name, forms = "ClickHouse", CLICKHOUSE_FORMS

    def __init__(self, folder: Path) -> None:
        from chdb.session import Session

        is_there = (folder / "clickhouse").exists()
        self._session = Session(str(folder / "clickhouse"))
        if not is_there:
            self._session.query("CREATE DATABASE bench ENGINE = Atomic")
        self._session.query("USE bench")

    def fill(self, folder: Path) -> None:
        """What never lacks a value is told so, and few words are numbered: both are quicker."""
        words = ", ".join(
            f"toLowCardinality(assumeNotNull({name})) AS {name}" for name in ("device", "source")
        )
        numbers = ", ".join(
            f"assumeNotNull({name}) AS {name}" for name in ("day", "visits", "orders", "spent")
        )
        self._session.query(
            f"""CREATE TABLE user_day ENGINE = MergeTree ORDER BY (day, user) AS
            SELECT assumeNotNull(toUInt32(user)) AS user, {numbers}, {words}
            FROM file('{folder / "days.parquet"}', Parquet)"""
        )
        self._session.query("OPTIMIZE TABLE user_day FINAL")

    def ask(self, statement: str) -> Cells:
        return _cells(orjson.loads(self._session.query(statement, "JSONCompact").bytes())["data"])

    def close(self) -> None:
        self._session.close()


Peer = DuckDB | ClickHouse


def _cells(rows: list[Any]) -> Cells:
    """However they are told: a row a cell, a column a cell, or a table in one value. Without zeros."""
    if len(rows) > 1:
        told = {(int(base), int(n)): int(value) for base, n, value in rows}
    else:
        flat = rows[0] if len(rows[0]) > 1 else [value for row in rows[0][0] for value in row]
        told = {(a, b - a): int(value) for (a, b), value in zip(_PAIRS, flat, strict=True)}
    return {place: value for place, value in told.items() if value}


def timed(peer: Peer, statement: str) -> tuple[float, Cells]:
    """Milliseconds, and what was said."""
    started = time.perf_counter()
    cells = peer.ask(statement)
    return (time.perf_counter() - started) * 1000, cells
