"""What deed sets cost while events come in: the same events, worked in with them and without."""

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import text

from bench._report import figure, heading, middle
from bench._user_days_house import postgres
from server.clock import DAY, MINUTE, SECOND, EventsClock
from server.engine import deeds, loop
from server.ingest.messages import ArrivedEvent, encode
from server.runtime import calm_collector
from server.store import inbox, migrations, projects, setup
from server.store.database import Database
from server.store.ids import shard_of

START = 1_710_327_600_000
DAYS = 10
EVENTS_A_VISIT = 4
ZONE = "Asia/Seoul"
_AGENTS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/126.0.0.0 Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 Version/17.5 Mobile/15E148 "
    "Safari/604.1",
    "Mozilla/5.0 (Linux; Android 14; SM-S928N) AppleWebKit/537.36 Chrome/126.0.0.0 Mobile Safari/537.36",
)
_REFERRERS = ("https://www.google.com/", "https://search.naver.com/search.naver?query=shoes", "", "")
_FACTS = text("SELECT count(*), sum(length(bitmap) + length(amounts)) FROM deed_set")
_ON_DISK = {
    "sqlite": text("SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()"),
    "postgresql": text("SELECT pg_database_size(current_database())"),
}


class Visit(NamedTuple):
    person: int
    at: int


class Worked(NamedTuple):
    rate: float
    on_disk: int
    in_sets: int
    sets: int


def visits(events: int) -> list[Visit]:
    """Each person comes about every third day; in the order of time."""
    count = events // EVENTS_A_VISIT
    people = max(1, count * 3 // DAYS)
    step = DAYS * DAY // count
    return [Visit(number * 7919 % people, START + number * step) for number in range(count)]


def user_days(told: list[Visit]) -> int:
    """In a zone whose days begin nine hours before those of UTC."""
    return len({(one.person, (one.at + 9 * 3600 * SECOND) // DAY) for one in told})


def _events(told: list[Visit]) -> Iterator[ArrivedEvent]:
    """Two pages and two things done; every thirtieth visit buys. A third of people is known by an id."""
    for number, visit in enumerate(told):
        browser = f"browser-{visit.person}"
        member = f"member-{visit.person}" if visit.person % 3 == 0 else None
        agent = _AGENTS[visit.person % len(_AGENTS)]
        last = "Order Completed" if number % 30 == 0 else "Product Added"
        done = (("page", "Home"), ("page", "Product"), ("track", "Product Viewed"), ("track", last))
        for place, (type, name) in enumerate(done):
            page = {"url": f"https://shop.example/{name.lower()}", "path": f"/{name.lower()}"}
            if place == 0:
                page["referrer"] = _REFERRERS[number % len(_REFERRERS)]
            body: dict[str, Any] = {"product_id": f"p{number % 1000}"}
            if last == name and number % 30 == 0:
                body |= {"order_id": f"o{number}", "total": 19_900, "currency": "KRW"}
            at = visit.at + place * MINUTE // 4
            about = {"userAgent": agent, "page": page}
            yield ArrivedEvent(type, f"m{number}-{place}", member, browser, None, name, at, at, body, about)


@contextmanager
def _without_deeds(leave_out: bool) -> Iterator[None]:
    """Only here, and by force: the product has no such switch."""
    kept = deeds.note, deeds.load_devices
    if leave_out:
        deeds.note = _nothing_noted
        deeds.load_devices = _nothing_loaded
    try:
        yield
    finally:
        deeds.note, deeds.load_devices = kept


def _nothing_noted(_batch: Any, _user: Any, _project: int, event: ArrivedEvent, _counts: Any) -> deeds.Noted:
    return deeds.Noted(None, None, event.user_id is not None, "")


async def _nothing_loaded(*_: Any) -> None:
    return None


@asynccontextmanager
async def _database(kind: str) -> AsyncIterator[tuple[Database, int]]:
    """A new one, with its number of shards."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/bench.db" if kind == "sqlite" else postgres(Path(folder))
        db = Database(url)
        await migrations.migrate(db.engine)
        async with db.write() as session:
            shards = await setup.prepare(session)
            await projects.create(session, "Bench", ZONE, START)
        yield db, shards
        await db.close()


async def _worked(kind: str, told: list[Visit], *, leave_out: bool) -> Worked:
    async with _database(kind) as (db, shards):
        entries = [
            inbox.Entry(
                shard_of(1, one.user_id or one.anonymous_id or "", shards),
                1,
                inbox.EVENT,
                encode(one),
                one.received_at,
            )
            for one in _events(told)
        ]
        for start in range(0, len(entries), 10_000):
            async with db.write() as session:
                await inbox.append(session, entries[start : start + 10_000])
        with _without_deeds(leave_out):
            started = time.perf_counter()
            await loop.Engine(db, EventsClock(START), shards).until_idle()
            seconds = time.perf_counter() - started
        async with db.read() as session:
            sets, in_sets = (await session.rows(_FACTS))[0]
            on_disk = (await session.rows(_ON_DISK[session.get_bind().dialect.name]))[0][0]
        return Worked(len(entries) / seconds, on_disk, in_sets or 0, sets)


async def measure(kinds: list[str], events: int, repeat: int) -> None:
    calm_collector()
    told = visits(events)
    days = user_days(told)
    heading(
        "Events with and without deed sets",
        f"{len(told) * EVENTS_A_VISIT:,} events in {len(told):,} visits on {days:,} user-days; "
        f"median of {repeat}, by turns",
    )
    # What a process reads once, such as the rules by which browsers are recognised, is no cost of an event.
    await _worked("sqlite", visits(400), leave_out=False)
    for kind in kinds:
        found: dict[bool, list[Worked]] = {False: [], True: []}
        for _ in range(repeat):
            for leave_out in (False, True):
                found[leave_out].append(await _worked(kind, told, leave_out=leave_out))
        with_sets, without = (middle([one.rate for one in found[key]]) for key in (False, True))
        worked, bare = found[False][-1], found[True][-1]
        figure(f"{kind}: events, with deed sets", with_sets, "events/s", floor=without)
        print(f"    the floor is the same without them; {worked.sets:,} sets")
        figure(f"{kind}: the sets themselves", worked.in_sets / days, "bytes a user-day")
        figure(f"{kind}: more on disk", (worked.on_disk - bare.on_disk) / days, "bytes a user-day")


def run(kinds: list[str], events: int, repeat: int) -> None:
    asyncio.run(measure(kinds, events, repeat))
