"""What is in hand for one connection: claimed messages in order, and the hands that carry them."""

import asyncio
import math
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from .claims import Claimed
from .pace import Pace
from .routing import Route

LEAST_IN_HAND, MOST_IN_HAND = 16, 4000
"""Messages of one connection that are claimed and not told of yet. A crash leaves all of them unknown, so
they are no more than it takes to keep every hand busy."""
CALLS_AHEAD = 4
"""Calls of a batch provider that are claimed ahead."""
SECONDS_AHEAD = 2.0
"""Of a connection with a rate: what is claimed long before its turn only grows stale."""


@dataclass(slots=True)
class Lane:
    """The messages of one connection on their way. Its workers take from the front."""

    route: Route
    concurrency: int
    waiting: deque[Claimed] = field(default_factory=deque)
    workers: set[asyncio.Task[None]] = field(default_factory=set)
    in_hand: int = 0
    """Waiting, under way, or told of and not on disk yet."""
    _pace: Pace | None = None

    def refresh(self, route: Route, default_concurrency: int, share: float = 1.0) -> None:
        """New settings count from the next message on. Of the rate, `share` is this process's."""
        self.route = route
        self.concurrency = route.row.concurrency or default_concurrency
        rate = None if route.rate_per_second is None else route.rate_per_second * share
        if rate is None:
            self._pace = None
        elif self._pace is None or self._pace.per_second != rate:
            self._pace = Pace(rate)

    @property
    def most(self) -> int:
        """How many may be in hand."""
        size = self.route.batch_size
        calls = min(self.concurrency, CALLS_AHEAD) if size > 1 else self.concurrency
        most = min(max(LEAST_IN_HAND, 2 * size * calls), MOST_IN_HAND)
        if self._pace is not None:
            most = min(most, max(1, math.ceil(self._pace.per_second * SECONDS_AHEAD)))
        return most

    @property
    def size(self) -> int:
        """Messages of one call: no more at once than may leave at once."""
        size = self.route.batch_size
        return size if self._pace is None else max(1, min(size, int(self._pace.burst)))

    @property
    def per_second(self) -> float | None:
        """How many may leave here in a second, if that is limited."""
        return None if self._pace is None else self._pace.per_second

    def has_room(self) -> bool:
        """Claims are made for half a hand at least, so that there are few of them."""
        return self.in_hand <= self.most // 2

    def put(self, claimed: Iterable[Claimed]) -> None:
        before = len(self.waiting)
        self.waiting.extend(claimed)
        self.in_hand += len(self.waiting) - before

    def take(self) -> list[Claimed]:
        """The next messages to go together; those that are there, without waiting for more."""
        return [self.waiting.popleft() for _ in range(min(self.size, len(self.waiting)))]

    def take_all(self) -> list[Claimed]:
        taken = list(self.waiting)
        self.waiting.clear()
        return taken

    def hands_wanted(self) -> int:
        """How many more workers there is something to do for."""
        calls = -(-len(self.waiting) // self.size)
        return min(calls, self.concurrency - len(self.workers))

    def seconds_until_turn(self, turns: int) -> float:
        """Takes so many turns. Returns how long to wait before using them."""
        return self._pace.take(turns, asyncio.get_running_loop().time()) if self._pace else 0.0
