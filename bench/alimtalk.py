"""An Alimtalk to a file of recipients: uploaded, sent through SOLAPI's adapter, results asked for, booked.

The relay is the fake one, in this process. Its ledger and our tables are laid side by side in plain SQL, to
the message and to the won; exits with 1 if they differ.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

import httpx
import orjson
from sqlalchemy import func, select

from bench import _alimtalk as shop
from bench._alimtalk import AFTER, BEFORE, SEND, Relay
from bench._alimtalk_books import Books, compare
from bench._report import figure, heading, peak_memory_mb
from channels.kakao.solapi_auth import authorization, new_salt
from channels.kakao.solapi_relay import PAGE
from server.aggregates.recount import differences
from server.clock import MINUTE, Instant
from server.config import Secret, Settings
from server.demo.api import Api, api_of
from server.engine import leases
from server.observe import configure_logs
from server.runtime import Runtime, calm_collector, open_runtime
from server.store import projects
from server.store.bulk import table_of
from server.store.tables import Message

START = 1_710_327_600_000
MOST_PAUSES = 20
COSTS = "{ costs { lines { count amount { amount } } open { why count } } }"


T = TypeVar("T")


class Clock:
    """What the relay tells the time by; the runtime's, once there is one."""

    def __init__(self) -> None:
        self.runtime: Runtime | None = None

    def now(self) -> Instant:
        return START if self.runtime is None else self.runtime.clock.now()


class Campaign:
    """One run of it, and what each phase took."""

    def __init__(self, runtime: Runtime, api: Api, relay: Relay) -> None:
        self.runtime, self.api, self.relay = runtime, api, relay
        self.seconds: dict[str, float] = {}
        self.listed = 0

    async def run(self, path: Path) -> None:
        await shop.open_counter(self.api, self.relay)
        uploaded = await self._timed("upload the file", shop.upload(self.runtime, self.api, path))
        self.listed = uploaded.taken.changed
        await self._timed("make users and the list", self._work())
        await self._timed("start the campaign (GraphQL)", shop.send(self.api))
        await self._timed("decide on messages", self._work())
        await self._timed("fill and hand over", self._send())
        await self._timed("work outcomes in", self._work())
        self.runtime.clock.reach(self.runtime.clock.now() + 5 * MINUTE)
        await self._timed("ask for results", self._ask())
        await self._timed("work results in", self._work())

    async def _timed(self, name: str, work: Awaitable[T]) -> T:
        started = time.perf_counter()
        found = await work
        self.seconds[name] = time.perf_counter() - started
        return found

    async def _work(self) -> None:
        await self.runtime.engine.take_shards()
        renewed = time.perf_counter()
        while await self.runtime.engine.work_once():
            if time.perf_counter() > renewed + leases.LASTS_MS / 3000:
                await self.runtime.engine.take_shards()
                renewed = time.perf_counter()

    async def _send(self) -> None:
        """A call whose answer is lost shuts the connection for a while: then its time is waited for."""
        await self.runtime.dispatcher.until_idle()
        for _ in range(MOST_PAUSES):
            if not await self._left():
                return
            self.runtime.clock.reach(self.runtime.clock.now() + MINUTE)
            await self.runtime.dispatcher.until_idle()

    async def _left(self) -> int:
        table = table_of(Message)
        async with self.runtime.db.read() as session:
            rows = await session.rows(select(func.count()).where(table.c.status == "queued"))
        return int(rows[0][0])

    async def _ask(self) -> None:
        while await self.runtime.poller.poll_once():
            pass


async def _lose() -> None:
    raise httpx.ReadError("connection reset by peer")


@asynccontextmanager
async def opened(database: Path, seed: int) -> AsyncIterator[Campaign]:
    clock = Clock()
    relay = Relay(clock.now, shop.lives(seed))
    # Of two calls no answer comes back. One was taken up, and its results tell; of the other nobody knows.
    relay.trouble = {(SEND, 2, AFTER): _lose, (SEND, 4, BEFORE): _lose}
    mounts = {relay.base_url: httpx.ASGITransport(relay)}
    settings = Settings(
        database_url=f"sqlite:///{database}",
        secret=Secret("only-for-this-benchmark"),
        max_backlog=10_000_000,
        discover_plugins=False,
    )
    async with open_runtime(settings, parts=(), follow_events=True, mounts=mounts) as runtime:
        clock.runtime = runtime
        runtime.clock.reach(START)
        async with runtime.db.write() as session:
            keys = await projects.create(session, "소전몰", "Asia/Seoul", START)
        async with api_of(runtime, keys) as api:
            yield Campaign(runtime, api, relay)
            await runtime.dispatcher.aclose()
            await runtime.dispatcher.let_go()
            await runtime.engine.let_go()


