"""What tests of exports work with: the API, a worker, and the door of the files, over a small world."""

import csv
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from io import StringIO
from typing import Any

import httpx
from starlette.applications import Starlette

from server.config import Settings
from server.exports.downloads import PURPOSE, Downloads
from server.exports.worker import Exporter
from server.routes.exports import DownloadDoor
from server.schema.ids import to_id
from server.signing import Signer
from server.store import exports
from tests.server.schema.api import Api, open_api
from tests.world import NOON, World, abandoned_cart

ALL = """id kind state format language problem fileName rows expectedRows size askedBy
    createdAt asOf finishedAt expiresAt downloadUrl"""
STARTED = f"... on StartExportPayload {{ export {{ {ALL} }} }}"


@dataclass
class Office:
    api: Api
    files: httpx.AsyncClient
    settings: Settings
    worker: Exporter = field(init=False)

    def __post_init__(self) -> None:
        self.worker = self.another_worker()

    @property
    def world(self) -> World:
        return self.api.world

    def another_worker(self, **settings: Any) -> Exporter:
        """As of another process."""
        chosen = Settings(public_url=self.settings.public_url, **settings)
        return Exporter(self.world.db, self.world.clock, self.world.shards, chosen)

    async def start(self, what: dict[str, Any], **more: Any) -> dict[str, Any]:
        answer = await self.api.change("startExport", STARTED, what=what, **more)
        assert answer["__typename"] == "StartExportPayload", answer
        return dict(answer["export"])

    async def look(self, export: dict[str, Any]) -> dict[str, Any]:
        found = await self.api.ask(f"query($id: ID!) {{ export(id: $id) {{ {ALL} }} }}", id=export["id"])
        return dict(found["export"])

    async def work(self) -> None:
        while await self.worker.work_once():
            pass

    async def let_leases_run_out(self) -> None:
        """As time does when whoever holds them has died."""
        async with self.world.db.write() as session:
            await exports.free_all(session)

    async def download(self, export: dict[str, Any]) -> bytes:
        """The file, as somebody gets it who follows the link."""
        export = await self.look(export)
        assert export["state"] == "READY", export
        answer = await self.files.get(export["downloadUrl"])
        assert answer.status_code == 200
        assert int(answer.headers["content-length"]) == len(answer.content) == export["size"]
        return answer.content

    async def written(self, what: dict[str, Any], **more: Any) -> bytes:
        """The file, as somebody gets it who asks for it and waits."""
        export = await self.start(what, **more)
        await self.work()
        return await self.download(export)

    async def table(self, what: dict[str, Any], **more: Any) -> list[dict[str, str]]:
        return read_csv(await self.written(what, **more))


def read_csv(file: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(StringIO(file.decode(), newline="")))


@asynccontextmanager
async def open_office(world: World) -> AsyncIterator[Office]:
    settings = Settings(public_url="http://files.test")
    downloads = Downloads(Signer(settings.secrets, PURPOSE), settings.public_url)
    door = Starlette(routes=list(DownloadDoor(downloads, world.db, world.clock).routes()))
    transport = httpx.ASGITransport(door)
    async with open_api(world) as api, httpx.AsyncClient(transport=transport) as files:
        yield Office(api, files, settings)


async def shopping(world: World, people: int = 3, **graph: Any) -> str:
    """A journey that so many people have come into, one a millisecond. Returns its id."""
    journey_id = await world.add_journey(abandoned_cart(**graph), title="장바구니")
    for number in range(people):
        who = f"user-{number}"
        about = {"email": f"{who}@shop.kr", "phone": "+821012345678"}
        await world.send(
            world.event("", NOON, user=who, anonymous=f"phone-{number}", type="identify", **about)
        )
        await world.send(world.event("add_to_cart", NOON + number, user=who))
    await world.settle(NOON + people)
    return to_id("Journey", journey_id)
