"""Two workers on one PostgreSQL: one is frozen in the middle of its work, and thawed without its lease."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from sqlalchemy import func, select

from bench._mailbox import Mailbox
from bench._server import Server
from bench.replay import CONNECT, CREATE, PUBLISH, START
from server.store.bulk import table_of
from server.store.database import Database
from server.store.tables import Lease, Message, Run

pytestmark = [pytest.mark.anyio, pytest.mark.postgres, pytest.mark.slow]

PEOPLE = 120
PATIENCE = 2400
"""Looks, of a twentieth of a second each: leases run out by the database's clock, which nobody can turn."""
GRAPH = {
    "steps": [
        {"entryEvent": {"key": "in", "event": "sign_up"}},
        {
            "email": {
                "key": "mail",
                "connection": "mail",
                "subject": "Hello",
                "text": "Hello",
                "ifNotSent": "END",
            }
        },
        {"delay": {"key": "wait", "durationSeconds": 1}},
        {"exit": {"key": "out"}},
    ],
    "edges": [{"from": "in", "to": "mail"}, {"from": "mail", "to": "wait"}, {"from": "wait", "to": "out"}],
}


@pytest.fixture
async def house(database_url: str, tmp_path: Path) -> AsyncIterator[tuple[Server, list[Server]]]:
    """A process that only takes in and answers, and two that only work."""
    about = {"database": database_url}
    api = await asyncio.to_thread(Server, tmp_path, "--only", "api", **about)
    workers = [Server(tmp_path, "--only", "engine,dispatch", keys=api.keys, **about) for _ in range(2)]
    everybody = [api, *workers]
    try:
        for one in everybody:
            await asyncio.to_thread(one.start)
        yield api, workers
    finally:
        for one in everybody:
            one.thaw()
            await asyncio.to_thread(one.stop)


def ask(server: Server, query: str, **variables: object) -> dict[str, dict[str, object]]:
    headers = {"Authorization": f"Bearer {server.keys['secretKey']}"}
    body = {"query": query, "variables": variables}
    answer = httpx.post(f"{server.url}/graphql", json=body, headers=headers, timeout=60).json()
    assert "errors" not in answer, answer
    data: dict[str, dict[str, object]] = answer["data"]
    return data


def begin(server: Server, mailbox: Mailbox) -> None:
    settings = {
        "host": "127.0.0.1",
        "port": mailbox.port,
        "security": "none",
        "from_address": "shop@shop.example",
    }
    ask(server, CONNECT, input={"name": "mail", "adapter": "smtp", "settings": settings})
    made = ask(server, CREATE, input={"title": "Hello", "graph": GRAPH})
    journey = made["createJourney"]["journey"]
    assert isinstance(journey, dict)
    ask(server, PUBLISH, id=journey["id"])
    ask(server, START, id=journey["id"])


def sign_up(server: Server, numbers: range) -> None:
    batch = [
        one
        for number in numbers
        for one in (
            {"type": "identify", "userId": f"u{number}", "traits": {"email": f"u{number}@shop.example"}},
            {"type": "track", "userId": f"u{number}", "event": "sign_up"},
        )
    ]
    for start in range(0, len(batch), 200):
        body = {"batch": batch[start : start + 200]}
        answer = httpx.post(
            f"{server.url}/v1/batch", json=body, auth=(server.keys["writeKey"], ""), timeout=60
        )
        assert answer.status_code == 200, answer.text


async def some_mails(mailbox: Mailbox, least: int) -> None:
    """Returns as soon as so many have arrived: the sending is in full swing."""
    for _ in range(PATIENCE * 5):
        if len(mailbox.mails) >= least:
            return
        await asyncio.sleep(0.01)
    raise AssertionError(f"wanted {least} mails, found {len(mailbox.mails)}")


async def until(db: Database, statement: object, wanted: object) -> None:
    for _ in range(PATIENCE):
        async with db.read() as session:
            found = [tuple(row) for row in await session.rows(statement)]  # type: ignore[call-overload]  # any select
        if found == wanted:
            return
        await asyncio.sleep(0.05)
    raise AssertionError(f"wanted {wanted}, found {found}")


@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
async def test_whoever_was_frozen_writes_nothing_stale_and_nobody_gets_a_mail_twice(
    house: tuple[Server, list[Server]], database_url: str
) -> None:
    api, (frozen, other) = house
    leases, runs, messages = table_of(Lease), table_of(Run), table_of(Message)
    db = Database(database_url)
    held = (
        select(func.count(leases.c.holder.distinct()))
        .where(leases.c.work.in_(("engine", "dispatch")), leases.c.holder != "")
        .where(leases.c.until > func.extract("epoch", func.clock_timestamp()) * 1000)
    )
    with Mailbox() as mailbox:
        await asyncio.to_thread(begin, api, mailbox)
        await until(db, held, [(4,)])
        await asyncio.to_thread(sign_up, api, range(PEOPLE // 2))
        await some_mails(mailbox, PEOPLE // 20)
        frozen.freeze()
        await asyncio.to_thread(sign_up, api, range(PEOPLE // 2, PEOPLE))
        await until(db, held, [(2,)])
        open_runs = select(func.count()).select_from(runs).where(runs.c.wake_at.is_not(None))
        await until(db, open_runs, [(0,)])
        frozen.thaw()
        await until(db, held, [(4,)])
        settled = messages.c.status.in_(("accepted", "unknown"))
        await until(db, select(func.count()).select_from(messages).where(settled), [(PEOPLE,)])
        assert mailbox.doubles() == []
        by_status = select(messages.c.status, func.count()).group_by(messages.c.status)
        async with db.read() as session:
            counts = {row[0]: row[1] for row in await session.rows(by_status)}
        # What was under way when it froze is unknown to us, and was not sent again by the other.
        assert counts.get("accepted", 0) <= len(mailbox.mails) <= PEOPLE
    await db.close()
    for command in (("recount", "--check"), ("doctor",)):
        done = await asyncio.to_thread(other.run, *command)
        assert done.returncode == 0, done.stdout + done.stderr
