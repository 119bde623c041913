"""The senders that are open in this process: one a connection, replaced when its settings change."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from dataclasses import dataclass, field

import structlog

from channels.contract import Sender, Tools
from channels.host import Host
from server.clock import Instant
from server.secretbox import SecretBox
from server.store import open_connections
from server.store.database import Database
from server.store.open_connections import OpenConnection

from .hiding import secrets_of
from .lending import Lender

log = structlog.get_logger("delivery")


@dataclass(slots=True)
class OpenSender:
    """A connection, the sender that was opened for it, and what it was lent."""

    connection: OpenConnection
    tools: Tools
    sender: Sender
    users: int = 0
    is_out_of_date: bool = False
    slot: AbstractAsyncContextManager[None] = field(init=False)
    """Held while something is handed over: no more at once than the adapter says makes sense."""
    secrets: tuple[str, ...] = field(init=False, repr=False)
    makes_wait: bool = field(init=False)
    """Whether that can take a while, so that whoever waited has to be looked at once more."""

    def __post_init__(self) -> None:
        most = self.connection.adapter.concurrency(self.connection.settings)
        self.slot = nullcontext() if most is None else asyncio.Semaphore(most)
        self.makes_wait = most is not None
        self.secrets = secrets_of(self.connection.settings)


@dataclass(slots=True)
class Senders:
    """Opens senders when they are first needed, and closes them when nobody uses them any more."""

    db: Database
    host: Host
    box: SecretBox
    lender: Lender
    _open: dict[int, OpenSender] = field(default_factory=dict)
    _old: list[OpenSender] = field(default_factory=list)
    _opening: asyncio.Lock = field(default_factory=asyncio.Lock)

    @asynccontextmanager
    async def use(self, connection_id: int) -> AsyncIterator[OpenSender]:
        """Raises ServerError if the connection cannot be opened: nothing has left then."""
        opened = await self._get(connection_id)
        opened.users += 1
        try:
            yield opened
        finally:
            opened.users -= 1
            if opened.is_out_of_date and not opened.users:
                await self._close(opened)

    async def refresh(self, changes: Mapping[int, tuple[str, Instant]]) -> None:
        """Puts aside the senders whose connection has changed; those in use go on until they are done."""
        for connection_id, opened in list(self._open.items()):
            _, changed_at = changes.get(connection_id, ("", -1))
            if changed_at != opened.connection.changed_at:
                del self._open[connection_id]
                opened.is_out_of_date = True
                if opened.users:
                    self._old.append(opened)
                else:
                    await self._close(opened)

    async def aclose(self) -> None:
        for opened in [*self._open.values(), *self._old]:
            await self._close(opened)
        self._open.clear()

    async def _get(self, connection_id: int) -> OpenSender:
        async with self._opening:
            if connection_id not in self._open:
                async with self.db.read() as session:
                    connection = await open_connections.load(session, self.host, self.box, connection_id)
                tools = self.lender.tools(connection_id)
                sender = connection.adapter.open(connection.settings, tools)
                self._open[connection_id] = OpenSender(connection, tools, sender)
            return self._open[connection_id]

    async def _close(self, opened: OpenSender) -> None:
        if opened in self._old:
            self._old.remove(opened)
        try:
            await opened.sender.aclose()
        except Exception:
            log.exception("a sender could not be closed", connection=opened.connection.id)
