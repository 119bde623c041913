"""Takes messages that are due, hands them over, and puts what became of them into the inbox.

The order that nothing goes out twice by: the attempt is committed, then the provider is called, then the
outcome is appended. Whatever is cut off in between is `unknown`, and sent again only where the provider can
tell the double.
"""

import asyncio
import os
import secrets
from collections import Counter, defaultdict
from collections.abc import Sequence
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
from server.store import connections, inbox, messages, routes
from server.store.database import Database
from server.store.sessions import WriteSession

from .claims import WORK, Claimed, claim
from .content import Writer
from .courier import Courier, Told
from .health import HealthBook
from .interrupted import settle_interrupted
from .lanes import Lane
from .lending import Lender
from .recording import Append, Recorder
from .routing import Routes
from .senders import Senders
from .sharing import Shares
from .stopped import clear_stopped

MOST_IN_HAND = 8000
"""Messages of all connections together that are claimed and not told of yet."""
MOST_AT_ONCE = 2000
"""Claimed in one transaction."""
LOOK_AGAIN_SECONDS = 1.0
"""After a look at a connection that sends nothing which found nothing to do."""
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
        lender: Lender | None = None,
    ) -> None:
        self.db, self.clock, self.shards = db, clock, shards
        self.holder = holder or f"{os.getpid()}-{secrets.token_hex(4)}"
        self.wakeup = asyncio.Event()
        """Set by whoever has made messages due in this process."""
        self.progress = Dispatched()
        self.lender = lender or Lender(clock, settings)
        self.senders = Senders(db, host, SecretBox(settings.secrets), self.lender)
        self.routes = Routes(host, HealthBook(db))
        signer = Signer(settings.secrets, "links")
        tracking = Tracking(signer, settings.public_url, honeypot=settings.honeypot_link)
        self._courier = Courier(db, clock, self.senders, Writer(db, tracking), self.routes)
        self._recorder = Recorder(append)
        self._concurrency = settings.send_concurrency
        self._mine: dict[int, int] = {}
        self._lanes: dict[int, Lane] = {}
        self._in_hand: dict[tuple[int, int], Claimed] = {}
        self._shares = Shares(MOST_IN_HAND)
        self._put_down_one = asyncio.Event()
        self._look_again_at: dict[tuple[int, int], float] = {}
        """Shards and connections that send nothing now: when to look at them again."""
        self._epoch: int | None = None
        self._failure: BaseException | None = None

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
            while await self.work_once() or self._in_hand:
                await self._one_done()
        except BaseException:
            await self._abandon()
            raise
        await self.routes.health.save(at_once=True)
        return self.progress

    async def work_once(self) -> bool:
        """Claims what is due and sets it on its way. Returns whether there was any."""
        self._raise_failure()
        await self._notice_changes()
        await self.routes.health.save()
        async with self.db.read() as session:
            ready = await messages.ready(session, self._mine, self.clock.now()) if self._mine else []
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
        for lane in self._lanes.values():
            self._lend_hands(lane, lane.hands_wanted())
        return seen > 0

    async def take_shards(self) -> None:
        """Takes a fair share of the shards. Attempts that were cut off in a new one are told of."""
        await self._notice_changes()
        busy = {shard for shard, _ in self._in_hand}
        async with self.db.write() as session:
            share = (WORK, self.holder, self.shards, self._mine, busy)
            taken = await leases.take_share(session, *share)
            new = [shard for shard, token in taken.items() if self._mine.get(shard) != token]
            for shard in new:
                about = (shard, taken[shard], set(self._in_hand), self.routes)
                lost = await settle_interrupted(session, self.clock, *about)
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
        await self.lender.aclose()

    async def _notice_changes(self) -> None:
        """When an operator has changed something: new settings count, and resumed journeys go on."""
        async with self.db.read() as session:
            epoch = await catalog.current_epoch(session)
            if epoch == self._epoch:
                return
            changes = await connections.changes(session)
            rows = await routes.routes(session)
        await self.senders.refresh(changes)
        await self.routes.health.read()
        self.routes.refresh(rows)
        for connection_id, lane in self._lanes.items():
            if (route := self.routes.get(connection_id)) is not None:
                lane.refresh(route, self._concurrency)
        if self._mine:
            async with self.db.write() as session:
                await messages.unpark(session, self._mine, self.clock.now())
        self._look_again_at.clear()
        self._epoch = epoch

    # Claims

    async def _claim(self, shard: int, connection_ids: Sequence[int]) -> int:
        """Returns how many messages were looked at, so that skipped ones count as work, too."""
        wanted = [number for number in connection_ids if self._room(self._lane(number)) > 0]
        if not wanted:
            return 0
        taken: list[tuple[Lane, list[Claimed]]] = []
        seen = 0
        try:
            async with self.db.write() as session:
                for connection_id in self._shares.in_turn(wanted, self._project_of):
                    lane = self._lane(connection_id)
                    found, claimed = await self._claim_for(session, shard, lane)
                    taken.append((lane, claimed))
                    seen += found
                    if sum(len(claimed) for _, claimed in taken) >= MOST_AT_ONCE:
                        break
        except BaseException as error:
            for lane, claimed in taken:
                self._shares.put_down(lane.route.row.project_id, len(claimed))
            if not isinstance(error, leases.LostLease):
                raise
            log.warning("another worker has taken a shard over", shard=shard)
            self._mine.pop(shard, None)
            return 0
        for lane, claimed in taken:
            self._set_out(lane, claimed)
        return seen

    async def _claim_for(self, session: WriteSession, shard: int, lane: Lane) -> tuple[int, list[Claimed]]:
        row = lane.route.row
        self.routes.health.begin_trial(row.id, self.clock.now())
        most = self._room(lane)
        if most <= 0:
            return 0, []
        claims = await claim(session, self.clock, shard, self._mine[shard], row.id, most)
        self._shares.pick_up(row.project_id, len(claims.messages))
        return claims.seen, claims.messages

    def _room(self, lane: Lane) -> int:
        """How many more messages of a connection may be claimed."""
        if self.routes.health.of(lane.route.row.id).is_on_trial(self.clock.now()):
            return 0 if lane.in_hand else 1
        if not lane.has_room():
            return 0
        return min(lane.most - lane.in_hand, self._shares.room(lane.route.row.project_id))

    def _lane(self, connection_id: int) -> Lane:
        lane = self._lanes.get(connection_id)
        if lane is None:
            route = self.routes.get(connection_id)
            assert route is not None
            lane = self._lanes[connection_id] = Lane(route, self._concurrency)
            lane.refresh(route, self._concurrency)
        return lane

    def _project_of(self, connection_id: int) -> int:
        return self._lane(connection_id).route.row.project_id

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

    # What is in hand

    def _set_out(self, lane: Lane, claimed: Sequence[Claimed]) -> None:
        for one in claimed:
            self._in_hand[one.key] = one
        lane.put(claimed)
        self.progress.claimed += len(claimed)
        self._lend_hands(lane, min(lane.hands_wanted(), len(lane.waiting) // lane.size))

    def _lend_hands(self, lane: Lane, hands: int) -> None:
        for _ in range(hands):
            worker = asyncio.create_task(self._work(lane))
            lane.workers.add(worker)
            worker.add_done_callback(partial(self._worker_done, lane))

    async def _work(self, lane: Lane) -> None:
        """One hand of a lane: call after call, while there is something to carry."""
        while batch := lane.take():
            told = await self._courier.deliver(lane, batch)
            self._keep(lane, [(one, receipt) for one, receipt in told if receipt is not None])
            back = [one for one, receipt in told if receipt is None]
            if back:
                is_open = self.routes.is_open(lane.route.row.id, self.clock.now())
                if self._courier.closing.is_set() or not is_open:
                    back += lane.take_all()
                await self._take_back(lane, back)

    def _keep(self, lane: Lane, told: Sequence[Told]) -> None:
        if not told:
            return
        entries = [self._entry(one, receipt) for one, receipt in told if receipt is not None]
        self._recorder.record(entries, partial(self._kept, lane, told))

    def _entry(self, claimed: Claimed, receipt: HeardReceipt) -> inbox.Entry:
        payload = encode(receipt)
        return inbox.Entry(claimed.shard, claimed.row.project_id, inbox.RECEIPT, payload, self.clock.now())

    def _kept(self, lane: Lane, told: Sequence[Told], error: BaseException | None) -> None:
        if error is not None:
            self._failure = error
        else:
            self.progress.outcomes.update(receipt.kind.value for _, receipt in told if receipt is not None)
        self._put_down(lane, [one for one, _ in told])

    async def _take_back(self, lane: Lane, claimed: Sequence[Claimed]) -> None:
        """Undoes attempts of which nothing has left. Those in a shard that we have lost are told of there."""
        by_shard: defaultdict[int, list[messages.Attempt]] = defaultdict(list)
        for one in claimed:
            by_shard[one.shard].append(messages.Attempt(one.row.id, one.attempt, one.attempted_at))
        for shard, attempts in by_shard.items():
            if shard not in self._mine:
                continue
            with suppress(leases.LostLease):
                async with self.db.write() as session:
                    await leases.prove(session, WORK, shard, self._mine[shard])
                    await messages.take_back(session, shard, attempts)
        self._put_down(lane, claimed)

    def _put_down(self, lane: Lane, claimed: Sequence[Claimed]) -> None:
        for one in claimed:
            self._in_hand.pop(one.key, None)
        lane.in_hand -= len(claimed)
        self._shares.put_down(lane.route.row.project_id, len(claimed))
        self._put_down_one.set()
        if self._failure or self._room(lane) > 0:
            self.wakeup.set()

    def _worker_done(self, lane: Lane, done: asyncio.Task[None]) -> None:
        lane.workers.discard(done)
        if not done.cancelled() and done.exception() is not None:
            self._failure = done.exception()
            self._put_down_one.set()
            self.wakeup.set()

    def _raise_failure(self) -> None:
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure

    async def _one_done(self) -> None:
        if self._in_hand and self._failure is None:
            self._put_down_one.clear()
            await self._put_down_one.wait()

    async def _rest(self, stopping: asyncio.Event) -> None:
        """Waits until something may be due, or there is room again."""
        waiting = [asyncio.ensure_future(event.wait()) for event in (self.wakeup, stopping)]
        try:
            await asyncio.wait(waiting, timeout=0.2, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for waiter in waiting:
                waiter.cancel()

    # The end

    async def _finish(self) -> None:
        """Lets sends end; puts back what has not left; cuts off what takes too long, as unknown."""
        self._courier.closing.set()
        loop = asyncio.get_running_loop()
        until = loop.time() + GRACE_SECONDS
        while self._in_hand and self._failure is None:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._one_done(), leases.LASTS_MS / 3 / SECOND)
            await self._renew()
            if loop.time() > until:
                self._cut_off()
        await self.routes.health.save(at_once=True)
        self._raise_failure()

    def _cut_off(self) -> None:
        for worker in self._workers():
            worker.cancel()

    async def _renew(self) -> None:
        async with self.db.write() as session:
            for shard, token in self._mine.items():
                with suppress(leases.LostLease):
                    await leases.prove(session, WORK, shard, token)

    async def _abandon(self) -> None:
        self._courier.closing.clear()
        workers = self._workers()
        for worker in workers:
            worker.cancel()
        await self._recorder.abandon()
        await asyncio.gather(*workers, return_exceptions=True)
        self._lanes, self._in_hand, self._shares = {}, {}, Shares(MOST_IN_HAND)

    def _workers(self) -> list[asyncio.Task[None]]:
        return [worker for lane in self._lanes.values() for worker in lane.workers]
