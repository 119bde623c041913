"""A small world to test in: one project, its events, its journeys, an engine on the virtual clock."""

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from itertools import count, pairwise
from typing import Any

import orjson
from sqlalchemy import event, func, select

from server.aggregates.calendar import FIRST_HOUR, HAPPENED
from server.clock import EventsClock, Instant
from server.engine.loop import Engine
from server.ingest.messages import ArrivedEvent, encode
from server.journey.graph import read_graph
from server.store import inbox, projects, setup
from server.store.bulk import table_of
from server.store.database import Database
from server.store.ids import shard_of
from server.store.tables import Connection, Counter, Journey, Run, Version, Visit

NOON = 1_710_327_600_000
"""2024-03-13 20:00 in Seoul, 11:00 UTC."""
MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000


@dataclass
class World:
    db: Database
    clock: EventsClock
    shards: int
    project: projects.NewProject
    engine: Engine
    _numbers: count = field(default_factory=lambda: count(1))

    @property
    def project_id(self) -> int:
        return self.project.project_id

    def event(
        self,
        name: str,
        at: Instant,
        /,
        *,
        user: str | None = None,
        anonymous: str | None = None,
        type: str = "track",
        message_id: str | None = None,
        previous: str | None = None,
        context: dict[str, Any] | None = None,
        **body: Any,
    ) -> ArrivedEvent:
        message_id = message_id or f"message-{next(self._numbers)}"
        return ArrivedEvent(type, message_id, user, anonymous, previous, name, at, at, body, context or {})

    async def send(
        self, *events: ArrivedEvent, kind: str = inbox.EVENT, project_id: int | None = None
    ) -> None:
        """Puts events into the inbox, as the door does once they are checked."""
        project_id = project_id or self.project_id
        entries = [
            inbox.Entry(
                shard_of(project_id, event.user_id or event.anonymous_id or "", self.shards),
                project_id,
                kind,
                encode(event),
                event.received_at,
            )
            for event in events
        ]
        async with self.db.write() as session:
            await inbox.append(session, entries)

    async def command(self, kind: str, **command: Any) -> None:
        """Puts a command into every shard's inbox."""
        payload = orjson.dumps(command)
        async with self.db.write() as session:
            await inbox.append(
                session,
                [
                    inbox.Entry(n, self.project_id, kind, payload, self.clock.now())
                    for n in range(self.shards)
                ],
            )

    async def settle(self, until: Instant | None = None) -> None:
        """Lets the engine work until nothing is left to do, at `until` if given."""
        if until is not None:
            self.clock.reach(until)
        await self.engine.until_idle()

    async def live(self, *events: ArrivedEvent, until: Instant | None = None) -> None:
        await self.send(*events)
        await self.settle(until)

    async def add_connection(
        self,
        name: str = "mail",
        adapter: str = "fake",
        *,
        channel: str = "email",
        takes: str = "",
        preference: int = 100,
        is_enabled: bool = True,
        **settings: Any,
    ) -> int:
        row = Connection(
            project_id=self.project_id,
            name=name,
            adapter=adapter,
            channel=channel,
            takes=takes,
            preference=preference,
            is_enabled=is_enabled,
            settings=orjson.dumps(settings).decode(),
            sealed=b"",
            created_at=0,
            changed_at=0,
        )
        async with self.db.write() as session:
            session.add(row)
            await session.flush()
            await setup.touch_catalog(session)
        assert row.id is not None
        return row.id

    async def add_journey(
        self, graph: Mapping[str, Any], *, status: str = "running", title: str = "Journey"
    ) -> int:
        """A journey with one published version, past the API: for tests of what lies below it."""
        problems = read_graph(graph)[1]
        assert not problems, problems
        journey = Journey(
            project_id=self.project_id, title=title, status=status, version=1, created_at=0, changed_at=0
        )
        async with self.db.write() as session:
            session.add(journey)
            await session.flush()
            assert journey.id is not None
            text = orjson.dumps(graph).decode()
            session.add(Version(journey_id=journey.id, number=1, graph=text, published_at=0))
            await setup.touch_catalog(session)
        return journey.id

    async def set_status(self, journey_id: int, status: str) -> None:
        await self._change(journey_id, status=status)

    async def pause(self, journey_id: int) -> None:
        """As an operator does: the status, and every shard is told."""
        await self._change(journey_id, status="paused", paused_at=self.clock.now())
        await self.command("pause", journey_id=journey_id)
        await self.settle()

    async def resume(self, journey_id: int) -> None:
        """Time goes on with what was left of it."""
        (journey,) = [one for one in await self.rows(Journey) if one.id == journey_id]
        await self._change(journey_id, status="running", paused_at=None)
        shift = self.clock.now() - journey.paused_at
        await self.command("resume", journey_id=journey_id, shift_ms=shift)
        await self.settle()

    async def _change(self, journey_id: int, **values: Any) -> None:
        async with self.db.write() as session:
            journey = await session.get(Journey, journey_id)
            assert journey is not None
            for name, value in values.items():
                setattr(journey, name, value)
            await setup.touch_catalog(session)

    async def counts(self, metric: str, *by: str) -> dict[Any, int]:
        """The counter of a metric: its sum by these columns (step_key, output, reason, hour …)."""
        table = table_of(Counter)
        columns = [table.c.span if name == "hour" else table.c[name] for name in by]
        hours = (table.c.metric == metric, table.c.clock == HAPPENED, table.c.span >= FIRST_HOUR)
        statement = select(*columns, func.sum(table.c.n)).where(*hours).group_by(*columns)
        async with self.db.read() as session:
            rows = await session.rows(statement)
        if not by:
            return {"": int(rows[0][0] or 0)}
        return {row[0] if len(by) == 1 else tuple(row[:-1]): int(row[-1]) for row in rows if row[-1]}

    async def hours(self) -> list[Any]:
        """The counters of single hours, by the clock of what happened."""
        rows = await self.rows(Counter, "span")
        return [row for row in rows if row.clock == HAPPENED and row.span >= FIRST_HOUR]

    async def total(self, metric: str) -> int:
        return (await self.counts(metric))[""]

    async def rows(self, model: type[Any], *order: str) -> list[Any]:
        table = table_of(model)
        async with self.db.read() as session:
            return list(await session.rows(select(table).order_by(*(table.c[name] for name in order))))

    async def path(self, run_id: int) -> list[tuple[str, str]]:
        """The steps of a run with the output, or the end reason, of each."""
        visits = [visit for visit in await self.rows(Visit, "seq") if visit.run_id == run_id]
        return [(visit.step_key, visit.output or visit.end_reason) for visit in visits]

    async def runs(self) -> list[Any]:
        return await self.rows(Run, "entered_at", "id")


