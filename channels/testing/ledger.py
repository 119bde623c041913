"""What the fake provider remembers of one connection: what it was handed, and what it has still to tell."""

import heapq
import secrets
from collections.abc import Iterable

from channels.contract import Cursor, Instant, Message, Receipt

_PAGE = 1000


class Ledger:
    """Kept in memory only. A cursor from another ledger, such as one from before a restart, starts afresh."""

    def __init__(self, remember: int) -> None:
        self.messages: dict[str, Message] = {}
        """By reference, in the order in which they were taken over; the newest `remember` of them."""
        self._remember = remember
        self._waiting: list[tuple[Instant, str, Receipt]] = []
        self._told: list[Receipt] = []
        self._forgotten = 0
        self._name = secrets.token_hex(4)

    def take_over(self, message: Message, receipts: Iterable[Receipt]) -> None:
        """Remember a message; nothing happens when its reference is known already."""
        if message.reference in self.messages:
            return
        self.messages[message.reference] = message
        if len(self.messages) > self._remember:
            del self.messages[next(iter(self.messages))]
        for receipt in receipts:
            heapq.heappush(self._waiting, (receipt.occurred_at, receipt.key, receipt))

    def tell(self, cursor: Cursor, now: Instant) -> tuple[list[Receipt], Cursor]:
        """The next page of receipts due by `now`. Whoever hands in a cursor has kept all that came before."""
        while self._waiting and self._waiting[0][0] <= now:
            self._told.append(heapq.heappop(self._waiting)[2])
        start = max(self._position(cursor), self._forgotten)
        del self._told[: start - self._forgotten]
        self._forgotten = start
        page = self._told[:_PAGE]
        return page, f"{self._name}:{start + len(page)}"

    def _position(self, cursor: Cursor) -> int:
        name, _, position = (cursor or "").partition(":")
        return int(position) if name == self._name else 0
