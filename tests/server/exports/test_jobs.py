"""Jobs: asked for over GraphQL, written by workers that may die at any moment, downloaded by links."""

import csv
from collections.abc import AsyncIterator
from dataclasses import dataclass
from io import StringIO
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from server.config import Settings
from server.exports.downloads import PURPOSE, Downloads
from server.exports.worker import Exporter
from server.routes.exports import DownloadDoor
from server.schema.ids import to_id
from server.signing import Signer
from tests.server.schema.api import Api, open_api
from tests.world import NOON, World, abandoned_cart

pytestmark = pytest.mark.anyio

ALL = """id kind state format language problem fileName rows expectedRows size askedBy
    createdAt asOf finishedAt expiresAt downloadUrl"""


@dataclass
class Office:
    """The API, a worker, and the door of the files."""

    api: Api
    worker: Exporter
    files: httpx.AsyncClient

    @property
    def world(self) -> World:
        return self.api.world

    async def start(self, what: dict[str, Any], **more: Any) -> dict[str, Any]:
        answer = await self.api.change(
            "startExport", f"... on StartExportPayload {{ export {{ {ALL} }} }}", what=what, **more
        )
        assert answer["__typename"] == "StartExportPayload", answer
        return dict(answer["export"])

    async def look(self, export: dict[str, Any]) -> dict[str, Any]:
        found = await self.api.ask(f"query($id: ID!) {{ export(id: $id) {{ {ALL} }} }}", id=export["id"])
        return dict(found["export"])

    async def written(self, what: dict[str, Any], **more: Any) -> bytes:
        """The file, as somebody gets it who asks for it, waits, and follows the link."""
        export = await self.start(what, **more)
        while await self.worker.work_once():
            pass
        export = await self.look(export)
        assert export["state"] == "READY", export
        answer = await self.files.get(export["downloadUrl"])
        assert answer.status_code == 200
        assert int(answer.headers["content-length"]) == len(answer.content) == export["size"]
        return answer.content

    async def table(self, what: dict[str, Any], **more: Any) -> list[dict[str, str]]:
        return list(csv.DictReader(StringIO((await self.written(what, **more)).decode(), newline="")))


@pytest.fixture
async def office(world: World) -> AsyncIterator[Office]:
    settings = Settings(public_url="http://files.test")
    downloads = Downloads(Signer(settings.secrets, PURPOSE), settings.public_url)
    door = Starlette(routes=list(DownloadDoor(downloads, world.db, world.clock).routes()))
    async with open_api(world) as api, httpx.AsyncClient(transport=httpx.ASGITransport(door)) as files:
        yield Office(api, Exporter(world.db, world.clock, world.shards, settings), files)


async def shopping(world: World, people: int = 3) -> str:
    """A journey that so many people are in. Returns its id."""
    journey_id = await world.add_journey(abandoned_cart(), title="장바구니")
    for number in range(people):
        who = f"user-{number}"
        await world.send(world.event("", NOON, user=who, type="identify", email=f"{who}@shop.kr"))
        await world.send(world.event("add_to_cart", NOON + number, user=who))
    await world.settle(NOON + people)
    return to_id("Journey", journey_id)


async def test_the_runs_of_a_journey_come_as_a_file(office: Office) -> None:
    journey = await shopping(office.world)
    rows = await office.table({"runs": {"journeyId": journey}}, language="KO")
    assert [row["사용자 ID"] for row in rows] == ["user-2", "user-1", "user-0"]
    assert rows[0]["상태"] == "진행 중"
    print(rows[0])
