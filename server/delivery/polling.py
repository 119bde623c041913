"""Asks the providers that have to be asked what became of messages.

The cursor moves after the receipts are on disk. After a crash in between they are told again, and count once.
"""

import asyncio
import os
import secrets
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import structlog

from channels.contract import AnyChannel, BaseChannel, Receipt
from channels.errors import PollFailed
from channels.host import Host
from server.clock import DAY, HOUR, Clock, Instant
from server.engine import leases
from server.errors import ServerError
from server.store import inbox, messages, open_connections, unclaimed
from server.store.database import Database
from server.store.sessions import ReadSession

from . import inbound
from .hearing import place, read_unclaimed
from .recording import Append, append_surely
from .senders import OpenSender, Senders

WORK = "poll"
EVERY_SECONDS = 5.0
MOST_AT_ONCE = 16
"""Providers that are asked at the same time."""
MOST_PAGES = 100
"""Of one connection in a row, so that a talkative provider lets the others be asked."""
MOST_UNCLAIMED = 500
UNCLAIMED_LASTS = 90 * DAY
"""What names no message of ours is listed for so long among the delivery issues; then it is dropped."""
MOST_FORGOTTEN = 5000
"""At once, so that nobody waits long for the one who writes."""
_QUIET: Any = BaseChannel.poll
"""What a channel has that brings nothing when it is polled."""
log = structlog.get_logger("delivery")


@dataclass(slots=True)
class Poller:
    """Asks in turn. One process at a time asks for a connection: whoever has its lease."""

    db: Database
    clock: Clock
    host: Host
    senders: Senders
    """The dispatcher's: what is open there is used here."""
    shards: int
    append: Append
    holder: str = field(default_factory=lambda: f"{os.getpid()}-{secrets.token_hex(4)}")
    _tried_down_to: unclaimed.Place | None = None
    _forget_at: Instant = 0

    async def run(self, stopping: asyncio.Event) -> None:
        try:
            while not stopping.is_set():
                await self.poll_once()
                await _wait(stopping, EVERY_SECONDS)
        finally:
            async with self.db.write() as session:
                await leases.release(session, WORK, self.holder)

    async def poll_once(self) -> int:
        """Asks every provider for all that is new. Returns the number of receipts heard."""
        slots = asyncio.Semaphore(MOST_AT_ONCE)
        heard = await asyncio.gather(*(self._asked(one, slots) for one in await self._ours()))
        await self._try_unclaimed()
        await self._forget_unclaimed()
        return sum(heard)

    async def _asked(self, connection_id: int, slots: asyncio.Semaphore) -> int:
        """Side by side, so that a provider that is slow keeps nobody else waiting."""
        async with slots:
            try:
                return await self._poll(connection_id)
            except (PollFailed, ServerError) as error:
                log.warning("a provider could not be asked", connection=connection_id, why=str(error))
            except Exception:
                log.exception("an adapter raised while it was polled", connection=connection_id)
            return 0

    async def _ours(self) -> list[int]:
        """The connections to ask for, and the leases of those that we could get."""
        async with self.db.read() as session:
            changes = await open_connections.changes(session)
        await self.senders.refresh(changes)
        wanted = [number for number, (key, _) in changes.items() if self._polls(key)]
        if not wanted:
            return []
        async with self.db.write() as session:
            return [
                number
                for number in wanted
                if await leases.acquire(session, WORK, number, self.holder) is not None
            ]

    def _polls(self, adapter: str) -> bool:
        channel: AnyChannel | None = self.host.channels.get(adapter)
        return channel is not None and type(channel).poll is not _QUIET

    async def _poll(self, connection_id: int) -> int:
        heard = 0
        async with self.senders.use(connection_id) as opened:
            if not opened.connection.adapter.polls(opened.connection.settings):
                return 0
            for _ in range(MOST_PAGES):
                async with self.db.read() as session:
                    before = await messages.cursor(session, connection_id)
                channel, settings = opened.connection.adapter, opened.connection.settings
                receipts, after = await channel.poll(settings, opened.tools, before)
                heard += len(receipts)
                await self._keep(opened, receipts)
                if after is not None and after != before:
                    async with self.db.write() as session:
                        await messages.move_cursor(session, connection_id, after, self.clock.now())
                if not receipts:
                    break
        return heard

    async def _keep(self, opened: OpenSender, receipts: Sequence[Receipt]) -> None:
        if not receipts:
            return
        whose = (opened.connection.id, opened.connection.project_id)
        async with self.db.read() as session:
            placed = await place(session, self.shards, whose, receipts, self.clock.now())
        await append_surely(self.append, placed.entries)
        if placed.unclaimed:
            async with self.db.write() as session:
                await inbound.keep(session, opened.connection, placed, inbound.Written(), self.clock.now())

    async def _try_unclaimed(self) -> None:
        """A receipt can overtake the outcome that tells us the provider's name for the message."""
        now, most = self.clock.now(), MOST_UNCLAIMED
        async with self.db.read() as session:
            rows = [*await unclaimed.since(session, now - DAY, most)]
            if len(rows) == most:
                # Others' receipts may be many and new: in turn, all of the day are looked at again.
                before = self._tried_down_to or unclaimed.place_of(rows[-1])
                older = await unclaimed.since(session, now - DAY, most, before=before)
                self._tried_down_to = unclaimed.place_of(older[-1]) if len(older) == most else None
                rows += older
            found = await self._place_again(session, rows)
        if found:
            await append_surely(self.append, [entry for entries, _ in found for entry in entries])
            async with self.db.write() as session:
                await unclaimed.drop(session, [key for _, keys in found for key in keys])

    async def _forget_unclaimed(self) -> None:
        now = self.clock.now()
        if now < self._forget_at:
            return
        async with self.db.write() as session:
            forgotten = await unclaimed.forget(session, now - UNCLAIMED_LASTS, MOST_FORGOTTEN)
        # When there are more, on with them at the next look.
        self._forget_at = now if forgotten == MOST_FORGOTTEN else now + HOUR

    async def _place_again(
        self, session: ReadSession, rows: Sequence[Any]
    ) -> list[tuple[list[inbox.Entry], set[tuple[int, str]]]]:
        """By connection: what is for the inbox now, and which rows it comes from."""
        projects = await open_connections.projects(session) if rows else {}
        theirs: defaultdict[int, dict[str, Receipt]] = defaultdict(dict)
        for row in rows:
            theirs[row.connection_id][row.key] = read_unclaimed(row.receipt)
        found = []
        for connection_id, receipts in theirs.items():
            if connection_id in projects:
                whose, now = (connection_id, projects[connection_id]), self.clock.now()
                placed = await place(session, self.shards, whose, list(receipts.values()), now)
                left = {key for _, key, _, _ in placed.unclaimed}
                found.append((placed.entries, {(connection_id, key) for key in receipts.keys() - left}))
        return [one for one in found if one[0]]


async def _wait(stopping: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await stopping.wait()
    except TimeoutError:
        pass
