"""A database with messages that wait to leave: one project, one connection, one journey, many users."""

from typing import Any

import orjson
from sqlmodel import SQLModel

from server.journey.moment import EndReason
from server.store import migrations, projects, setup
from server.store.bulk import inserting
from server.store.database import Database
from server.store.sessions import WriteSession
from server.store.tables import Connection, Endpoint, Journey, Message, Run, User, Version

START = 1_710_327_600_000
GRAPH = {
    "steps": [
        {"key": "in", "kind": "entry_event", "event": "add_to_cart"},
        {
            "key": "mail",
            "kind": "email",
            "connection": "mail",
            "subject": "Still thinking, {{ user.name }}?",
            "text": "Hello {{ user.name | default: 'you' }}, {{ event.properties.item }} waits in your cart.",
        },
        {"key": "out", "kind": "exit"},
    ],
    "edges": [
        {"from": "in", "output": "next", "to": "mail"},
        {"from": "mail", "output": "next", "to": "out"},
    ],
}
_EVENT = orjson.dumps({"name": "add_to_cart", "properties": {"item": "Lamp", "price": 19900}}).decode()


async def prepared(db: Database) -> tuple[int, int]:
    """A migrated database with a project and a running journey: their ids."""
    await migrations.migrate(db.engine)
    async with db.write() as session:
        await setup.prepare(session)
        project = await projects.create(session, "Bench", "Asia/Seoul", START)
        about: dict[str, Any] = {"created_at": 0, "changed_at": 0, "version": 1}
        journey = Journey(project_id=project.project_id, title="Bench", status="running", **about)
        session.add(journey)
        await session.flush()
        assert journey.id is not None
        text = orjson.dumps(GRAPH).decode()
        session.add(Version(journey_id=journey.id, number=1, graph=text, published_at=0))
    return project.project_id, journey.id


async def connect(db: Database, project_id: int, name: str, adapter: str, base_url: str) -> int:
    row = Connection(
        project_id=project_id,
        name=name,
        adapter=adapter,
        channel="email",
        settings=orjson.dumps({"base_url": base_url}).decode(),
        sealed=b"",
        created_at=0,
        changed_at=0,
    )
    async with db.write() as session:
        session.add(row)
        await session.flush()
        await setup.touch_catalog(session)
    assert row.id is not None
    return row.id


async def fill(
    db: Database, project_id: int, journey_id: int, connection_ids: list[int], count: int, at: int
) -> None:
    """So many messages, due at `at`, dealt over the connections."""
    for start in range(0, count, 5000):
        numbers = range(start, min(start + 5000, count))
        async with db.write() as session:
            await _put(session, User, [_user(project_id, n) for n in numbers])
            await _put(session, Endpoint, [_endpoint(project_id, n) for n in numbers])
            await _put(session, Run, [_run(project_id, journey_id, n, at) for n in numbers])
            through = {n: connection_ids[n % len(connection_ids)] for n in numbers}
            await _put(
                session, Message, [_message(project_id, journey_id, n, through[n], at) for n in numbers]
            )


async def _put(session: WriteSession, model: type[SQLModel], rows: list[dict[str, Any]]) -> None:
    """Rows of a table; what they do not say is as the table has it by default."""
    bulk = inserting(model)
    usual = {name: model.model_fields[name].get_default() for name in bulk.columns if name not in rows[0]}
    await session.bulk(bulk, [tuple({**usual, **row}[name] for name in bulk.columns) for row in rows])


def _user(project_id: int, number: int) -> dict[str, Any]:
    attributes = orjson.dumps({"name": f"User {number}", "plan": "free", "city": "Seoul"}).decode()
    about = {"shard": 0, "project_id": project_id, "number": number, "user_id": f"user-{number}"}
    return {**about, "attributes": attributes, "created_at": START}


def _endpoint(project_id: int, number: int) -> dict[str, Any]:
    return {
        "shard": 0,
        "project_id": project_id,
        "user_number": number,
        "channel": "email",
        "address": f"user-{number}@example.com",
        "is_current": True,
        "state": "usable",
        "changed_at": START,
        "because": "",
    }


def _run(project_id: int, journey_id: int, number: int, at: int) -> dict[str, Any]:
    """A run that has gone on to its end: whatever becomes of its message moves it no more."""
    return {
        "shard": 0,
        "id": number + 1,
        "project_id": project_id,
        "journey_id": journey_id,
        "version": 1,
        "user_number": number,
        "entry_key": "in",
        "step_key": "out",
        "arrived_at": at,
        "entered_at": at,
        "ended_at": at,
        "end_reason": EndReason.COMPLETED.value,
        "event_name": "add_to_cart",
        "properties": "{}",
        "goals": "{}",
    }


def _message(project_id: int, journey_id: int, number: int, connection_id: int, at: int) -> dict[str, Any]:
    return {
        "shard": 0,
        "id": number + 1,
        "project_id": project_id,
        "journey_id": journey_id,
        "version": 1,
        "run_id": number + 1,
        "step_key": "mail",
        "user_number": number,
        "entered_at": at,
        "channel": "email",
        "connection_id": connection_id,
        "address": f"user-{number}@example.com",
        "status": "queued",
        "reason": "",
        "created_at": at,
        "due_at": at,
        "attempt": 0,
        "provider_id": "",
        "event": _EVENT,
        "heard": "{}",
        "purpose": "information",
        "may_fail_over": False,
    }
