"""What one request to the API may use."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field

import httpx
from starlette.requests import Request
from strawberry.dataloader import DataLoader

from channels.contract import Tools
from channels.host import Host
from server.clock import Clock
from server.config import Settings
from server.delivery.in_app import Shelf
from server.errors import Refused
from server.loaders import Loaders
from server.secretbox import SecretBox
from server.store import connections, open_connections
from server.store.connections import ConnectionView
from server.store.database import Database
from server.store.open_connections import Observed
from server.store.projects import READ, Access
from server.watch import Watch


def _nothing() -> None:
    """For a process in which no engine runs."""


LendTools = Callable[[str, str], AbstractAsyncContextManager[Tools]]
"""Tools for a connection and its callback's address, until the block is left."""


@dataclass(slots=True)
class Context:
    db: Database
    clock: Clock
    access: Access
    shards: int
    host: Host | None = None
    settings: Settings = field(default_factory=Settings)
    wake: Callable[[], None] = _nothing
    """Tells the engine of this process that there is something in the inbox."""
    shelf: Shelf | None = None
    """Where in-app messages stand; none in a context without a runtime."""
    lend: LendTools | None = None
    """What this process lends adapters for trying a connection; tools of its own if nothing is said."""
    watch: Watch | None = None
    """Notices when figures have changed; none in a context without a runtime."""
    loaders: Loaders = field(init=False)
    connection_views: DataLoader[int, list[ConnectionView]] = field(init=False)
    """By project, with the settings as they may be shown."""

    observed: DataLoader[int, list[Observed]] = field(init=False)
    """By project: what can be heard through each of its connections."""

    def __post_init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """After a change, what was loaded before it is not true any more."""
        self.loaders = Loaders(self.db, self.clock, self.project_id, self.shards)
        self.connection_views = DataLoader(self._connections)
        self.observed = DataLoader(self._observed)

    async def _connections(self, ids: list[int]) -> list[list[ConnectionView]]:
        async with self.db.read() as session:
            return [await connections.listed(session, self.plugged_in, self.box, one) for one in ids]

    async def _observed(self, ids: list[int]) -> list[list[Observed]]:
        async with self.db.read() as session:
            return [await open_connections.observed(session, self.plugged_in, self.box, one) for one in ids]

    def tools(self, connection_id: int) -> AbstractAsyncContextManager[Tools]:
        """What an adapter is lent to try a connection."""
        return (self.lend or self._own_tools)(str(connection_id), self.callback_url(connection_id))

    def callback_url(self, connection_id: int) -> str:
        """Where a provider reaches us with receipts of this connection."""
        return f"{self.settings.public_url.rstrip('/')}/hooks/{connection_id}"

    @asynccontextmanager
    async def _own_tools(self, connection: str, callback_url: str) -> AsyncIterator[Tools]:
        async with httpx.AsyncClient(trust_env=False, follow_redirects=False) as client:
            yield Tools(self.clock.now, client, connection, callback_url=callback_url)

    @property
    def project_id(self) -> int:
        return self.access.project_id

    @property
    def plugged_in(self) -> Host:
        """The channels of this process; none if it was opened without."""
        return self.host or Host()

    @property
    def box(self) -> SecretBox:
        """Seals what is secret about connections."""
        return SecretBox(self.settings.secrets)

    def require(self, scope: str) -> None:
        """Raises Refused for a key without this scope."""
        if scope not in self.access.scopes:
            raise Refused(f"This needs a key with the scope `{scope}`.")


@dataclass(frozen=True, slots=True)
class Contexts:
    """Makes the context of each request to /graphql from its key."""

    keys: Callable[[str], Awaitable[Access | None]]
    """What a key opens."""
    db: Database
    clock: Clock
    shards: int
    host: Host | None = None
    settings: Settings = field(default_factory=Settings)
    wake: Callable[[], None] = _nothing
    shelf: Shelf | None = None
    lend: LendTools | None = None
    watch: Watch | None = None

    async def __call__(self, request: Request) -> Context:
        """Raises Refused without a secret key in `Authorization: Bearer …`; a write key is not one."""
        return await self.of_key(_bearer(request))

    async def of_key(self, key: str) -> Context:
        """The context that a key opens. Raises Refused."""
        access = await self.keys(key)
        if access is None:
            raise Refused("A secret key is wanted: `Authorization: Bearer sj_secret_…`.")
        if READ not in access.scopes:
            raise Refused(f"This needs a key with the scope `{READ}`; a write key only takes in events.")
        return self._of(access)

    def of_nobody(self) -> Context:
        """For callers without a key, who may only do what asks for another proof."""
        return self._of(Access(0, frozenset()))

    def _of(self, access: Access) -> Context:
        settings = (self.host, self.settings, self.wake, self.shelf, self.lend, self.watch)
        return Context(self.db, self.clock, access, self.shards, *settings)


def _bearer(request: Request) -> str:
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    return key.strip() if scheme.lower() == "bearer" else ""
