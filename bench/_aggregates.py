"""Counters and user sets of the story, computed by DuckDB from its facts in the product's shape.

Nothing of the product's own filling is used; `server.aggregates.recount` says whether it came to the same.
"""

from array import array
from collections import defaultdict
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import duckdb
from pyroaring import BitMap

from bench._story import HOUR, ZONE_OFFSET

HAPPENED, ENTERED = 0, 1
CLOCKS = {HAPPENED: "happened_at", ENTERED: "entered_at"}
JOURNEY = 1
"""The id of the journey."""

_BRANCH = "CASE WHEN way & 1 = 0 THEN 'a' ELSE 'b' END"
_OF_RECEIPTS = """
CASE kind WHEN 'accepted' THEN 'sent' ELSE kind END
"""
# Metric, step, output, channel, reason, happened_at, entered_at, n, amount.
_COUNTED = (
    "SELECT 'entries', step, '', '', '', arrived_at, entered_at, 1, 0 FROM visit WHERE kind = 'entry_event'",
    "SELECT 'arrivals', step, '', '', '', arrived_at, entered_at, 1, 0 FROM visit",
    """SELECT 'left', step, output, '', '', left_at, entered_at, 1, 0 FROM visit
    WHERE left_at IS NOT NULL AND end_reason IS NULL""",
    """SELECT 'ended', step, '', '', end_reason, left_at, entered_at, 1, 0 FROM visit
    WHERE end_reason IS NOT NULL""",
    "SELECT 'queued', step, '', channel, '', created_at, entered_at, 1, 0 FROM message",
    """SELECT CASE kind WHEN 'accepted' THEN 'sent' ELSE kind END, step, '', channel, reason, occurred_at,
    entered_at, 1, 0 FROM receipt WHERE kind NOT IN ('opened', 'clicked')""",
    """SELECT CASE kind WHEN 'opened' THEN 'opens' ELSE 'clicks' END, step, '', channel, actor, occurred_at,
    entered_at, 1, 0 FROM receipt WHERE kind IN ('opened', 'clicked')""",
    """SELECT kind, step, '', channel, actor, occurred_at, entered_at, 1, 0 FROM receipt
    WHERE kind IN ('opened', 'clicked') AND first_of_actor""",
    """SELECT kind, step, '', channel, '', occurred_at, entered_at, 1, 0 FROM receipt
    WHERE kind IN ('opened', 'clicked') AND first""",
    f"""SELECT 'variant_sent', 'ab', {_BRANCH}, channel, '', occurred_at, entered_at, 1, 0 FROM receipt
    WHERE kind = 'accepted'""",
    f"""SELECT 'variant_' || kind, 'ab', {_BRANCH}, channel, actor, occurred_at, entered_at, 1, 0 FROM receipt
    WHERE kind IN ('opened', 'clicked') AND first_of_actor""",
    f"""SELECT 'variant_' || kind, 'ab', {_BRANCH}, channel, '', occurred_at, entered_at, 1, 0 FROM receipt
    WHERE kind IN ('opened', 'clicked') AND first""",
    "SELECT 'hits', '', goal, '', '', occurred_at, entered_at, 1, amount FROM conversion",
    "SELECT 'reached', '', goal, '', '', occurred_at, entered_at, 1, amount FROM conversion WHERE first",
    f"""SELECT 'variant_reached', 'ab', {_BRANCH}, '', goal, occurred_at, entered_at, 1, amount
    FROM conversion WHERE first""",
    """SELECT 'credited', coalesce(step::VARCHAR, ''), goal, coalesce(channel::VARCHAR, ''), how, occurred_at,
    entered_at, 1, amount FROM credit WHERE direct""",
    """SELECT 'assisted', step, goal, channel, '', occurred_at, entered_at, 1, amount FROM credit
    WHERE NOT direct""",
)
# Dimension, value behind the journey's id, user, happened_at, entered_at.
_GATHERED = (
    "SELECT 'entered', '', user_number, arrived_at, entered_at FROM visit WHERE kind = 'entry_event'",
    "SELECT 'arrived', '/' || step, user_number, arrived_at, entered_at FROM visit",
    """SELECT 'left', '/' || step || '/' || output, user_number, left_at, entered_at FROM visit
    WHERE left_at IS NOT NULL AND end_reason IS NULL""",
    "SELECT 'sent', '/' || step, user_number, occurred_at, entered_at FROM receipt WHERE kind = 'accepted'",
    """SELECT kind, '/' || step, user_number, occurred_at, entered_at FROM receipt
    WHERE kind IN ('opened', 'clicked')""",
    f"""SELECT 'variant_' || kind, '/ab/' || {_BRANCH} || '/1.0', user_number, occurred_at, entered_at
    FROM receipt WHERE kind IN ('opened', 'clicked') AND actor = 'human'""",
    "SELECT 'reached', '/' || goal, user_number, occurred_at, entered_at FROM conversion",
    f"""SELECT 'variant_reached', '/ab/' || {_BRANCH} || '/1.0/' || goal, user_number, occurred_at, entered_at
    FROM conversion""",
)
_COLUMNS = "(metric, step, output, channel, reason, happened_at, entered_at, n, amount)"


