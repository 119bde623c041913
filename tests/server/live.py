"""A journey whose figures are listened to: over a real server, by clients of both kinds."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from server.app import create_app
from tests.app import App, open_app
from tests.tools import serving
from tests.waiting import PATIENCE

PROTOCOL = Subprotocol("graphql-transport-ws")
GRAPH = {
    "steps": [{"entryEvent": {"key": "in", "event": "sign_up"}}, {"exit": {"key": "out"}}],
    "edges": [{"from": "in", "to": "out"}],
}
CREATE = """mutation ($graph: GraphInput!) { createJourney(input: {title: "Welcome", graph: $graph}) {
    ... on CreateJourneyPayload { journey { id } } ... on Problem { message } } }"""
PUBLISH = """mutation ($id: ID!) { publishJourney(input: {id: $id}) {
    ... on PublishJourneyPayload { version { number } } ... on Problem { message } } }"""
START = "mutation ($id: ID!) { startJourney(input: {id: $id}) { __typename ... on Problem { message } } }"
ENTRIES = """subscription Entries($id: ID!, $period: PeriodInput) {
    journeyStats(journeyId: $id, period: $period) { asOf: watermark audience { entries } } }"""


@dataclass
class Live:
    app: App
    address: str
    journey_id: str
    _numbers: count = field(default_factory=count)

    @property
    def keyed(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.app.project.secret_key}"}

    def open_streams(self) -> int:
        """As `/metrics` tells it."""
        return int(self.app.runtime.figures.registry.get_sample_value("sojourn_subscriptions") or 0)

    async def sign_up(self, people: int = 1, at: str = "2026-03-13T20:00:00+09:00") -> None:
        """So many people enter the journey and leave it."""
        batch = [
            {"type": "track", "userId": f"u{number}", "event": "sign_up", "timestamp": at}
            for number, _ in zip(self._numbers, range(people), strict=False)
        ]
        answer = await self.app.post("/v1/batch", {"batch": batch})
        assert answer.status_code == 200, answer.text
        await self.app.worked_in()

    async def again(self, user: str = "u0", at: str = "2026-03-13T20:00:01+09:00") -> None:
        body = {"userId": user, "event": "sign_up", "timestamp": at}
        assert (await self.app.post("/v1/track", body)).status_code == 200
        await self.app.worked_in()

    @asynccontextmanager
    async def events(
        self, query: str = ENTRIES, accept: str = "text/event-stream", **variables: Any
    ) -> AsyncIterator["Events"]:
        body = {"query": query, "variables": {"id": self.journey_id, **variables}}
        headers = {**self.keyed, "Accept": accept}
        async with (
            httpx.AsyncClient(timeout=PATIENCE) as client,
            client.stream("POST", f"{self.address}/graphql", json=body, headers=headers) as answer,
        ):
            yield Events(answer, answer.aiter_lines())

    @asynccontextmanager
    async def socket(self, authorization: str | None = None) -> AsyncIterator[ClientConnection]:
        url = self.address.replace("http", "ws") + "/graphql"
        async with connect(url, subprotocols=[PROTOCOL], open_timeout=PATIENCE) as socket:
            shown = self.keyed["Authorization"] if authorization is None else authorization
            payload = {"authorization": shown} if shown else {}
            await socket.send(json.dumps({"type": "connection_init", "payload": payload}))
            assert await hear(socket) == {"type": "connection_ack"}
            yield socket

    def subscribe(self, id: str = "1", query: str = ENTRIES, **variables: Any) -> str:
        payload = {"query": query, "variables": {"id": self.journey_id, **variables}}
        return json.dumps({"type": "subscribe", "id": id, "payload": payload})


@dataclass
class Events:
    """What comes as server-sent events."""

    answer: httpx.Response
    _lines: AsyncIterator[str]

    async def next(self) -> tuple[str, Any]:
        """The next event and its data; a comment is an event without a name."""
        name, data = "", None
        async with asyncio.timeout(PATIENCE):
            async for line in self._lines:
                if not line:
                    return name, data
                if line.startswith(":"):
                    data = line[1:].strip()
                key, _, value = line.partition(": ")
                name = value if key == "event" else name
                data = (json.loads(value) if value else None) if key.strip(":") == "data" else data
        raise EOFError

    async def figures(self) -> Any:
        """What the next event says of the one thing asked for."""
        name, payload = await self.next()
        assert name == "next", (name, payload)
        assert "errors" not in payload, payload
        [told] = payload["data"].values()
        return told

    async def entries(self) -> int:
        return int((await self.figures())["audience"]["entries"])


async def hear(socket: ClientConnection) -> Any:
    async with asyncio.timeout(PATIENCE):
        return json.loads(await socket.recv())


async def entries(socket: ClientConnection) -> int:
    message = await hear(socket)
    assert message["type"] == "next", message
    [told] = message["payload"]["data"].values()
    return int(told["audience"]["entries"])


@asynccontextmanager
async def open_live(url: str) -> AsyncIterator[Live]:
    """Figures are looked at often, and read as soon as they have changed."""
    async with open_app(url, shards=1) as app:
        app.runtime.watch.look, app.runtime.watch.least = 0.02, 0.0
        made = await _ask(app, CREATE, graph=GRAPH)
        journey_id = made["createJourney"]["journey"]["id"]
        await _ask(app, PUBLISH, id=journey_id)
        await _ask(app, START, id=journey_id)
        async with serving(create_app(app.runtime)) as address:
            yield Live(app, address, journey_id)


async def _ask(app: App, query: str, **variables: Any) -> dict[str, Any]:
    answer = (await app.client.post("/graphql", json={"query": query, "variables": variables})).json()
    assert "errors" not in answer, answer
    return dict(answer["data"])
