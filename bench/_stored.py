"""Puts the story into a database of the product: its aggregates, and its facts if they are wanted."""

import sqlite3
from collections.abc import Iterator
from typing import Any

import duckdb
import orjson

from bench import _aggregates
from bench._aggregates import JOURNEY
from bench._story import graph

PAGE = 20_000
_KEYS = "0 AS shard, 1 AS project_id, 1 AS journey_id, 1 AS version"
_FACTS = {
    "run": f"""
        SELECT {_KEYS}, r.id, r.user_number, 'in' AS entry_key, v.step::VARCHAR AS step_key, v.arrived_at,
            r.entered_at, CASE WHEN v.left_at IS NULL THEN {{end}} + 2592000000 END AS wake_at, 0 AS held,
            v.left_at AS ended_at, v.end_reason, 'sign_up' AS event_name, '{{{{}}}}' AS properties,
            '{{{{}}}}' AS goals, '{{{{}}}}' AS memory, '{{{{}}}}' AS variants, '' AS variant,
            '' AS entry_value, '' AS entry_address, 1 AS settled
        FROM run r JOIN visit v ON v.run_id = r.id AND (v.left_at IS NULL OR v.end_reason IS NOT NULL)""",
    "visit": f"""
        SELECT {_KEYS}, run_id, seq, user_number, entered_at, step::VARCHAR AS step_key, arrived_at, left_at,
            CASE WHEN end_reason IS NULL THEN output::VARCHAR ELSE '' END AS output, '' AS because,
            end_reason,
            CASE kind WHEN 'ab_split' THEN '{{{{"version":1,"round":0}}}}' ELSE '{{{{}}}}' END AS saw
        FROM visit WHERE left_at IS NOT NULL""",
    "message": f"""
        SELECT {_KEYS}, id, run_id, step::VARCHAR AS step_key, user_number, entered_at,
            channel::VARCHAR AS channel, '' AS address, status, reason, created_at,
            CASE status WHEN 'skipped' THEN 0 ELSE 1 END AS attempt,
            CASE status WHEN 'skipped' THEN NULL ELSE created_at END AS attempted_at, '' AS provider_id,
            '{{{{}}}}' AS event, '{{{{}}}}' AS heard, 'information' AS purpose, 0 AS may_fail_over,
            CASE way & 1 WHEN 0 THEN '{{{{"ab":["a",1,0]}}}}' ELSE '{{{{"ab":["b",1,0]}}}}' END AS variants,
            '' AS cap, '' AS pool, '' AS remember_as, '' AS voucher, '' AS currency
        FROM message""",
    "receipt": """
        SELECT 0 AS shard, 1 AS project_id, message_id, kind || '-' || occurred_at AS key, kind, occurred_at,
            occurred_at AS received_at, reason, '' AS code, '' AS detail, actor, '' AS actor_why,
            CASE kind WHEN 'clicked' THEN 'https://shop.example/' ELSE '' END AS url, '' AS raw,
            '' AS currency
        FROM receipt""",
    "conversion": f"""
        SELECT {_KEYS}, run_id, goal AS goal_key, digest, user_number, entered_at, occurred_at, amount
        FROM conversion""",
}


def store(peer: duckdb.DuckDBPyConnection, path: str, end: int, *, facts: bool) -> dict[str, int]:
    """Fills a new database with a project of the id 1 in it. Returns how many rows each table has got."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("BEGIN")
    _draw(connection, end)
    counted = _aggregates_of(peer, connection)
    if facts:
        for table, question in _FACTS.items():
            counted[table] = _copy(peer, connection, table, question.format(end=end))
    connection.execute("UPDATE shard_state SET next_id = ?", [1 << 50])
    connection.execute("UPDATE catalog SET epoch = epoch + 1")
    connection.execute("COMMIT")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    return counted


def _draw(connection: sqlite3.Connection, end: int) -> None:
    _insert(
        connection,
        "journey",
        {"id": JOURNEY, "project_id": 1, "title": "Thirty steps", "category": "", "status": "running"}
        | {"draft_revision": 0, "version": 1, "created_at": 0, "changed_at": 0, "was_stopped": 0}
        | {"started_at": end},
    )
    drawn = orjson.dumps(graph()).decode()
    _insert(connection, "version", {"journey_id": JOURNEY, "number": 1, "graph": drawn, "published_at": 0})


def _insert(connection: sqlite3.Connection, table: str, row: dict[str, Any]) -> None:
    connection.execute(_statement(table, list(row)), list(row.values()))


def _statement(table: str, names: list[str]) -> str:
    marks = ", ".join("?" for _ in names)
    return f"INSERT INTO {table} ({', '.join(names)}) VALUES ({marks})"


_COUNTER = ("clock", "span", "step_key", "output", "channel", "metric", "reason", "n", "amount")
_KEY = (0, 1, JOURNEY, 1, "")


def _aggregates_of(peer: duckdb.DuckDBPyConnection, connection: sqlite3.Connection) -> dict[str, int]:
    counted = {"counter": 0, "user_set": 0}
    into = _statement("counter", ["shard", "project_id", "journey_id", "version", "variant", *_COUNTER])
    for page in _aggregates.counters(peer):
        connection.executemany(into, [(*_KEY, *row) for row in page])
        counted["counter"] += len(page)
    names = ["shard", "project_id", "version", "part", "dimension", "value", "clock", "span", "bitmap"]
    rows = [(0, 1, 1, 1, *row) for row in _aggregates.user_sets(peer)]
    connection.executemany(_statement("user_set", names), rows)
    return counted | {"user_set": len(rows)}


def _copy(peer: duckdb.DuckDBPyConnection, connection: sqlite3.Connection, table: str, question: str) -> int:
    found = peer.execute(question)
    assert found.description is not None
    into, copied = _statement(table, [column[0] for column in found.description]), 0
    for page in _pages(found):
        connection.executemany(into, page)
        copied += len(page)
    return copied


def _pages(found: duckdb.DuckDBPyConnection) -> Iterator[list[tuple[Any, ...]]]:
    while page := found.fetchmany(PAGE):
        yield page
