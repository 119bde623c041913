"""`sojourn serve` as a process: started, told to stop, killed, and started again."""

import asyncio
import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from bench._server import Server
from tests.waiting import PATIENCE, until

pytestmark = pytest.mark.anyio


def leases(server: Server) -> list[str]:
    return [row[0] for row in rows(server, "SELECT work FROM lease WHERE holder <> ''")]


def events(server: Server) -> int:
    return int(rows(server, "SELECT count(*) FROM event")[0][0])


def rows(server: Server, query: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(server.database.removeprefix("sqlite:///"), PATIENCE)) as connection:
        return connection.execute(query).fetchall()


def track(server: Server, name: str) -> int:
    answer = httpx.post(
        f"{server.url}/v1/track",
        content=json.dumps({"event": name, "userId": "kim"}),
        auth=(server.keys["writeKey"], ""),
        timeout=PATIENCE,
    )
    return answer.status_code


async def test_told_to_stop_it_lets_its_shards_go_and_exits_well(tmp_path: Path) -> None:
    server = Server(tmp_path)
    await asyncio.to_thread(server.start)
    # It answers before its loops have taken their first look.
    await until(lambda: "engine" in leases(server), every=0.05)
    assert await asyncio.to_thread(server.stop) == 0
    assert leases(server) == []


async def test_killed_it_has_every_event_that_it_acknowledged_and_works_on_at_once(tmp_path: Path) -> None:
    server = Server(tmp_path)
    await asyncio.to_thread(server.start)
    for number in range(20):
        assert await asyncio.to_thread(track, server, f"event {number}") == 200
    server.kill()
    await asyncio.to_thread(server.start)
    assert await asyncio.to_thread(track, server, "event 20") == 200
    await until(lambda: events(server) >= 21, every=0.05)
    assert await asyncio.to_thread(server.stop) == 0
    assert events(server) == 21


async def test_told_to_stop_it_ends_what_goes_on_at_once_and_listeners_know_to_come_again(
    tmp_path: Path,
) -> None:
    """Events end without `complete`, a socket is closed as for a restart: clients take both for that."""
    server = Server(tmp_path)
    await asyncio.to_thread(server.start)
    authorization = f"Bearer {server.keys['secretKey']}"
    wanted = {"query": 'subscription { journeyStats(journeyId: "Sm91cm5leTox") { watermark } }'}
    made = {"query": 'mutation { createJourney(input: {title: "Welcome"}) { __typename } }'}
    headers = {"Authorization": authorization, "Accept": "text/event-stream"}
    url, protocol = f"{server.url}/graphql", Subprotocol("graphql-transport-ws")
    async with (
        httpx.AsyncClient(headers=headers, timeout=PATIENCE) as client,
        connect(url.replace("http", "ws"), subprotocols=[protocol], open_timeout=PATIENCE) as socket,
    ):
        await client.post(url, json=made)
        await socket.send(
            json.dumps({"type": "connection_init", "payload": {"authorization": authorization}})
        )
        await socket.send(json.dumps({"type": "subscribe", "id": "1", "payload": wanted}))
        assert [json.loads(await socket.recv())["type"] for _ in range(2)] == ["connection_ack", "next"]
        async with client.stream("POST", url, json=wanted) as answer:
            lines = answer.aiter_lines()
            assert await anext(lines) == "event: next"
            stopping = asyncio.create_task(asyncio.to_thread(server.stop))
            # Cut off it would raise: this is an answer that was ended in order.
            assert [line async for line in lines if line.startswith("event")] == []
        with pytest.raises(ConnectionClosed) as closed:
            await socket.recv()
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1012
    assert await stopping == 0


async def test_nobody_says_more_over_a_websocket_than_a_subscription_takes(tmp_path: Path) -> None:
    server = Server(tmp_path)
    await asyncio.to_thread(server.start)
    protocol = Subprotocol("graphql-transport-ws")
    async with connect(
        server.url.replace("http", "ws") + "/graphql", subprotocols=[protocol], open_timeout=PATIENCE
    ) as socket:
        await socket.send("x" * 100_000)
        with pytest.raises(ConnectionClosed) as closed:
            await socket.recv()
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1009
    assert await asyncio.to_thread(server.stop) == 0


async def test_without_a_public_address_links_begin_with_the_port_that_is_served(tmp_path: Path) -> None:
    server = Server(tmp_path)
    del server.environment["SOJOURN_PUBLIC_URL"]
    await asyncio.to_thread(server.start)
    try:
        page = await asyncio.to_thread(httpx.get, f"{server.url}/", timeout=PATIENCE)
    finally:
        await asyncio.to_thread(server.stop)
    assert f"curl {server.url}/v1/track" in page.text