async def floor(handed: Relay, seed: int) -> tuple[float, float]:
    """Seconds that the relay alone takes for the very calls, and to tell all results, over httpx."""
    now = handed.clock()
    moment = [now]
    relay = Relay(lambda: moment[0], shop.lives(seed))
    relay.desk = handed.desk
    ((key, secret),) = relay.keys.items()
    bodies = [body for method, path, _, body in handed.requests if path.endswith("send-many/detail")]
    base = relay.base_url
    async with httpx.AsyncClient(transport=httpx.ASGITransport(relay), base_url=base) as client:

        def signed() -> dict[str, str]:
            proof = authorization(key, secret, moment[0], new_salt())
            return {"authorization": proof, "content-type": "application/json"}

        started = time.perf_counter()
        for body in bodies:
            answer = await client.post("/messages/v4/send-many/detail", content=body, headers=signed())
            assert answer.status_code == 200, answer.text
            orjson.loads(answer.content)
        sending = time.perf_counter() - started
        moment[0] = now + 5 * MINUTE
        started = time.perf_counter()
        asked: dict[str, str] = {"limit": str(PAGE)}
        while "startKey" not in asked or asked["startKey"]:
            answer = await client.get("/messages/v4/list", params=asked, headers=signed())
            asked["startKey"] = orjson.loads(answer.content)["nextKey"] or ""
        return sending, time.perf_counter() - started


def told(campaign: Campaign, books: Books, bare: tuple[float, float]) -> None:
    seconds, count = campaign.seconds, campaign.listed
    figure("on the list, each with a message", count, "")
    for name, took in seconds.items():
        figure(name, took, "s")
    whole = sum(seconds.values())
    figure("all of it", count / whole, "msg/s", floor=count / sum(bare))
    figure("fill and hand over", count / seconds["fill and hand over"], "msg/s", floor=count / bare[0])
    figure("ask for results", count / seconds["ask for results"], "msg/s", floor=count / bare[1])
    figure("peak memory of this process, the relay in it", peak_memory_mb(), "MB")
    for name, theirs, ours in books.sums:
        print(f"  {name:<46}{theirs:>12,.0f} by the relay, {ours:>12,.0f} by us")
    for reason, number in books.reasons.items():
        print(f"    failed, {reason:<36}{number:>12,}")


async def run(folder: Path, count: int, seed: int) -> list[str]:
    """All of it. Returns what is wrong."""
    path, database = folder / f"{shop.LIST}.csv", folder / "bench.db"
    bad = shop.write_file(path, count)
    async with opened(database, seed) as campaign:
        await campaign.run(path)
        books = compare(database, campaign.relay)
        if campaign.listed != count - bad:
            books.wrong.append(f"{campaign.listed} of {count - bad} good lines were taken")
        shown = (await campaign.api.ask(COSTS))["costs"]
        won = sum(float(line["amount"]["amount"]) for line in shown["lines"])
        if won != books.of("won (messages)"):
            books.wrong.append(f"the API says that all of it cost {won}")
        async with campaign.runtime.db.read() as session:
            books.wrong += [f"recount: {one}" for one in await differences(session)]
        told(campaign, books, await floor(campaign.relay, seed))
    return books.wrong


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--recipients", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    calm_collector()
    configure_logs("console", quiet=True)
    heading(
        "Alimtalk",
        f"{given.recipients:,} lines of a CSV file through SOLAPI's adapter to a relay in this process",
    )
    with tempfile.TemporaryDirectory() as folder:
        wrong = await run(Path(folder), given.recipients, given.seed)
    for line in wrong[:20]:
        print(f"  WRONG  {line}")
    print("  Nothing is wrong." if not wrong else f"  {len(wrong)} wrong.")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    import uvloop

    uvloop.run(main())
