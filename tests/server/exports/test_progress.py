"""An export in the whole application: its loop, its progress over a WebSocket, its file over HTTP."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from server.app import create_app
from server.exports.job import Job
from server.schema.ids import to_id
from server.store import setup
from server.store.tables import Journey, Version
from tests.app import App, open_app
from tests.tools import serving
from tests.waiting import until
from tests.world import abandoned_cart

pytestmark = pytest.mark.anyio

PROTOCOL = Subprotocol("graphql-transport-ws")
START = """mutation($journey: ID!) { startExport(input: {what: {runs: {journeyId: $journey}}}) {
    ... on StartExportPayload { export { id } } } }"""
PROGRESS = "subscription($id: ID!) { exportProgress(id: $id) { state rows downloadUrl } }"


async def ask(app: App, query: str, **variables: Any) -> dict[str, Any]:
    answer = await app.client.post("/graphql", json={"query": query, "variables": variables})
    return dict(answer.json()["data"])


async def lived(app: App) -> str:
    """A journey that two people are in. Returns its id."""
    journey = Journey(
        project_id=app.project.project_id, title="x", status="running", version=1, created_at=0, changed_at=0
    )
    async with app.runtime.db.write() as session:
        session.add(journey)
        await session.flush()
        text = json.dumps(abandoned_cart())
        session.add(Version(journey_id=journey.id, number=1, graph=text, published_at=0))
        await setup.touch_catalog(session)
    for user in ("kim", "lee"):
        event = {"userId": user, "event": "add_to_cart", "timestamp": "2024-03-13T11:00:00Z"}
        assert (await app.post("/v1/track", event)).status_code == 200
    await app.worked_in()
    return to_id("Journey", journey.id or 0)


async def told(app: App, url: str, export: str, key: str) -> list[dict[str, Any]]:
    """Everything that the subscription says until it ends."""
    found: list[dict[str, Any]] = []
    async with connect(url.replace("http", "ws") + "/graphql", subprotocols=[PROTOCOL]) as socket:
        hello = {"type": "connection_init", "payload": {"authorization": f"Bearer {key}"}}
        await socket.send(json.dumps(hello))
        await socket.recv()
        payload = {"query": PROGRESS, "variables": {"id": export}}
        await socket.send(json.dumps({"id": "1", "type": "subscribe", "payload": payload}))
        async with asyncio.timeout(60):
            while (message := json.loads(await socket.recv()))["type"] != "complete":
                found.append(message)
                if message["type"] == "error" or message["payload"].get("errors"):
                    break
    return found


async def test_progress_is_told_until_the_file_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    carry_out, held = Job.carry_out, asyncio.Event()

    async def when_told(self: Job) -> None:
        await held.wait()
        await carry_out(self)

    monkeypatch.setattr(Job, "carry_out", when_told)
    async with open_app(f"sqlite:///{tmp_path}/s.db") as app, serving(create_app(app.runtime)) as url:
        export = (await ask(app, START, journey=await lived(app)))["startExport"]["export"]["id"]
        asyncio.get_running_loop().call_later(1.0, held.set)
        messages = await told(app, url, export, app.project.secret_key)
        states = [one["payload"]["data"]["exportProgress"] for one in messages]
        assert [one["state"] for one in states][-2:] == ["RUNNING", "READY"]
        assert states[-1]["rows"] == 2
        path = states[-1]["downloadUrl"].partition("8000")[2]
        answer = await app.client.get(path)
        assert answer.text.count("\n") == 3


async def test_the_progress_of_what_is_not_in_the_project_is_not_told(tmp_path: Path) -> None:
    async with open_app(f"sqlite:///{tmp_path}/s.db") as app, serving(create_app(app.runtime)) as url:
        (message,) = await told(app, url, to_id("Export", 1), app.project.secret_key)
        assert "no such export" in json.dumps(message)


async def test_what_is_being_written_when_the_server_stops_goes_on_after_the_next_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.exports.run_list.PAGE", 1)
    monkeypatch.setattr("server.exports.job.CHUNK_BYTES", 1)
    add, begun = Job._add, asyncio.Event()

    async def slowly(self: Job, *about: Any) -> None:
        await add(self, *about)
        begun.set()
        await until(self.interrupted)

    url = f"sqlite:///{tmp_path}/s.db"
    with monkeypatch.context() as slow:
        slow.setattr(Job, "_add", slowly)
        async with open_app(url) as app:
            key = app.project.secret_key
            export = (await ask(app, START, journey=await lived(app)))["startExport"]["export"]["id"]
            await begun.wait()
    async with open_app(url) as app:
        app.client.headers["Authorization"] = f"Bearer {key}"
        text = "query($id: ID!) { export(id: $id) { state rows } }"

        async def is_ready() -> bool:
            return bool((await ask(app, text, id=export))["export"] == {"state": "READY", "rows": 2})

        await until(is_ready)
