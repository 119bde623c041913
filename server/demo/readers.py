"""The readers of in-app messages: their apps fetch what is there, and tell what became of it."""

import asyncio
import heapq
from collections.abc import Iterable
from dataclasses import dataclass, field
from random import Random

import httpx
from pydantic import SecretStr

from server.clock import DAY, HOUR, MINUTE, Instant
from server.user_tokens import token_for

from .order import LEAST
from .providers import READERS_SECRET
from .shop import Sent

QUARTER = 15 * MINUTE
OPENS_APP = 0.68
"""Of those whom a parcel was sent to, before the message is of no more use."""
TAPS, PUTS_AWAY = 0.4, 0.25
"""Of those."""


@dataclass(slots=True)
class Readers:
    """When which of them opens the app."""

    client: httpx.AsyncClient
    connection: int
    seed: int
    _visits: list[tuple[Instant, str]] = field(default_factory=list)

    def hear(self, events: Iterable[Sent]) -> None:
        """Some of those who are told of a parcel will look."""
        for one in events:
            if one.message.get("event") != "order_shipped" or one.message["properties"]["total"] < LEAST:
                continue
            chance = self._chance(one.message["userId"])
            if chance.random() < OPENS_APP:
                # On the stroke of a quarter of an hour, so that the sample is not all day about it.
                quarters = 1 + int(chance.random() ** 3 * (2 * DAY + 12 * HOUR) / QUARTER)
                heapq.heappush(self._visits, (one.at + quarters * QUARTER, one.message["userId"]))

    def next_at(self) -> Instant | None:
        return self._visits[0][0] if self._visits else None

    async def visit(self, now: Instant) -> int:
        """Has those come who come by now. Returns how many. Raises httpx.HTTPStatusError if we refuse one."""
        come = set()
        while self._visits and self._visits[0][0] <= now:
            come.add(heapq.heappop(self._visits)[1])
        await asyncio.gather(*(self._read(user_id, now) for user_id in sorted(come)))
        return len(come)

    async def _read(self, user_id: str, now: Instant) -> None:
        token = token_for(SecretStr(READERS_SECRET), self.connection, user_id, now + HOUR)
        headers = {"Authorization": f"Bearer {token}"}
        answer = await self.client.get("/in-app/messages", headers=headers)
        answer.raise_for_status()
        chance = self._chance(f"{user_id} reads")
        told = [
            {"message": one["id"], "kind": kind}
            for one in answer.json()["messages"]
            if not one["isShown"]
            for kind in _kinds(chance.random())
        ]
        if told:
            taken = await self.client.post("/in-app/receipts", json={"receipts": told}, headers=headers)
            taken.raise_for_status()

    def _chance(self, what: str) -> Random:
        return Random(f"{self.seed}:reader:{what}")


def _kinds(draw: float) -> tuple[str, ...]:
    if draw < TAPS:
        return ("shown", "interacted")
    return ("shown", "dismissed") if draw < TAPS + PUTS_AWAY else ("shown",)
