"""A journey launched for a million people on SQLite: entries a second, and memory on the way."""

import argparse
import sqlite3
import tempfile
import time
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import func, select

from bench._report import figure, heading, peak_memory_mb
from server.clock import DAY, EventsClock
from server.engine import leases
from server.engine.loop import Engine
from server.runtime import calm_collector
from server.store import migrations, projects, setup
from server.store.bulk import inserting, table_of
from server.store.database import Database
from server.store.tables import Journey, Run, User, Version, Visit

START = 1_710_327_600_000
GRAPH: dict[str, Any] = {
    "steps": [
        {"key": "in", "kind": "entry_audience"},
        {"key": "wait", "kind": "delay", "duration_ms": DAY},
        {"key": "out", "kind": "exit"},
    ],
    "edges": [
        {"from": "in", "output": "next", "to": "wait"},
        {"from": "wait", "output": "next", "to": "out"},
    ],
}
PAGE = 10_000
_USERS = inserting(User, "shard", "project_id", "number", "attributes", "created_at", "user_id")


async def _prepared(folder: Path, people: int) -> Database:
    """A project with so many users, and a journey that lets in everybody at once."""
    db = Database(f"sqlite:///{folder}/bench.db")
    await migrations.migrate(db.engine)
    async with db.write() as session:
        await setup.prepare(session)
        project = await projects.create(session, "Bench", "Asia/Seoul", START)
        about: dict[str, Any] = {"title": "Bench", "status": "running", "version": 1, "started_at": START}
        journey = Journey(project_id=project.project_id, created_at=0, changed_at=0, **about)
        session.add(journey)
        await session.flush()
        assert journey.id is not None
        text = orjson.dumps(GRAPH).decode()
        session.add(Version(journey_id=journey.id, number=1, graph=text, published_at=START))
    for start in range(0, people, PAGE):
        numbers = range(start, min(people, start + PAGE))
        rows = [(0, project.project_id, n, f'{{"name":"Person {n}"}}', START, f"user-{n}") for n in numbers]
        async with db.write() as session:
            await session.bulk(_USERS, rows)
    return db


def _memory_mb() -> float:
    """What this process has in memory now."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return peak_memory_mb()


async def launch(db: Database, people: int) -> tuple[float, list[tuple[int, float]]]:
    """Seconds until everybody is in, and the memory after each tenth of them."""
    engine = Engine(db, EventsClock(START), 1)
    await engine.take_shards()
    memory: list[tuple[int, float]] = []
    started = renewed = time.perf_counter()
    while await engine.work_once():
        done = engine.progress.transitions
        if done >= (len(memory) + 1) * people / 10:
            memory.append((done, _memory_mb()))
        if time.perf_counter() > renewed + leases.LASTS_MS / 3000:
            await engine.take_shards()
            renewed = time.perf_counter()
    return time.perf_counter() - started, memory


async def _count(db: Database) -> int:
    async with db.read() as session:
        return int((await session.rows(select(func.count()).select_from(table_of(Run))))[0][0])


async def floor(source: Path, target: Path) -> float:
    """Seconds to write the very rows of runs and visits into empty tables of the same shape, page by page."""
    db = Database(f"sqlite:///{target}")
    await migrations.migrate(db.engine)
    await db.close()
    rows = sqlite3.connect(source)
    into = sqlite3.connect(target, isolation_level=None)
    into.execute("PRAGMA journal_mode=WAL")
    into.execute("PRAGMA synchronous=FULL")
    spent = 0.0
    for model in (Run, Visit):
        name = str(model.__tablename__)
        cursor = rows.execute(f"SELECT * FROM {name}")  # noqa: S608 a table of ours
        marks = ", ".join("?" for _ in cursor.description)
        while page := cursor.fetchmany(1000):
            started = time.perf_counter()
            into.execute("BEGIN IMMEDIATE")
            into.executemany(f"INSERT INTO {name} VALUES ({marks})", page)  # noqa: S608 the same table
            into.execute("COMMIT")
            spent += time.perf_counter() - started
    rows.close()
    into.close()
    return spent


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=1_000_000)
    given = parser.parse_args()
    calm_collector()
    heading("Launch", f"a journey at once for {given.people:,} people, who then wait a day")
    with tempfile.TemporaryDirectory() as folder:
        db = await _prepared(Path(folder), given.people)
        before = _memory_mb()
        began = time.process_time()
        seconds, memory = await launch(db, given.people)
        computed = time.process_time() - began
        runs = await _count(db)
        await db.close()
        bare = await floor(Path(folder) / "bench.db", Path(folder) / "floor.db")
    assert runs == given.people, f"{runs} runs for {given.people} people"
    rate, wanted = given.people / seconds, given.people / bare
    figure("entries", rate, "people/s", floor=wanted, goal="> 5,000")
    figure("time", seconds, "s")
    figure("entries by computing time alone", given.people / computed, "people/s")
    print("    memory in MB: " + ", ".join(f"{done:,}: {mb:.0f}" for done, mb in [(0, before), *memory]))
    figure("peak memory of this process", peak_memory_mb(), "MB", goal="flat")


if __name__ == "__main__":
    import uvloop

    uvloop.run(main())
