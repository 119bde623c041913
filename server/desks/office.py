"""Going to a relay's desk: whose it is, what it can do, and what comes of a question."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

import structlog

from channels.alimtalk.desk import Desk, DeskCan, DeskError, WithDesk
from channels.contract import Tools
from channels.host import Host
from channels.reasons import Reason
from server.clock import Clock
from server.delivery.hiding import hide, secrets_of
from server.errors import BadInput, ServerError
from server.secretbox import SecretBox
from server.store import adapters, open_connections
from server.store.database import Database
from server.store.open_connections import OpenConnection

T = TypeVar("T")
PATIENCE = 60.0
"""Seconds for one question."""
PATIENCE_FOR_ALL = 300.0
"""Seconds for a question that takes as many requests as there are templates; each has a limit of its own."""
LEAVES_OPEN = frozenset({Reason.OUTCOME_UNKNOWN, Reason.PROVIDER_ERROR})
"""Reasons after which it may have been done all the same."""
log = structlog.get_logger("desks")


class NoDesk(BadInput):
    """The relay of this connection registers no templates."""

    code = "NO_DESK"


class DeskRefused(ServerError):
    """The desk said no, or did not answer. Nothing in it is secret."""

    code = "DESK_REFUSED"

    def __init__(self, reason: Reason, relay_code: str, text: str, path: str = "") -> None:
        message = f"The relay refuses ({reason.value}): {text or relay_code or 'it does not say why'}"
        if reason in LEAVES_OPEN:
            message = f"The relay did not answer, and may have done it all the same: {text or relay_code}"
        super().__init__(message)
        self.reason, self.relay_code, self.text, self.path = reason, relay_code, text, path

    @property
    def is_open(self) -> bool:
        """Whether it may have been done; the next look at the relay settles it."""
        return self.reason in LEAVES_OPEN


@dataclass(slots=True)
class AtDesk:
    """An open desk."""

    connection: OpenConnection
    can: DeskCan
    desk: Desk
    secrets: tuple[str, ...] = field(repr=False)
    before: Callable[[], Awaitable[None]] | None = field(default=None, repr=False)
    """What comes before each question; if it raises, the question is not asked."""

    @property
    def profile_key(self) -> str:
        """The sender profile that its settings name; empty until one is registered."""
        setting = adapters.profile_setting(self.connection.adapter)
        return str(getattr(self.connection.settings, setting, "")) if setting else ""

    async def ask(self, question: Coroutine[Any, Any, T], patience: float = PATIENCE) -> T:
        """The answer. Raises DeskRefused."""
        if self.before is not None:
            try:
                await self.before()
            except BaseException:
                question.close()
                raise
        try:
            async with asyncio.timeout(patience):
                return await question
        except DeskError as error:
            code, text = (hide(self.secrets, said) for said in (error.code, error.text))
            raise DeskRefused(error.reason, code, text, error.path) from None
        except TimeoutError:
            raise DeskRefused(Reason.OUTCOME_UNKNOWN, "", f"no answer in {patience:.0f} seconds") from None
        except Exception:
            log.exception("a desk raised", connection=self.connection.id)
            raise DeskRefused(Reason.OUTCOME_UNKNOWN, "", "its adapter failed; our log says more") from None


@dataclass(slots=True)
class Desks:
    """What is needed to go to any desk."""

    db: Database
    clock: Clock
    host: Host
    box: SecretBox
    lend: Callable[[int], AbstractAsyncContextManager[Tools]]
    """The tools for a connection."""

    @asynccontextmanager
    async def at(self, connection_id: int) -> AsyncIterator[AtDesk]:
        """Raises NoDesk, and ServerError if the connection cannot be opened."""
        async with self.db.read() as session:
            connection = await open_connections.load(
                session, self.host, self.box, connection_id, for_desk=True
            )
        can = desk_of(connection.adapter)
        async with self.lend(connection_id) as tools:
            adapter: Any = connection.adapter
            desk = adapter.open_desk(connection.settings, tools)
            try:
                yield AtDesk(connection, can, desk, secrets_of(connection.settings))
            finally:
                await desk.aclose()


def desk_of(adapter: object) -> DeskCan:
    """What the desk of an adapter's relay can do. Raises NoDesk."""
    if not isinstance(adapter, WithDesk):
        raise NoDesk("The relay of this connection has no desk: templates are registered at its own console.")
    return adapter.desk_can