@asynccontextmanager
async def open_world(url: str, *, zone: str = "Asia/Seoul", start: Instant = NOON) -> AsyncIterator[World]:
    # The tests of the server's processes wait for the disk; these have nobody else on their file.
    db = Database(url, throwaway=True)
    clock = EventsClock(start)
    async with db.write() as session:
        shards = await setup.count_shards(session)
        project = await projects.create(session, "Shop", zone, start)
    try:
        yield World(db, clock, shards, project, Engine(db, clock, shards, strict=True))
    finally:
        await db.close()


@contextmanager
def statements(db: Database) -> Iterator[list[str]]:
    """Every statement that the database sees meanwhile."""
    seen: list[str] = []

    def note(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
        seen.append(statement)

    # On PostgreSQL readers and writers share one engine.
    engines = [db.engine.sync_engine, *([db._reader.sync_engine] if db.is_sqlite else [])]
    for engine in engines:
        event.listen(engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        for engine in engines:
            event.remove(engine, "before_cursor_execute", note)


def step(key: str, kind: str, **config: Any) -> dict[str, Any]:
    return {"key": key, "kind": kind, **config}


def line(*steps: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A graph whose steps follow one another by their output `next`."""
    edges = [{"from": one["key"], "output": "next", "to": two["key"]} for one, two in pairwise(steps)]
    return {"steps": list(steps), "edges": edges, **more}


SAYING: dict[str, dict[str, Any]] = {
    "email": {"subject": "Hello", "text": "Hello, {{ user.name }}"},
    "push": {"message_title": "Hello", "text": "Hello, {{ user.name }}"},
    "sms": {"text": "Hello, {{ user.name }}"},
    "whatsapp": {"template": "hello", "language": "en", "variables": {"1": "{{ user.name }}"}},
    "alimtalk": {"template": "hello_01", "variables": {"name": "{{ user.name }}"}},
    "brand_message": {"text": "Hello, {{ user.name }}"},
    "in_app": {"message_title": "Hello", "text": "Hello, {{ user.name }}"},
    "webhook": {"options": {"data": {"name": "{{ user.name }}"}}},
    "message": {"channel": "pigeon", "content": {"text": "Hello, {{ user.name }}"}},
}
"""Enough for a step of each kind that sends to say something."""


def saying(kind: str, key: str | None = None, **config: Any) -> dict[str, Any]:
    """A message step of this kind, called after it."""
    return step(key or kind, kind, **{**SAYING[kind], **config})


def reaching(*steps: dict[str, Any], event: str = "sign_up", **more: Any) -> dict[str, Any]:
    """Enter on an event, take these steps at once, leave."""
    return line(step("entry", "entry_event", event=event), *steps, step("done", "exit"), **more)


def abandoned_cart(**more: Any) -> dict[str, Any]:
    """Enter on add_to_cart; wait an hour; if no purchase since, an e-mail; goal purchase within 7 days."""
    return {
        "steps": [
            step("cart", "entry_event", event="add_to_cart", title="Put into the cart"),
            step("hour", "delay", duration_ms=HOUR, title="One hour"),
            step(
                "bought",
                "split",
                title="Bought since?",
                branches=[{"output": "yes", "conditions": [{"about": "did", "event": "purchase"}]}],
            ),
            step(
                "mail",
                "email",
                title="Reminder",
                connection="mail",
                subject="Still thinking, {{ user.name | default: 'friend' }}?",
                html='<p><a href="https://shop.example/cart">Your cart</a></p>',
            ),
            step("done", "exit", title="Done"),
        ],
        "edges": [
            {"from": "cart", "output": "next", "to": "hour"},
            {"from": "hour", "output": "next", "to": "bought"},
            {"from": "bought", "output": "yes", "to": "done"},
            {"from": "bought", "output": "otherwise", "to": "mail"},
            {"from": "mail", "output": "next", "to": "done"},
        ],
        "goals": [{"key": "bought", "title": "Bought", "event": "purchase", "window_ms": 7 * DAY}],
        **more,
    }
