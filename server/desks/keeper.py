"""Keeps templates and sender profiles in step with their relays: asks each every few minutes.

One process at a time asks for a connection: whoever has its lease. While a review is open, or an answer is
waited for, it is asked more often.
"""

import asyncio
import os
import secrets
from contextlib import suppress
from dataclasses import dataclass, field

import structlog

from channels.alimtalk.desk import WithDesk
from server.clock import MINUTE
from server.engine import leases
from server.errors import ServerError
from server.store import alimtalk_registrations as registrations
from server.store import open_connections, sender_profiles

from . import holding
from .following import follow
from .office import Desks

LOOK_SECONDS = 10.0
USUALLY, WHILE_OPEN = 5 * MINUTE, MINUTE
"""From one look at a relay to the next."""
MOST_AT_ONCE = 8
log = structlog.get_logger("desks")


@dataclass(slots=True)
class Keeper:
    desks: Desks
    holder: str = field(default_factory=lambda: f"{os.getpid()}-{secrets.token_hex(4)}")

    async def run(self, stopping: asyncio.Event) -> None:
        try:
            while not stopping.is_set():
                await self.look_once()
                with suppress(TimeoutError):
                    await asyncio.wait_for(stopping.wait(), LOOK_SECONDS)
        finally:
            await self.let_go()

    async def let_go(self) -> None:
        """Others need not wait until its leases run out."""
        async with self.desks.db.write() as session:
            await leases.release(session, holding.WORK, self.holder)

    async def look_once(self) -> int:
        """Looks at every relay whose time has come. Returns how many."""
        slots = asyncio.Semaphore(MOST_AT_ONCE)
        due = await holding.take(self.desks.db, await self._due(), self.holder)
        async with holding.renewed(self.desks.db, due, self.holder):
            await asyncio.gather(*(self._look(one, slots) for one in due))
        return len(due)

    async def _look(self, connection_id: int, slots: asyncio.Semaphore) -> None:
        """Side by side, so that a relay that is slow keeps nobody else waiting."""
        async with slots:
            try:
                await follow(self.desks, connection_id)
            except ServerError as error:
                log.warning("a relay could not be asked", connection=connection_id, why=error.message)
            except Exception:
                log.exception("a relay could not be looked at", connection=connection_id)

    async def _due(self) -> list[int]:
        now = self.desks.clock.now()
        async with self.desks.db.read() as session:
            changes = await open_connections.changes(session)
            channels = self.desks.host.channels
            ids = [one for one, (key, _) in changes.items() if isinstance(channels.get(key), WithDesk)]
            profiles = await sender_profiles.by_connections(session, ids)
            busy = await registrations.is_open(session, ids)
        due = []
        for one in ids:
            asked_at = profiles[one].asked_at if one in profiles else None
            pause = WHILE_OPEN if one in busy else USUALLY
            if asked_at is None or asked_at <= now - pause:
                due.append(one)
        return due