def counters(peer: duckdb.DuckDBPyConnection, rows: int = 50_000) -> Iterator[list[tuple[Any, ...]]]:
    """Clock, span, step, output, channel, metric, reason, n, amount: some thousand rows at a time."""
    _count_hours(peer)
    found = peer.execute(_SPANS)
    while page := found.fetchmany(rows):
        yield page


def _count_hours(peer: duckdb.DuckDBPyConnection) -> None:
    peer.execute(
        "CREATE OR REPLACE TABLE hourly AS SELECT 0 AS clock, 0::BIGINT AS hour, '' AS metric, "
        "'' AS step, '' AS output, '' AS channel, '' AS reason, 0::BIGINT AS n, 0::BIGINT AS amount LIMIT 0"
    )
    for source in _COUNTED:
        for clock, instant in CLOCKS.items():
            peer.execute(f"""INSERT INTO hourly
                SELECT {clock}, {instant} // {HOUR} * {HOUR}, metric, step, output, channel, reason,
                    sum(n), sum(amount)
                FROM ({source}) AS counted{_COLUMNS} GROUP BY ALL""")


_SPANS = f"""
WITH dated AS (
    SELECT *, make_timestamp((hour + {ZONE_OFFSET}) * 1000) AS place FROM hourly
), spans AS (
    SELECT clock, hour AS span, metric, step, output, channel, reason, n, amount FROM dated
    UNION ALL SELECT clock, year(place) * 10000 + month(place) * 100 + day(place), metric, step, output,
        channel, reason, n, amount FROM dated
    UNION ALL SELECT clock, year(place) * 100 + month(place), metric, step, output, channel, reason, n,
        amount FROM dated
    UNION ALL SELECT 0, 0, metric, step, output, channel, reason, n, amount FROM dated WHERE clock = 0
)
SELECT clock, span, step, output, channel, metric, reason, sum(n)::BIGINT, sum(amount)::BIGINT
FROM spans GROUP BY ALL ORDER BY clock, span, step, output, channel, metric, reason
"""


def user_sets(peer: duckdb.DuckDBPyConnection) -> Iterator[tuple[str, str, int, int, bytes]]:
    """Dimension, value, clock, span and bitmap."""
    for source in _GATHERED:
        for clock, instant in CLOCKS.items():
            for (dimension, value, span), users in _with_months(peer, source, clock, instant).items():
                yield dimension, f"{JOURNEY}{value}", clock, span, users.serialize()


def _with_months(
    peer: duckdb.DuckDBPyConnection, source: str, clock: int, instant: str
) -> dict[tuple[str, str, int], BitMap]:
    """The users of each day, of its month and, by the first clock, of all time."""
    found: defaultdict[tuple[str, str, int], BitMap] = defaultdict(BitMap)
    question = f"""
        SELECT dimension, value, ({instant} + {ZONE_OFFSET}) // {24 * HOUR} AS day,
            list(DISTINCT user_number) AS users
        FROM ({source}) AS gathered(dimension, value, user_number, happened_at, entered_at)
        GROUP BY ALL"""
    for batch in peer.sql(question).to_arrow_reader(1000):
        _take_in(found, batch, clock)
    return found


def _take_in(found: dict[tuple[str, str, int], BitMap], batch: Any, clock: int) -> None:
    columns = (batch.column(name).to_pylist() for name in ("dimension", "value", "day"))
    for dimension, value, day, users in zip(*columns, batch.column("users"), strict=True):
        bits = BitMap(array("I", users.values.to_numpy().tobytes()))
        at = date(1970, 1, 1) + timedelta(days=day)
        month = at.year * 100 + at.month
        for span in (month * 100 + at.day, month, *((0,) if clock == HAPPENED else ())):
            found[dimension, value, span] |= bits
