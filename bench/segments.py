"""Who meets five conditions, of a million people: the preview over HTTP's own resolver, beside plain SQL.

The same rows answer both: users, events and the sets that the engine would have made of them. Every count is
compared before anything is timed.
"""

import argparse
import asyncio
import sqlite3
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from pyroaring import BitMap

from bench._report import figure, heading, middle, peak_memory_mb
from server.aggregates import attribute_recount, deed_sets
from server.aggregates.calendar import day_of, start_of
from server.aggregates.deed_sets import Of, Row
from server.aggregates.deeds import Deed, Unit, spread
from server.clock import DAY, HOUR, Instant
from server.journey.local_time import day_of as date_of
from server.segments import reading, sets
from server.store import migrations, projects, setup
from server.store.bulk import inserting
from server.store.database import Database
from server.store.tables import DeedValue, Event, User

ZONE = "Asia/Seoul"
START = 1_704_034_800_000
"""The 1st of January 2024 in Seoul."""
DAYS = 60
NOW = START + DAYS * DAY - HOUR
EVENTS = ("view", "order", "review")
PLANS = ("free", "member", "vip")
PAGE = 20_000
_USERS = inserting(User, "shard", "project_id", "number", "attributes", "created_at", "user_id")
_EVENTS = inserting(Event)
_VALUES = inserting(DeedValue)

CONDITIONS: dict[str, dict[str, Any]] = {
    "five conditions": {
        "all": [
            {"attribute": {"name": "plan", "operator": "one_of", "value": ["member", "vip"]}},
            {"attribute": {"name": "age", "operator": "at_least", "value": 30}},
            {"did": {"event": "order", "at_least": 2, "window": {"last_days": 30}}},
            {"did": {"event": "view", "window": {"last_days": 7}}},
            {"not": {"did": {"event": "review"}}},
        ]
    },
    "first order in the last 30 days": {
        "did": {"event": "order", "which": "first", "window": {"last_days": 30}}
    },
    "last seen more than 14 days ago": {
        "did": {"event": "view", "which": "last", "window": {"before_last_days": 14}}
    },
    "an order in the last 7 × 24 hours": {"did": {"event": "order", "window": {"within_ms": 7 * DAY}}},
}


def _sql(name: str) -> str:
    """The same in SQL, by the best of the indexes that there are."""
    since_30, since_14, since_7 = (start_of(_days_ago(n), ZONE) for n in (29, 13, 6))
    here = "e.shard = 0 AND e.project_id = 1 AND e.user_number = u.number"
    users = "SELECT count(*) FROM user u WHERE u.merged_into IS NULL AND u.erased_at IS NULL AND "
    events = f"(SELECT count(*) FROM event e WHERE {here} AND e.name = "  # noqa: S608 - all of it is ours
    some = f"EXISTS (SELECT 1 FROM event e WHERE {here} AND e.name = "  # noqa: S608 - likewise
    return {
        "five conditions": f"{users} json_extract(u.attributes, '$.plan') IN ('member', 'vip')"
        " AND json_extract(u.attributes, '$.age') >= 30"
        f" AND {events} 'order' AND e.occurred_at >= {since_30}) >= 2"
        f" AND {some} 'view' AND e.occurred_at >= {since_7}) AND NOT {some} 'review')",
        "first order in the last 30 days": f"{users} {some} 'order' AND e.occurred_at >= {since_30})"
        f" AND NOT {some} 'order' AND e.occurred_at < {since_30})",
        "last seen more than 14 days ago": f"{users} {some} 'view' AND e.occurred_at < {since_14})"
        f" AND NOT {some} 'view' AND e.occurred_at >= {since_14})",
        "an order in the last 7 × 24 hours": f"{users} {some} 'order' AND e.occurred_at > {NOW - 7 * DAY})",
    }[name]


def _days_ago(days: int) -> Any:
    return date_of(NOW - days * DAY, ZONE)


async def _fill(db: Database, people: int) -> int:
    """Users, their events, and the sets of both. Returns how many events."""
    random = np.random.default_rng(7)
    await migrations.migrate(db.engine)
    async with db.write() as session:
        await setup.prepare(session)
        project = (await projects.create(session, "Bench", ZONE, START)).project_id
    assert project == 1
    plans, ages = random.integers(0, 3, people), random.integers(15, 75, people)
    for start in range(0, people, PAGE):
        numbers = range(start, min(people, start + PAGE))
        rows = [
            (0, project, n, _attributes(n, int(plans[n]), int(ages[n])), START, f"user-{n}") for n in numbers
        ]
        async with db.write() as session:
            await session.bulk(_USERS, rows)
    async with db.write() as session:
        await attribute_recount.rebuild(session)
        await session.bulk(_VALUES, [(project, Deed.DID.value, name, START) for name in EVENTS])
    told = 0
    for name, share in zip(EVENTS, (0.05, 0.01, 0.002), strict=True):
        told += await _live(db, project, people, random, name, share)
    return told


