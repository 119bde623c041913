"""One process answers, another works: figures are told by the one as the other changes them.

How soon is measured by `scripts/bench live --database postgres`.
"""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from bench._server import Server
from tests.server.live import CREATE, ENTRIES, GRAPH, PUBLISH, START, Events
from tests.waiting import PATIENCE

pytestmark = [pytest.mark.anyio, pytest.mark.postgres, pytest.mark.slow]


@pytest.fixture
async def api(database_url: str, tmp_path: Path) -> AsyncIterator[Server]:
    api = await asyncio.to_thread(Server, tmp_path, "--only", "api", database=database_url)
    engine = Server(tmp_path, "--only", "engine", keys=api.keys, database=database_url)
    try:
        for one in (api, engine):
            await asyncio.to_thread(one.start)
        yield api
    finally:
        for one in (api, engine):
            await asyncio.to_thread(one.stop)


@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
async def test_figures_that_another_process_changes_are_told(api: Server) -> None:
    headers = {"Authorization": f"Bearer {api.keys['secretKey']}"}
    async with httpx.AsyncClient(base_url=api.url, headers=headers, timeout=PATIENCE) as client:
        made = await client.post("/graphql", json={"query": CREATE, "variables": {"graph": GRAPH}})
        variables = {"id": made.json()["data"]["createJourney"]["journey"]["id"]}
        for query in (PUBLISH, START):
            await client.post("/graphql", json={"query": query, "variables": variables})
        body = {"query": ENTRIES, "variables": variables}
        accept = {"Accept": "text/event-stream"}
        async with client.stream("POST", "/graphql", json=body, headers=accept) as answer:
            events = Events(answer, answer.aiter_lines())
            assert await events.entries() == 0
            event = {"userId": "kim", "event": "sign_up"}
            await client.post("/v1/track", json=event, auth=(api.keys["writeKey"], ""))
            assert await events.entries() == 1
