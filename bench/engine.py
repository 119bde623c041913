"""Events through the loop, and transitions of runs, on SQLite."""

import argparse
import tempfile
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import orjson

from bench import _floor
from bench._report import figure, heading, middle, peak_memory_mb
from server.clock import HOUR, EventsClock
from server.engine.loop import Engine
from server.ingest.messages import ArrivedEvent, encode
from server.runtime import calm_collector
from server.store import inbox, migrations, projects, setup
from server.store.database import Database
from server.store.tables import Journey, Version

START = 1_710_327_600_000
NAMES = ("home", "catalog", "product_view", "product_view", "add_to_cart", "cart", "search", "purchase")
_ENTRY = {"key": "in", "kind": "entry_event", "event": "add_to_cart"}
_DELAY = {"kind": "delay", "duration_ms": HOUR}


def chain(delays: int) -> dict[str, Any]:
    """Entry, that many waits of an hour, exit."""
    keys = ["in", *(f"wait{number}" for number in range(delays)), "out"]
    waits = [{"key": key, **_DELAY} for key in keys[1:-1]]
    edges = [{"from": a, "output": "next", "to": b} for a, b in pairwise(keys)]
    goals = [{"key": "bought", "event": "purchase"}]
    return {"steps": [_ENTRY, *waits, {"key": "out", "kind": "exit"}], "edges": edges, "goals": goals}


def events(count: int, users: int) -> list[bytes]:
    """Some seconds apart, about one in eight enters the journey."""
    made = []
    for number in range(count):
        at = START + number * 1500
        properties = {"platform": "desktop", "path": f"/p/{number % 1000}", "total": 19900}
        name, user = NAMES[number % len(NAMES)], f"user-{number * 7919 % users}"
        made.append(
            encode(ArrivedEvent("track", f"message-{number}", user, None, None, name, at, at, properties, {}))
        )
    return made


async def _prepared(folder: Path, graph: dict[str, Any]) -> tuple[Database, int]:
    db = Database(f"sqlite:///{folder}/bench.db")
    await migrations.migrate(db.engine)
    async with db.write() as session:
        await setup.prepare(session)
        project = await projects.create(session, "Bench", "Asia/Seoul", START)
        journey = Journey(
            project_id=project.project_id,
            title="Bench",
            status="running",
            version=1,
            created_at=0,
            changed_at=0,
        )
        session.add(journey)
        await session.flush()
        assert journey.id is not None
        text = orjson.dumps(graph).decode()
        session.add(Version(journey_id=journey.id, number=1, graph=text, published_at=0))
    return db, project.project_id


async def _fill(db: Database, project_id: int, payloads: list[bytes]) -> None:
    for start in range(0, len(payloads), 10_000):
        entries = [
            inbox.Entry(0, project_id, inbox.EVENT, payload, START)
            for payload in payloads[start : start + 10_000]
        ]
        async with db.write() as session:
            await inbox.append(session, entries)


async def measure_events(payloads: list[bytes]) -> tuple[float, int]:
    """Events a second, and how many runs they started on the way."""
    with tempfile.TemporaryDirectory() as folder:
        db, project_id = await _prepared(Path(folder), chain(1))
        await _fill(db, project_id, payloads)
        engine = Engine(db, EventsClock(START), 1)
        started = time.perf_counter()
        progress = await engine.until_idle()
        seconds = time.perf_counter() - started
        await db.close()
        return len(payloads) / seconds, progress.transitions


async def measure_transitions(runs: int, steps: int) -> float:
    """Steps left a second, by runs that only wake, go on and wait again."""
    with tempfile.TemporaryDirectory() as folder:
        db, project_id = await _prepared(Path(folder), chain(steps))
        entries = [
            encode(
                ArrivedEvent("track", f"m{n}", f"u{n}", None, None, "add_to_cart", START + n, START, {}, {})
            )
            for n in range(runs)
        ]
        await _fill(db, project_id, entries)
        clock = EventsClock(START)
        engine = Engine(db, clock, 1)
        await engine.until_idle()
        before = engine.progress.transitions
        started = time.perf_counter()
        for hour in range(1, steps + 1):
            clock.reach(START + runs + hour * HOUR)
            await engine.until_idle()
        seconds = time.perf_counter() - started
        await db.close()
        return (engine.progress.transitions - before) / seconds


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=60_000)
    parser.add_argument("--users", type=int, default=10_000)
    parser.add_argument("--runs", type=int, default=20_000)
    parser.add_argument("--steps", type=int, default=5)
    parser.add_argument("--repeat", type=int, default=3)
    given = parser.parse_args()
    calm_collector()
    payloads = events(given.events, given.users)
    heading(
        "Engine",
        f"{given.events:,} events of {given.users:,} users; {given.runs:,} runs through {given.steps} waits; "
        f"median of {given.repeat}",
    )
    with tempfile.TemporaryDirectory() as folder:
        through, floor, moved, moved_floor = [], [], [], []
        for _ in range(given.repeat):
            rate, transitions = await measure_events(payloads)
            through.append(rate)
            floor.append(_floor.loop(Path(folder) / "loop.db", payloads, 1000))
            moved.append(await measure_transitions(given.runs, given.steps))
            moved_floor.append(_floor.transitions(Path(folder) / "runs.db", given.runs, given.steps, 1000))
    figure("events through the engine", middle(through), "events/s", floor=middle(floor), goal="≥ 10,000")
    print(f"    on the way these moved {transitions:,} visits")
    figure("transitions", middle(moved), "steps/s", floor=middle(moved_floor), goal="≥ 20,000")
    figure("peak memory of this process", peak_memory_mb(), "MB", goal="< 300")


if __name__ == "__main__":
    import uvloop

    uvloop.run(main())
