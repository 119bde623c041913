"""Takes messages that are due, hands them over, and puts what became of them into the inbox.

The order that nothing goes out twice by: the attempt is committed, then the provider is called, then the
outcome is appended. Whatever is cut off in between is `unknown` and never sent again of its own accord.
"""

import asyncio
import os
import secrets
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial

import structlog

from channels.host import Host
from server.clock import SECOND, Clock
from server.config import Settings
from server.delivery.links import Tracking
from server.delivery.receipts import HeardReceipt, encode
from server.engine import catalog, leases
from server.secretbox import SecretBox
from server.signing import Signer
from server.store import connections, inbox, messages
from server.store.database import Database

from .claims import WORK, Claimed, claim, give_up_interrupted
from .content import Writer
from .courier import Courier
from .recording import Append, Recorder
from .senders import Senders

MOST_IN_HAND = 200
"""Messages of one connection that are claimed and not told of yet."""
GRACE_SECONDS = 30.0
"""How long sends may go on after the process was told to stop."""
log = structlog.get_logger("delivery")


@dataclass(slots=True)
class Dispatched:
    """What a dispatcher has done since it started, by kind of receipt."""

    claimed: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)


class Dispatcher:
    """The loop of one process over all the shards that it can get."""

    def __init__(
        self,
        db: Database,
        clock: Clock,
        host: Host,
        settings: Settings,
        shards: int,
        append: Append,
        *,
        holder: str = "",
    ) -> None:
        self.db, self.clock, self.shards = db, clock, shards
        self.holder = holder or f"{os.getpid()}-{secrets.token_hex(4)}"
        self.wakeup = asyncio.Event()
        """Set by whoever has made messages due in this process."""
        self.progress = Dispatched()
        self.senders = Senders(db, clock, host, SecretBox(settings.secrets))
        tracking = Tracking(Signer(settings.secrets, "links"), settings.public_url)
        self._courier = Courier(db, clock, self.senders, Writer(db, tracking), settings.send_concurrency)
        self._recorder = Recorder(append)
        self._mine: dict[int, int] = {}
        self._in_hand: dict[tuple[int, int], tuple[Claimed, asyncio.Task[None]]] = {}
        self._epoch: int | None = None
        self._failure: BaseException | None = None
        self._hands: Counter[int] = Counter()
        """By connection: messages in hand."""

    async def run(self, stopping: asyncio.Event) -> None:
        """Works until told to stop; then finishes the sends in flight and lets its shards go."""
        loop = asyncio.get_running_loop()
        renewed = 0.0
        try:
            while not stopping.is_set():
                if loop.time() >= renewed:
                    await self.take_shards()
                    renewed = loop.time() + leases.LASTS_MS / 3 / SECOND
                self.wakeup.clear()
                if not await self.work_once():
                    await self._rest(stopping)
            await self._finish()
        finally:
            await self.aclose()
            await self.let_go()

    async def until_idle(self) -> Dispatched:
        """Works until nothing is due now and every outcome is in the inbox: for tests and the demo.

        The engine has to work before a message's new state shows. Cancelled, it leaves its sends as a crash
        would.
        """
        await self.take_shards()
        try:
            while await self.work_once() or self._in_hand:
                await self._one_done()
        except BaseException:
            await self._abandon()
            raise
        return self.progress

    async def work_once(self) -> bool:
        """Claims what is due and sets it on its way. Returns whether there was any."""
        self._raise_failure()
        await self._notice_changes()
        async with self.db.read() as session:
            ready = await messages.ready(session, self._mine, self.clock.now()) if self._mine else []
        seen = 0
        for shard, connection_id in ready:
            if self._has_room(connection_id) and shard in self._mine:
                seen += await self._claim(shard, connection_id)
        return seen > 0

    async def take_shards(self) -> None:
        """Takes a fair share of the shards. Attempts that were cut off in a new one are told of."""
        busy = {shard for shard, _ in self._in_hand}
        async with self.db.write() as session:
            share = (WORK, self.holder, self.shards, self._mine, busy)
            taken = await leases.take_share(session, *share)
            new = [shard for shard, token in taken.items() if self._mine.get(shard) != token]
            for shard in new:
                ours = set(self._in_hand)
                lost = await give_up_interrupted(session, self.clock, shard, taken[shard], ours)
                if lost:
                    log.warning("attempts without an outcome are unknown", shard=shard, messages=lost)
        self._mine = taken
        if new:
            self._epoch = None

    async def let_go(self) -> None:
        """Lets other workers have our shards at once."""
        self._mine = {}
        async with self.db.write() as session:
            await leases.release(session, WORK, self.holder)

    async def aclose(self) -> None:
        """Closes the senders: for those who called `until_idle` and not `run`."""
        await self._abandon()
        await self.senders.aclose()

    async def _notice_changes(self) -> None:
        """When an operator has changed something: new settings count, and resumed journeys go on."""
        async with self.db.read() as session:
            epoch = await catalog.current_epoch(session)
            if epoch == self._epoch:
                return
            changes = await connections.changes(session)
        await self.senders.refresh(changes)
        if self._mine:
            async with self.db.write() as session:
                await messages.unpark(session, self._mine, self.clock.now())
        self._epoch = epoch

    def _has_room(self, connection_id: int) -> bool:
        """Claims are made for half a hand at least, so that there are few of them."""
        return self._hands[connection_id] <= MOST_IN_HAND // 2

    async def _claim(self, shard: int, connection_id: int) -> int:
        """Returns how many messages were looked at, so that skipped ones count as work, too."""
        most = MOST_IN_HAND - self._hands[connection_id]
        token = self._mine[shard]
        try:
            async with self.db.write() as session:
                claims = await claim(session, self.clock, shard, token, connection_id, most)
        except leases.LostLease:
            log.warning("another worker has taken a shard over", shard=shard)
            self._mine.pop(shard, None)
            return 0
        for one in claims.messages:
            task = asyncio.create_task(self._carry(one))
            self._in_hand[one.key] = (one, task)
            self._hands[connection_id] += 1
            task.add_done_callback(partial(self._put_down, one))
        self.progress.claimed += len(claims.messages)
        return claims.seen

    async def _carry(self, claimed: Claimed) -> None:
        try:
            receipt = await self._courier.deliver(claimed)
        except asyncio.CancelledError:
            if not self._courier.is_closing:
                raise
            receipt = self._courier.cut_off(claimed)
        await self._recorder.record(self._entry(claimed, receipt))
        self.progress.outcomes[receipt.kind.value] += 1

    def _entry(self, claimed: Claimed, receipt: HeardReceipt) -> inbox.Entry:
        payload = encode(receipt)
        return inbox.Entry(claimed.shard, claimed.row.project_id, inbox.RECEIPT, payload, self.clock.now())

    def _put_down(self, claimed: Claimed, done: asyncio.Task[None]) -> None:
        del self._in_hand[claimed.key]
        connection_id = claimed.row.connection_id
        self._hands[connection_id] -= 1
        if not done.cancelled() and done.exception() is not None:
            self._failure = done.exception()
        if self._failure or self._has_room(connection_id):
            self.wakeup.set()

    def _raise_failure(self) -> None:
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure

    async def _one_done(self) -> None:
        if self._in_hand:
            tasks = [task for _, task in self._in_hand.values()]
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)

    async def _rest(self, stopping: asyncio.Event) -> None:
        """Waits until something may be due, or there is room again."""
        waiting = [asyncio.ensure_future(event.wait()) for event in (self.wakeup, stopping)]
        try:
            await asyncio.wait(waiting, timeout=0.2, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for waiter in waiting:
                waiter.cancel()

    async def _finish(self) -> None:
        """Lets sends end; puts back what has not left; cuts off what takes too long, as unknown."""
        self._courier.is_closing = True
        loop = asyncio.get_running_loop()
        until = loop.time() + GRACE_SECONDS
        while self._in_hand:
            tasks = [task for _, task in self._in_hand.values()]
            await asyncio.wait(tasks, timeout=leases.LASTS_MS / 3 / SECOND)
            await self._renew()
            if loop.time() > until:
                self._cut_off()
        self._raise_failure()

    def _cut_off(self) -> None:
        for one, task in self._in_hand.values():
            if self._courier.has_left(one):
                task.cancel()

    async def _renew(self) -> None:
        async with self.db.write() as session:
            for shard, token in self._mine.items():
                with suppress(leases.LostLease):
                    await leases.prove(session, WORK, shard, token)

    async def _abandon(self) -> None:
        self._courier.is_closing = False
        tasks = [task for _, task in self._in_hand.values()]
        for task in tasks:
            task.cancel()
        await self._recorder.abandon()
        await asyncio.gather(*tasks, return_exceptions=True)
