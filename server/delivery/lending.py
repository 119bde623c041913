"""What adapters are lent: the time, ways out, and the shelf. One of it serves a whole process."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx

from channels.contract import Tools
from server.clock import Clock
from server.config import Settings
from server.delivery.in_app import Shelf
from server.egress import Bounds, make_client, make_public_client

MOST_CONNECTIONS = 500
"""To all providers together; how many one may have is a matter of its own concurrency."""


@dataclass(slots=True)
class Lender:
    """Makes its clients when the first is wanted: a process that sends nothing does without."""

    clock: Clock
    settings: Settings
    shelf: Shelf | None = None
    """Where in-app messages are put; without it none can be sent."""
    mounts: Mapping[str, httpx.AsyncBaseTransport] = field(default_factory=dict)
    """Addresses that are led elsewhere: to the fake providers of a demo or a test."""
    _http: httpx.AsyncClient | None = None
    _public: httpx.AsyncClient | None = None

    def tools(self, connection_id: int) -> Tools:
        http, public = self._clients()
        return Tools(
            self.clock.now,
            http,
            str(connection_id),
            public_http=public,
            show=self.shelf.show_for(connection_id) if self.shelf else None,
            callback_url=f"{self.settings.public_url.rstrip('/')}/hooks/{connection_id}",
        )

    @asynccontextmanager
    async def lend(self, connection: str, callback_url: str) -> AsyncIterator[Tools]:
        """For trying a connection over the API."""
        yield self.tools(int(connection))

    async def aclose(self) -> None:
        for client in (self._http, self._public):
            if client is not None:
                await client.aclose()
        self._http = self._public = None

    def _clients(self) -> tuple[httpx.AsyncClient, httpx.AsyncClient]:
        if self._http is None or self._public is None:
            bounds = Bounds(connections=MOST_CONNECTIONS)
            allow, proxy = self.settings.networks_to_allow(), self.settings.egress_proxy or None
            self._http = make_client(bounds=bounds, proxy=proxy, allow=allow, mounts=self.mounts)
            self._public = make_public_client(bounds=bounds, allow=allow, mounts=self.mounts)
        return self._http, self._public
