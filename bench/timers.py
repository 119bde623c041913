"""A million sleeping runs, of which a hundred thousand fall due in one minute: are they on time, and once?

The runs lie in a file of SQLite as if they had entered long ago; a real server is started on it and works
them off. From outside, what has left its wait by now is looked at again and again, so lateness is that of the
commit and includes the time between two looks. Beside it, in the same run, the floor: the same number of runs
woken by hand as fast as `sqlite3` can.
"""

import argparse
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from bench import _floor
from bench._report import figure, heading
from bench._server import Server

HOUR, DAY = 3_600_000, 86_400_000
LOOK_SECONDS = 0.05
AHEAD_MS = 20_000
"""From the start of the server to the first run that is due."""
GRAPH: dict[str, Any] = {
    "steps": [
        {"key": "in", "kind": "entry_event", "event": "sign_up"},
        {"key": "wait", "kind": "delay", "duration_ms": 30 * DAY},
        {"key": "out", "kind": "exit"},
    ],
    "edges": [
        {"from": "in", "output": "next", "to": "wait"},
        {"from": "wait", "output": "next", "to": "out"},
    ],
}
_JOURNEY = """
INSERT INTO journey (project_id, title, category, status, draft_revision, version, created_at, changed_at,
    was_stopped) VALUES (1, 'Timers', '', 'running', 0, 1, 0, 0, 0)
"""
_VERSION = "INSERT INTO version (journey_id, number, graph, published_at) VALUES (1, 1, ?, 0)"
_USER = "INSERT INTO user (shard, project_id, number, attributes, created_at) VALUES (0, 1, ?, '{}', 0)"
_RUN = """
INSERT INTO run (shard, id, project_id, journey_id, version, user_number, entry_key, step_key, arrived_at,
    entered_at, wake_at, held, event_name, properties, goals, memory, variants, variant, entry_value,
    entry_address)
VALUES (0, ?, 1, 1, 1, ?, 'in', 'wait', ?, ?, ?, 0, 'sign_up', '{}', '{}', '{}', '{}', '', '', '')
"""
_COUNTED = """
INSERT INTO counter (shard, project_id, journey_id, version, step_key, output, channel, variant, metric,
    reason, hour, n, amount) VALUES (0, 1, 1, 1, ?, ?, '', '', ?, '', 0, ?, 0)
"""


def prepare(path: str, sleeping: int, wakes: list[int]) -> None:
    """Everybody entered at the beginning of time; so many wake at these instants, the rest in a month."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("BEGIN")
    connection.execute(_JOURNEY)
    connection.execute(_VERSION, [orjson.dumps(GRAPH).decode()])
    connection.executemany(_USER, ((number,) for number in range(sleeping)))
    connection.executemany(_RUN, _runs(sleeping, wakes))
    for step, output, metric in (("in", "", "entries"), ("in", "", "arrivals"), ("in", "next", "left")):
        connection.execute(_COUNTED, [step, output, metric, sleeping])
    connection.execute(_COUNTED, ["wait", "", "arrivals", sleeping])
    connection.execute("UPDATE shard_state SET next_id = ?", [sleeping + 1])
    connection.execute("UPDATE catalog SET epoch = epoch + 1")
    connection.execute("COMMIT")
    connection.close()


def _runs(sleeping: int, wakes: list[int]) -> Iterator[tuple[int, ...]]:
    later = max(wakes) + 30 * DAY
    for number in range(sleeping):
        wake = wakes[number] if number < len(wakes) else later + number
        yield (number + 1) << 12, number, 0, 0, wake


def watch(path: str, wakes: list[int]) -> tuple[list[float], int]:
    """How late each run left its wait, in milliseconds, and how many had left before they were due."""
    connection = sqlite3.connect(path)
    done, early, lateness = 0, 0, []
    while done < len(wakes):
        time.sleep(LOOK_SECONDS)
        (count,) = connection.execute("SELECT count(*) FROM visit WHERE step_key = 'wait'").fetchone()
        now = time.time() * 1000
        lateness += [now - wake for wake in wakes[done:count]]
        early += sum(wake > now for wake in wakes[done:count])
        done = count
    connection.close()
    return lateness, early


_TWICE = """
SELECT count(*) FROM
    (SELECT run_id FROM visit WHERE step_key = 'wait' GROUP BY run_id HAVING count(*) > 1)
"""


def twice(path: str) -> int:
    connection = sqlite3.connect(path)
    (found,) = connection.execute(_TWICE).fetchone()
    connection.close()
    return int(found)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sleeping", type=int, default=1_000_000)
    parser.add_argument("--due", type=int, default=100_000)
    parser.add_argument("--within", type=int, default=60, help="seconds")
    given = parser.parse_args()
    heading(
        "Timers", f"{given.sleeping:,} sleeping runs; {given.due:,} of them fall due within {given.within} s"
    )
    with tempfile.TemporaryDirectory() as folder:
        server = Server(Path(folder))
        path = server.database.removeprefix("sqlite:///")
        step = given.within * 1000 / given.due
        # Filling takes its time; the instants are put where they belong once it is over.
        prepare(path, given.sleeping, [int(number * step) for number in range(given.due)])
        start = int(time.time() * 1000) + AHEAD_MS
        shift = sqlite3.connect(path)
        shift.execute("UPDATE run SET wake_at = wake_at + ?", [start])
        shift.commit()
        shift.close()
        wakes = [start + int(number * step) for number in range(given.due)]
        server.start()
        lateness, early = watch(path, wakes)
        memory, ready = server.peak_memory_mb(), server.start_seconds
        server.stop()
        again = twice(path)
        doctor = server.run("doctor")
        floor = _floor.transitions(Path(folder) / "floor.db", given.due, 1, 1000)
    ordered = sorted(lateness)
    figure("lateness, median", ordered[len(ordered) // 2], "ms")
    figure("lateness, 99th of a hundred", ordered[int(len(ordered) * 0.99)], "ms", goal="≤ 5,000")
    figure("lateness, worst", ordered[-1], "ms")
    figure("woken before they were due", early, "runs", goal="0")
    figure("woken twice", again, "runs", goal="0")
    figure("due a second", given.due / given.within, "runs/s")
    figure("woken a second by hand (floor)", floor, "runs/s")
    figure("start of the server on this file", ready * 1000, "ms")
    figure("peak memory of the server", memory, "MB", goal="< 300")
    print(doctor.stdout)


if __name__ == "__main__":
    main()
