"""The whole application in this process: a runtime with its loops, a project, and a client over ASGI."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from server.app import create_app
from server.config import API, Settings
from server.runtime import Runtime, open_runtime
from server.store import inbox, projects
from tests.waiting import PATIENCE, until


@dataclass
class App:
    runtime: Runtime
    project: projects.NewProject
    client: httpx.AsyncClient
    """Sends the secret key with every request that says nothing else."""

    async def post(self, path: str, body: Any, key: str | None = None, **options: Any) -> httpx.Response:
        """Events, with the write key as the user name of Basic auth."""
        auth = (self.project.write_key if key is None else key, "")
        return await self.client.post(path, json=body, auth=auth, **options)

    async def worked_in(self) -> None:
        """Returns when the inbox is empty. The loops of this process empty it."""
        await until(self._is_worked_in)

    async def _is_worked_in(self) -> bool:
        async with self.runtime.db.read() as session:
            return not (await inbox.backlog(session)).rows


@asynccontextmanager
async def open_app(
    url: str, *, follow_events: bool = True, zone: str = "Asia/Seoul", **settings: Any
) -> AsyncIterator[App]:
    chosen = Settings(database_url=url, discover_plugins=False, **settings)
    async with open_runtime(chosen, follow_events=follow_events) as runtime:
        async with runtime.db.write() as session:
            project = await projects.create(session, "Shop", zone, 0)
        transport = httpx.ASGITransport(create_app(runtime, (API,)))
        headers = {"Authorization": f"Bearer {project.secret_key}"}
        async with httpx.AsyncClient(
            transport=transport, base_url="http://shop.test", headers=headers, timeout=PATIENCE
        ) as client:
            yield App(runtime, project, client)
