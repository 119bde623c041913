"""The floors: the same jobs written by hand with `sqlite3`, without any of what makes them a product."""

import json
import sqlite3
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path


def _open(path: Path) -> sqlite3.Connection:
    path.unlink(missing_ok=True)
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.executescript(
        """
        CREATE TABLE inbox (id INTEGER PRIMARY KEY, payload BLOB);
        CREATE TABLE event (message_id TEXT PRIMARY KEY, user_id TEXT, at INTEGER, payload BLOB)
            WITHOUT ROWID;
        CREATE TABLE run (id INTEGER PRIMARY KEY, step INTEGER, wake_at INTEGER);
        CREATE INDEX run_due ON run (wake_at);
        CREATE TABLE visit (run_id INTEGER, step INTEGER, at INTEGER);
        CREATE TABLE counter (name TEXT PRIMARY KEY, n INTEGER) WITHOUT ROWID;
        """
    )
    return connection


def append(path: Path, bodies: Sequence[bytes], group: int) -> float:
    """Rows a second into an inbox, parsed and committed in groups."""
    connection = _open(path)
    started = time.perf_counter()
    for start in range(0, len(bodies), group):
        rows = [
            (item["messageId"], json.dumps(item)) for item in map(json.loads, bodies[start : start + group])
        ]
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany("INSERT INTO inbox (payload) VALUES (?)", [(payload,) for _, payload in rows])
        connection.execute("COMMIT")
    seconds = time.perf_counter() - started
    connection.close()
    return len(bodies) / seconds


def loop(path: Path, payloads: Sequence[bytes], batch: int) -> float:
    """Events a second through a minimal loop: inbox to events and counters, batch by batch."""
    connection = _open(path)
    connection.execute("BEGIN")
    connection.executemany("INSERT INTO inbox (payload) VALUES (?)", [(payload,) for payload in payloads])
    connection.execute("COMMIT")
    started = time.perf_counter()
    while rows := connection.execute(
        "SELECT id, payload FROM inbox ORDER BY id LIMIT ?", (batch,)
    ).fetchall():
        events = [json.loads(payload) for _, payload in rows]
        counts = Counter(event[6] for event in events)
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany(
            "INSERT OR IGNORE INTO event VALUES (?, ?, ?, ?)",
            [
                (event[2], event[3], event[7], payload)
                for event, (_, payload) in zip(events, rows, strict=True)
            ],
        )
        connection.executemany(
            "INSERT INTO counter VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET n = n + excluded.n",
            list(counts.items()),
        )
        connection.executemany("DELETE FROM inbox WHERE id = ?", [(id,) for id, _ in rows])
        connection.execute("COMMIT")
    seconds = time.perf_counter() - started
    connection.close()
    return len(payloads) / seconds


def transitions(path: Path, runs: int, steps: int, batch: int) -> float:
    """Steps a second of runs that wake, leave a visit and wait again."""
    connection = _open(path)
    connection.execute("BEGIN")
    connection.executemany("INSERT INTO run (step, wake_at) VALUES (0, ?)", [(n % 97,) for n in range(runs)])
    connection.execute("COMMIT")
    started = time.perf_counter()
    for now in range(1000, 1000 * (steps + 1), 1000):
        while rows := connection.execute(
            "SELECT id, step, wake_at FROM run WHERE wake_at < ? ORDER BY wake_at LIMIT ?", (now, batch)
        ).fetchall():
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany(
                "UPDATE run SET step = ?, wake_at = ? WHERE id = ?",
                [(step + 1, now + id % 97, id) for id, step, _ in rows],
            )
            connection.executemany(
                "INSERT INTO visit VALUES (?, ?, ?)", [(id, step, now) for id, step, _ in rows]
            )
            connection.execute("COMMIT")
    seconds = time.perf_counter() - started
    connection.close()
    return runs * steps / seconds
