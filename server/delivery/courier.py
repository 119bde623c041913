"""One attempt, from the claimed message to the receipt of what became of it."""

import asyncio
from collections import defaultdict
from dataclasses import dataclass, field

import structlog

from channels.contract import Deferred, Message, Outcome, ReceiptKind, Unknown
from channels.reasons import Reason
from server.clock import Clock, Instant
from server.delivery.receipts import HeardReceipt
from server.delivery.status import SkipReason
from server.errors import ServerError
from server.store import messages
from server.store.database import Database
from server.templates.render import TemplateProblem

from .claims import PARKED, Claimed, why_not
from .content import Writer
from .outcomes import receipt_of, tell
from .senders import OpenSender, Senders

LONGEST_SEND_SECONDS = 660.0
"""An answer that takes longer than this does not come. SMTP alone may take its 10 minutes."""
FRESH_SECONDS = 0.5
"""A claimed message that has waited longer than this is looked at again before it leaves."""
log = structlog.get_logger("delivery")


@dataclass(slots=True)
class Courier:
    """Hands messages over, so many of one connection at once: a slow provider is in nobody else's way."""

    db: Database
    clock: Clock
    senders: Senders
    writer: Writer
    concurrency: int
    is_closing: bool = False
    """Whether nothing may leave any more: what has not is put back."""
    _slots: dict[int, asyncio.Semaphore] = field(init=False)
    _left: set[tuple[int, int]] = field(default_factory=set)
    """Messages that a provider may have seen something of."""
    _waiting: dict[tuple[int, int], Claimed] = field(default_factory=dict)
    """Messages that nothing has left of yet."""
    _looking: asyncio.Lock = field(default_factory=asyncio.Lock)

    def __post_init__(self) -> None:
        self._slots = defaultdict(lambda: asyncio.Semaphore(self.concurrency))

    def has_left(self, claimed: Claimed) -> bool:
        return claimed.key in self._left

    async def deliver(self, claimed: Claimed) -> HeardReceipt:
        """Never raises for what one message, its template or its provider do."""
        self._waiting[claimed.key] = claimed
        try:
            return await self._deliver(claimed)
        finally:
            self._waiting.pop(claimed.key, None)
            self._left.discard(claimed.key)

    def cut_off(self, claimed: Claimed) -> HeardReceipt:
        """For a send that a shutdown has ended: it may have arrived."""
        outcome = Unknown(text="cut off by a shutdown before an answer came")
        return receipt_of(outcome, claimed, self.at(claimed))

    async def _deliver(self, claimed: Claimed) -> HeardReceipt:
        connection_id = claimed.row.connection_id
        async with self._slots[connection_id]:
            try:
                held_back = await self._held_back(claimed)
                if held_back is not None:
                    return held_back
                async with self.senders.use(connection_id) as opened:
                    fields = opened.connection.adapter.capabilities.content
                    message = await self.writer.write(claimed, fields)
                    del self._waiting[claimed.key]
                    self._left.add(claimed.key)
                    outcome = await self._send(opened, message)
            except TemplateProblem as problem:
                at, reason = self.at(claimed), SkipReason.TEMPLATE_ERROR.value
                return tell(claimed, ReceiptKind.SKIPPED, at, reason=reason, detail=str(problem))
            except ServerError as error:
                outcome = self._not_now(error.code, error.message)
            except Exception as error:
                if self.has_left(claimed):
                    raise
                log.exception("a message could not be made ready", connection=connection_id)
                outcome = self._not_now("defect", type(error).__name__)
        return receipt_of(outcome, claimed, self.at(claimed))

    def at(self, claimed: Claimed) -> Instant:
        """When an outcome is heard: on the virtual clock, at the instant of the attempt itself."""
        return claimed.attempted_at if self.clock.follows_events else self.clock.now()

    async def _held_back(self, claimed: Claimed) -> HeardReceipt | None:
        """Looks again at a message that has waited for its turn; nothing of it has left yet."""
        if self.is_closing:
            return self._put_back(claimed)
        if claimed.waited_seconds > FRESH_SECONDS:
            await self._look_again(claimed.shard)
        why = why_not(claimed.row, self.clock.now())
        if why == PARKED:
            return self._put_back(claimed)
        return tell(claimed, ReceiptKind.SKIPPED, self.at(claimed), reason=why) if why else None

    async def _look_again(self, shard: int) -> None:
        """At all that have waited too long, at once: whoever comes next finds it done."""
        async with self._looking:
            waiting = [one for one in self._waiting.values() if one.shard == shard]
            stale = {one.row.id: one for one in waiting if one.waited_seconds > FRESH_SECONDS}
            if stale:
                async with self.db.read() as session:
                    rows = await messages.with_their_world(session, shard, stale)
                for row in rows:
                    stale[row.id].look(row)

    def _put_back(self, claimed: Claimed) -> HeardReceipt:
        at = self.at(claimed)
        return tell(claimed, ReceiptKind.DEFERRED, at, retry_at=at, detail="put back before anything left")

    async def _send(self, opened: OpenSender, message: Message) -> Outcome:
        try:
            async with asyncio.timeout(LONGEST_SEND_SECONDS):
                return await opened.sender.send(message)
        except TimeoutError:
            return Unknown(text=f"no answer within {LONGEST_SEND_SECONDS:.0f} seconds")
        except Exception as error:
            # The contract calls this a defect of the adapter; what has left by then nobody knows.
            about = {"adapter": opened.connection.adapter.key, "connection": opened.connection.id}
            log.exception("an adapter raised instead of telling an outcome", **about)
            return Unknown(code="defect", text=type(error).__name__)

    def _not_now(self, code: str, text: str) -> Deferred:
        return Deferred(self.clock.now(), Reason.PROVIDER_ERROR, code, text)
