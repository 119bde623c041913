"""What a process has in hand: claimed messages in their lanes, and the hands that carry them out and back."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial

from server.clock import Clock
from server.delivery.receipts import HeardReceipt, encode
from server.engine import leases
from server.store import attempts, inbox
from server.store.database import Database

from .claims import WORK, Claimed
from .courier import Courier, Told
from .lanes import Lane
from .recording import Recorder
from .routing import Routes
from .sharing import Shares

MOST_IN_HAND = 8000
"""Messages of all connections together that are claimed and not told of yet."""


@dataclass(slots=True)
class Dispatched:
    """What a dispatcher has done since it started, by kind of receipt."""

    claimed: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)


class Hands:
    """Carries claimed messages to their providers, and what became of them to the inbox."""

    def __init__(
        self,
        db: Database,
        clock: Clock,
        routes: Routes,
        courier: Courier,
        recorder: Recorder,
        *,
        concurrency: int,
        shards: int,
        mine: dict[int, int],
        wakeup: asyncio.Event,
    ) -> None:
        self._db, self._clock, self._routes = db, clock, routes
        self.courier, self._recorder = courier, recorder
        self._concurrency = concurrency
        self._shards, self._mine = shards, mine
        """The shards of this process and their tokens, as its dispatcher changes them."""
        self._wakeup = wakeup
        self.progress = Dispatched()
        self.lanes: dict[int, Lane] = {}
        self.in_hand: dict[tuple[int, int], Claimed] = {}
        self.shares = Shares(MOST_IN_HAND)
        self._put_down_one = asyncio.Event()
        self._failure: BaseException | None = None

    def lane(self, connection_id: int) -> Lane:
        """The lane of a connection that can be sent through."""
        lane = self.lanes.get(connection_id)
        if lane is None:
            route = self._routes.get(connection_id)
            assert route is not None
            lane = self.lanes[connection_id] = Lane(route, self._concurrency)
            lane.refresh(route, self._concurrency, self._share)
        return lane

    @property
    def _share(self) -> float:
        """Our part of a connection's rate, which is for all processes together: as our part of the shards."""
        return max(1, len(self._mine)) / self._shards

    def refresh(self) -> None:
        """New settings of connections, and our part of the shards, count from the next message on."""
        for connection_id, lane in self.lanes.items():
            if (route := self._routes.get(connection_id)) is not None:
                lane.refresh(route, self._concurrency, self._share)

    def project_of(self, connection_id: int) -> int:
        return self.lane(connection_id).route.row.project_id

    def room(self, lane: Lane) -> int:
        """How many more messages of a connection may be claimed."""
        if self._routes.health.of(lane.route.row.id).is_on_trial(self._clock.now()):
            return 0 if lane.in_hand else 1
        if not lane.has_room():
            return 0
        return min(lane.most - lane.in_hand, self.shares.room(lane.route.row.project_id))

    def set_out(self, lane: Lane, claimed: Sequence[Claimed]) -> None:
        """Sets on their way what a claim has brought; calls that are full go out at once."""
        for one in claimed:
            self.in_hand[one.key] = one
        lane.put(claimed)
        self.progress.claimed += len(claimed)
        self._lend(lane, min(lane.hands_wanted(), len(lane.waiting) // lane.size))

    def _lend(self, lane: Lane, hands: int) -> None:
        for _ in range(hands):
            worker = asyncio.create_task(self._work(lane))
            lane.workers.add(worker)
            worker.add_done_callback(partial(self._worker_done, lane))

    def lend_where_wanted(self) -> None:
        """Has calls go out that are not full."""
        for lane in self.lanes.values():
            self._lend(lane, lane.hands_wanted())

    def raise_failure(self) -> None:
        """If something has gone wrong that no receipt can tell of."""
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure

    @property
    def are_busy(self) -> bool:
        return bool(self.in_hand) and self._failure is None

    async def one_done(self) -> None:
        """Returns when something was put down, or at once if nothing is in hand."""
        if self.are_busy:
            self._put_down_one.clear()
            await self._put_down_one.wait()

    def cut_off(self) -> None:
        """Ends what is under way; what may have left is told of as unknown."""
        for worker in self._workers():
            worker.cancel()

    async def abandon(self) -> None:
        """Lets everything fall, as a crash would."""
        self.courier.closing.clear()
        workers = self._workers()
        for worker in workers:
            worker.cancel()
        await self._recorder.abandon()
        await asyncio.gather(*workers, return_exceptions=True)
        self.lanes, self.in_hand, self.shares = {}, {}, Shares(MOST_IN_HAND)

    def _workers(self) -> list[asyncio.Task[None]]:
        return [worker for lane in self.lanes.values() for worker in lane.workers]

    async def _work(self, lane: Lane) -> None:
        """One hand of a lane: call after call, while there is something to carry."""
        while batch := lane.take():
            told = await self.courier.deliver(lane, batch)
            self._keep(lane, [(one, receipt) for one, receipt in told if receipt is not None])
            back = [one for one, receipt in told if receipt is None]
            if back:
                is_open = self._routes.is_open(lane.route.row.id, self._clock.now())
                if self.courier.closing.is_set() or not is_open:
                    back += lane.take_all()
                await self._take_back(lane, back)

    def _worker_done(self, lane: Lane, done: asyncio.Task[None]) -> None:
        lane.workers.discard(done)
        if not done.cancelled() and done.exception() is not None:
            self._failure = done.exception()
            self._put_down_one.set()
            self._wakeup.set()

    def _keep(self, lane: Lane, told: Sequence[Told]) -> None:
        if not told:
            return
        entries = [self._entry(one, receipt) for one, receipt in told if receipt is not None]
        self._recorder.record(entries, partial(self._kept, lane, told))

    def _entry(self, claimed: Claimed, receipt: HeardReceipt) -> inbox.Entry:
        payload = encode(receipt)
        return inbox.Entry(claimed.shard, claimed.row.project_id, inbox.RECEIPT, payload, self._clock.now())

    def _kept(self, lane: Lane, told: Sequence[Told], error: BaseException | None) -> None:
        if error is not None:
            self._failure = error
        else:
            self.progress.outcomes.update(receipt.kind.value for _, receipt in told if receipt is not None)
        self._put_down(lane, [one for one, _ in told])

    async def _take_back(self, lane: Lane, claimed: Sequence[Claimed]) -> None:
        """Undoes attempts of which nothing has left. Those in a shard that we have lost are told of there."""
        by_shard: defaultdict[int, list[attempts.Attempt]] = defaultdict(list)
        for one in claimed:
            by_shard[one.shard].append(attempts.Attempt(one.row.id, one.attempt, one.attempted_at))
        for shard, made in by_shard.items():
            if shard not in self._mine:
                continue
            with suppress(leases.LostLease):
                async with self._db.write() as session:
                    await leases.prove(session, WORK, shard, self._mine[shard])
                    await attempts.take_back(session, shard, made)
        self._put_down(lane, claimed)

    def _put_down(self, lane: Lane, claimed: Sequence[Claimed]) -> None:
        for one in claimed:
            self.in_hand.pop(one.key, None)
        lane.in_hand -= len(claimed)
        self.shares.put_down(lane.route.row.project_id, len(claimed))
        self._put_down_one.set()
        if self._failure or self.room(lane) > 0:
            self._wakeup.set()
