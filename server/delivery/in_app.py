"""The shelf: in-app messages until their readers' apps fetch them, and what those apps tell."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import orjson

from channels.contract import Actor, Message, Receipt, ReceiptKind
from channels.reasons import Reason
from server.clock import Clock, Instant
from server.delivery.hearing import place, read_reference, write_reference
from server.store import in_app
from server.store.database import Database
from server.store.in_app import Reader
from server.store.receipts import MessageKey

from .recording import Append, append_surely

LOOK_SECONDS = 2.0
"""How soon a subscriber hears of what another process has put on the shelf."""
EVERY_SECONDS = 5.0
COLUMNS = {
    ReceiptKind.DELIVERED: in_app.DELIVERED,
    ReceiptKind.SHOWN: in_app.SHOWN,
    ReceiptKind.INTERACTED: in_app.INTERACTED,
    ReceiptKind.DISMISSED: in_app.DISMISSED,
}
"""What an app can tell, and where it is noted."""


@dataclass(frozen=True, slots=True)
class Told:
    """One thing that an app tells of one message."""

    key: MessageKey
    kind: ReceiptKind
    at: Instant
    url: str = ""
    event_id: str = ""
    """The app's own id of it, for things that happen more than once."""


@dataclass(slots=True)
class Shelf:
    """One a process. Everything on it is in the database; the process only remembers who is waiting."""

    db: Database
    clock: Clock
    shards: int
    append: Append
    _waiting: dict[Reader, set[asyncio.Event]] = field(default_factory=dict)

    def show_for(self, connection_id: int) -> Callable[[Sequence[Message]], Awaitable[None]]:
        """What an adapter is lent as `Tools.show`."""

        async def show(messages: Sequence[Message]) -> None:
            rows = [row for message in messages if (row := _row(connection_id, message)) is not None]
            async with self.db.write() as session:
                await in_app.put(session, rows)
            for message in messages:
                for waiter in self._waiting.get((connection_id, message.to), ()):
                    waiter.set()

        return show

    async def hear(self, project_id: int, reader: Reader, told: Sequence[Told]) -> list[bool]:
        """Keeps what an app tells: on disk when this returns. Says of each whether the message is theirs.

        Raises Overloaded, having taken nothing.
        """
        async with self.db.read() as session:
            theirs = await in_app.of_keys(session, reader, [one.key for one in told])
        # No app has seen a message before it was sent.
        known = [replace(one, at=max(one.at, theirs[one.key].sent_at)) for one in told if one.key in theirs]
        receipts = [_receipt(project_id, one) for one in known]
        await self._keep(project_id, reader[0], receipts, self.append)
        async with self.db.write() as session:
            for one in known:
                await in_app.mark(session, COLUMNS[one.kind], [one.key], one.at)
        return [one.key in theirs for one in told]

    @asynccontextmanager
    async def waiting(self, reader: Reader) -> AsyncIterator[asyncio.Event]:
        """An event that is set whenever this process puts something on the reader's shelf."""
        event = asyncio.Event()
        self._waiting.setdefault(reader, set()).add(event)
        try:
            yield event
        finally:
            waiters = self._waiting[reader]
            waiters.discard(event)
            if not waiters:
                del self._waiting[reader]

    async def run(self, stopping: asyncio.Event) -> None:
        """Clears the shelf of what has expired, again and again."""
        while not stopping.is_set():
            while await self.clear():
                pass
            try:
                await asyncio.wait_for(stopping.wait(), EVERY_SECONDS)
            except TimeoutError:
                continue

    async def clear(self) -> int:
        """Takes down what has expired; what nobody's app has ever fetched is said to be so.

        Two processes may do it at once: the same receipt counts once. Returns how many were taken down.
        """
        now = self.clock.now()
        async with self.db.read() as session:
            rows = await in_app.expired(session, now)
        unseen: dict[tuple[int, int], list[Receipt]] = {}
        for row in rows:
            if row.delivered_at is None:
                unseen.setdefault((row.connection_id, row.project_id), []).append(_expiry(row))
        for (connection_id, project_id), receipts in unseen.items():
            await self._keep(project_id, connection_id, receipts, self._append_surely)
        async with self.db.write() as session:
            await in_app.drop(session, [(row.shard, row.message_id) for row in rows])
        return len(rows)

    async def _append_surely(self, entries: Any) -> None:
        await append_surely(self.append, entries)

    async def _keep(
        self, project_id: int, connection_id: int, receipts: Sequence[Receipt], append: Append
    ) -> None:
        if receipts:
            async with self.db.read() as session:
                whose = (connection_id, project_id)
                placed = await place(session, self.shards, whose, receipts, self.clock.now())
            await append(placed.entries)


def _row(connection_id: int, message: Message) -> tuple[Any, ...] | None:
    named = read_reference(message.reference)
    if named is None:
        return None
    project_id, shard, message_id = named
    content = {**message.content, "data": message.options.get("data", {})}
    place = (shard, message_id, project_id, connection_id, message.to)
    return (*place, orjson.dumps(content).decode(), message.sent_at, message.expires_at)


def _receipt(project_id: int, told: Told) -> Receipt:
    return Receipt(
        key=f"in_app:{told.kind}:{told.event_id}",
        kind=told.kind,
        occurred_at=told.at,
        reference=write_reference(project_id, *told.key),
        actor=None if told.kind is ReceiptKind.DELIVERED else Actor.HUMAN,
        actor_why="" if told.kind is ReceiptKind.DELIVERED else "told by the reader's app",
        url=told.url or None,
    )


def _expiry(row: Any) -> Receipt:
    return Receipt(
        key="in_app:expired",
        kind=ReceiptKind.EXPIRED,
        occurred_at=row.expires_at,
        reference=write_reference(row.project_id, row.shard, row.message_id),
        reason=Reason.EXPIRED,
        text="no app fetched it in time",
    )