def _attributes(number: int, plan: int, age: int) -> str:
    told = {"plan": PLANS[plan], "age": age, "email": f"person-{number}@example.com", "city": "서울"}
    return orjson.dumps(told).decode()


async def _live(
    db: Database, project: int, people: int, random: np.random.Generator, name: str, share: float
) -> int:
    """Each day a share of the people does it, some of them twice."""
    sums: dict[int, np.ndarray[Any, Any]] = {}
    told = 0
    for day in range(DAYS):
        users = np.sort(random.choice(people, int(people * share), replace=False))
        at = START + day * DAY + random.integers(0, DAY - HOUR, len(users))
        times = random.integers(1, 3, len(users))
        rows = _events(project, name, users, at, times)
        span = day_of(START + day * DAY, ZONE)
        for wide in spread(span):
            sums.setdefault(wide, np.zeros(people, dtype=np.int64))[users] += times
        async with db.write() as session:
            for start in range(0, len(rows), PAGE):
                await session.bulk(_EVENTS, rows[start : start + PAGE])
        told += len(rows)
    parts = [_part(project, name, span, amounts) for span, amounts in sums.items()]
    async with db.write() as session:
        await deed_sets.write_deeds(session, 1, parts)
    return told


def _part(project: int, name: str, span: int, amounts: "np.ndarray[Any, Any]") -> Row:
    users = np.flatnonzero(amounts)
    of = Of(Unit.USER, Deed.DID.value, name)
    return Row(0, project, of, span, BitMap(users.astype(np.uint32)), amounts[users])


def _events(project: int, name: str, users: Any, at: Any, times: Any) -> list[tuple[Any, ...]]:
    rows = []
    for user, when, many in zip(users.tolist(), at.tolist(), times.tolist(), strict=True):
        for one in range(many):
            digest = f"{name}{user:08x}{when + one:012x}"
            rows.append(
                (0, project, user, when + one, digest, "track", name, "{}", "{}", when, None, None, False, "")
            )
    return rows


async def ask(db: Database, name: str) -> tuple[int, float]:
    """How many, and in how many milliseconds, everything from the conditions on included."""
    began = time.perf_counter()
    async with db.read() as session:
        askable, problems = await reading.read(session, 1, CONDITIONS[name])
        assert not problems, problems
        at: Instant = await sets.latest(session, NOW)
        met = await sets.members(session, 1, 1, askable.question, askable.lists, at)
        everybody = await sets.everybody(session, 1, 1)
    count = sum(map(len, met.values()))
    assert sum(map(len, everybody.values())) >= count
    return count, (time.perf_counter() - began) * 1000


def plain(path: Path, name: str) -> tuple[int, float]:
    connection = sqlite3.connect(path)
    began = time.perf_counter()
    count = connection.execute(_sql(name)).fetchone()[0]
    spent = (time.perf_counter() - began) * 1000
    connection.close()
    return count, spent


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=1_000_000)
    parser.add_argument("--times", type=int, default=9)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "bench.db"
        db = Database(f"sqlite:///{path}")
        events = await _fill(db, given.people)
        heading("Segments", f"{given.people:,} people, {events:,} events in {DAYS} days")
        for name in CONDITIONS:
            await _compare(db, path, name, given.times)
        await db.close()
    figure("peak memory of this process", peak_memory_mb(), "MB")


async def _compare(db: Database, path: Path, name: str, times: int) -> None:
    count, first = await ask(db, name)
    wanted, by_sql = plain(path, name)
    assert count == wanted, f"{name}: {count} by sets, {wanted} by SQL"
    spent: Sequence[float] = [(await ask(db, name))[1] for _ in range(times)]
    goal = "≤ 100" if name == "five conditions" else ""
    print(f"  {name}: {count:,} people")
    figure("    preview", middle(list(spent)), "ms", floor=by_sql, goal=goal)
    figure("    the first time", first, "ms")


if __name__ == "__main__":
    asyncio.run(main())
