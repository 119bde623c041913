"""Takes messages that are due, hands them over, and puts what became of them into the inbox.

The order that nothing goes out twice by: the attempt is committed, then the provider is called, then the
outcome is appended. Whatever is cut off in between is `unknown`, and sent again only where the provider can
tell the double.
"""

import asyncio
import os
import secrets
from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress

import structlog

from channels.host import Host
from server.clock import SECOND, Clock
from server.config import Settings
from server.delivery.links import Tracking
from server.engine import catalog, leases
from server.secretbox import SecretBox
from server.signing import Signer
from server.store import open_connections, outbox, routes
from server.store.database import Database
from server.store.sessions import WriteSession

from .canceling import cancel
from .claims import WORK, Claimed, claim
from .content import Writer
from .courier import Courier
from .hands import Dispatched, Hands
from .health import HealthBook
from .interrupted import settle_interrupted
from .lanes import Lane
from .lending import Lender
from .quiet import Quiet
from .recording import Append, Recorder
from .routing import Routes
from .senders import Senders
from .stopped import clear_stopped

MOST_AT_ONCE = 2000
"""Claimed in one transaction."""
LOOK_AGAIN_SECONDS = 1.0
"""After a look at a connection that sends nothing which found nothing to do."""
GRACE_SECONDS = 30.0
"""How long sends may go on after the process was told to stop."""
log = structlog.get_logger("delivery")


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
        lender: Lender | None = None,
    ) -> None:
        self.db, self.clock, self.shards = db, clock, shards
        self.holder = holder or f"{os.getpid()}-{secrets.token_hex(4)}"
        self.wakeup = asyncio.Event()
        """Set by whoever has made messages due in this process."""
        self.lender = lender or Lender(clock, settings)
        self.senders = Senders(db, host, SecretBox(settings.secrets), self.lender)
        self.routes = Routes(host, HealthBook(db))
        signer = Signer(settings.secrets, "links")
        tracking = Tracking(signer, settings.public_url, honeypot=settings.honeypot_link)
        self.quiet = Quiet()
        self._mine: dict[int, int] = {}
        """Our shards, and the tokens of their leases."""
        self.hands = Hands(
            db,
            clock,
            self.routes,
            Courier(db, clock, self.senders, Writer(db, tracking), self.routes, self.quiet),
            Recorder(append),
            concurrency=settings.send_concurrency,
            shards=shards,
            mine=self._mine,
            wakeup=self.wakeup,
        )
        self.progress = self.hands.progress
        self._look_again_at: dict[tuple[int, int], float] = {}
        """Shards and connections that send nothing now: when to look at them again."""
        self._epoch: int | None = None
        self._over: set[int] = set()
        """Journeys that are over and of which nothing waits any more in our shards."""

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
        self._look_again_at.clear()
        await self.take_shards()
        try:
            while await self.work_once() or self.hands.in_hand:
                await self.hands.one_done()
        except BaseException:
            await self.hands.abandon()
            raise
        await self.routes.health.save(at_once=True)
        return self.progress

    async def work_once(self) -> bool:
        """Claims what is due and sets it on its way. Returns whether there was any."""
        self.hands.raise_failure()
        await self._notice_changes()
        await self.routes.health.save()
        async with self.db.read() as session:
            ready = await outbox.ready(session, self._mine, self.clock.now()) if self._mine else []
        sending: defaultdict[int, list[int]] = defaultdict(list)
        seen = 0
        for shard, connection_id in ready:
            if shard not in self._mine:
                continue
            if self.routes.is_open(connection_id, self.clock.now()):
                sending[shard].append(connection_id)
            elif self.routes.get(connection_id) is not None:
                seen += await self._clear_stopped(shard, connection_id)
        for shard, connection_ids in sending.items():
            seen += await self._claim(shard, connection_ids)
        # What does not fill a call has waited for what the other shards have for the same connection.
        self.hands.lend_where_wanted()
        return seen > 0

    async def take_shards(self) -> None:
        """Takes a fair share of the shards. Attempts that were cut off in a new one are told of."""
        await self._notice_changes()
        busy = {shard for shard, _ in self.hands.in_hand}
        async with self.db.write() as session:
            share = (WORK, self.holder, self.shards, self._mine, busy)
            taken = await leases.take_share(session, *share)
            new = [shard for shard, token in taken.items() if self._mine.get(shard) != token]
            for shard in new:
                about = (shard, taken[shard], set(self.hands.in_hand), self.routes)
                lost = await settle_interrupted(session, self.clock, *about)
                if lost:
                    log.warning("attempts without an outcome are unknown", shard=shard, messages=lost)
        self._mine.clear()
        self._mine.update(taken)
        self.hands.refresh()
        if new:
            self._epoch = None
            self._over = set()

    async def let_go(self) -> None:
        """Lets other workers have our shards at once."""
        self._mine.clear()
        async with self.db.write() as session:
            await leases.release(session, WORK, self.holder)

    async def aclose(self) -> None:
        """Closes the senders: for those who called `until_idle` and not `run`."""
        await self.hands.abandon()
        await self.senders.aclose()
        await self.lender.aclose()

    async def _notice_changes(self) -> None:
        """When an operator has changed something: new settings count, and resumed journeys go on."""
        async with self.db.read() as session:
            epoch = await catalog.current_epoch(session)
            if epoch == self._epoch:
                return
            changes = await open_connections.changes(session)
            rows = await routes.routes(session)
        await self.senders.refresh(changes)
        await self.routes.health.read()
        self.routes.refresh(rows)
        self.hands.refresh()
        if self._mine:
            async with self.db.write() as session:
                await outbox.unpark(session, self._mine, self.clock.now())
            await self._cancel_stopped()
        self._look_again_at.clear()
        self._epoch = epoch

    async def _cancel_stopped(self) -> None:
        """Gives up what waits of journeys that have ended since we last looked."""
        async with self.db.read() as session:
            over = await outbox.journeys_over(session)
        for shard, token in list(self._mine.items() if over - self._over else ()):
            try:
                await cancel(self.db, self.clock, shard, token, over - self._over)
            except leases.LostLease:
                self._mine.pop(shard, None)
        self._over = over

    # Claims

    async def _claim(self, shard: int, connection_ids: Sequence[int]) -> int:
        """Returns how many messages were looked at, so that skipped ones count as work, too."""
        wanted = [number for number in connection_ids if self.hands.room(self.hands.lane(number)) > 0]
        if not wanted:
            return 0
        taken: list[tuple[Lane, list[Claimed]]] = []
        seen = 0
        try:
            async with self.db.write() as session:
                for connection_id in self.hands.shares.in_turn(wanted, self.hands.project_of):
                    lane = self.hands.lane(connection_id)
                    found, claimed = await self._claim_for(session, shard, lane)
                    taken.append((lane, claimed))
                    seen += found
                    if sum(len(claimed) for _, claimed in taken) >= MOST_AT_ONCE:
                        break
        except BaseException as error:
            for lane, claimed in taken:
                self.hands.shares.put_down(lane.route.row.project_id, len(claimed))
            if not isinstance(error, leases.LostLease):
                raise
            log.warning("another worker has taken a shard over", shard=shard)
            self._mine.pop(shard, None)
            return 0
        for lane, claimed in taken:
            self.hands.set_out(lane, claimed)
        return seen

    async def _claim_for(self, session: WriteSession, shard: int, lane: Lane) -> tuple[int, list[Claimed]]:
        row = lane.route.row
        self.routes.health.begin_trial(row.id, self.clock.now())
        most = self.hands.room(lane)
        if most <= 0:
            return 0, []
        about = (shard, self._mine[shard], row.id, most)
        later = self.routes.later(row.id)
        claims = await claim(session, self.clock, *about, self.quiet, later)
        self.hands.shares.pick_up(row.project_id, len(claims.messages))
        return claims.seen, claims.messages

    async def _clear_stopped(self, shard: int, connection_id: int) -> int:
        """For a connection that sends nothing now: what may go another way does, and what is late ends."""
        loop = asyncio.get_running_loop()
        if loop.time() < self._look_again_at.get((shard, connection_id), 0.0):
            return 0
        try:
            done = await clear_stopped(
                self.db, self.clock, self.routes, shard, self._mine[shard], connection_id
            )
        except leases.LostLease:
            self._mine.pop(shard, None)
            return 0
        if not done:
            self._look_again_at[shard, connection_id] = loop.time() + LOOK_AGAIN_SECONDS
        return done

    # The end

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
        self.hands.courier.closing.set()
        loop = asyncio.get_running_loop()
        until = loop.time() + GRACE_SECONDS
        while self.hands.are_busy:
            with suppress(TimeoutError):
                await asyncio.wait_for(self.hands.one_done(), leases.LASTS_MS / 3 / SECOND)
            await self._renew()
            if loop.time() > until:
                self.hands.cut_off()
        await self.routes.health.save(at_once=True)
        self.hands.raise_failure()

    async def _renew(self) -> None:
        async with self.db.write() as session:
            for shard, token in list(self._mine.items()):
                with suppress(leases.LostLease):
                    await leases.prove(session, WORK, shard, token)
