"""Messages through the dispatcher to a provider that is spoken to over HTTP, on SQLite."""

import argparse
import asyncio
import tempfile
import time

import httpx
import orjson

from bench._outbox import START, connect, fill, prepared
from bench._provider import BenchChannel, Provider
from bench._report import figure, heading, middle, peak_memory_mb
from channels.host import Host
from server.clock import WallClock
from server.config import Secret, Settings
from server.delivery.dispatch import Dispatcher
from server.ingest.appender import Appender
from server.runtime import calm_collector
from server.store.database import Database


async def measure(provider: Provider, count: int, concurrency: int, batch_size: int) -> float:
    """Messages a second, from the claim to the outcome on disk."""
    with tempfile.TemporaryDirectory() as folder:
        db = Database(f"sqlite:///{folder}/bench.db")
        project_id, journey_id = await prepared(db)
        connection_id = await connect(db, project_id, "mail", "bench", provider.url)
        await fill(db, project_id, journey_id, [connection_id], count, START)
        host = Host({"bench": BenchChannel("bench", batch_size=batch_size)}, {})
        settings = Settings(secret=Secret("only-for-this-benchmark"), send_concurrency=concurrency)
        appender = Appender(db, 1_000_000, 10_000_000)
        stopping = asyncio.Event()
        appending = asyncio.create_task(appender.run(stopping))
        dispatcher = Dispatcher(db, WallClock(), host, settings, 1, appender.append)
        started = time.perf_counter()
        progress = await dispatcher.until_idle()
        seconds = time.perf_counter() - started
        assert progress.outcomes["accepted"] == count, progress.outcomes
        await dispatcher.aclose()
        stopping.set()
        await appending
        await db.close()
        return count / seconds


async def floor(provider: Provider, count: int, concurrency: int) -> float:
    """Requests a second of a bare httpx loop that sends the same bytes and does nothing else."""
    waiting = iter(range(count))
    content = {"to": "user-1@example.com", "subject": "Still thinking, User 1?"}
    text = "Hello User 1, Lamp waits in your cart."

    async def post(client: httpx.AsyncClient) -> None:
        for number in waiting:
            body = orjson.dumps([{"id": f"floor-{number}", **content, "text": text}])
            answer = await client.post(f"{provider.url}/one", content=body)
            assert len(orjson.loads(answer.content)) == 1

    async with httpx.AsyncClient(timeout=30) as client:
        started = time.perf_counter()
        await asyncio.gather(*(post(client) for _ in range(concurrency)))
        return count / (time.perf_counter() - started)


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=5_000, help="one a request")
    parser.add_argument("--batched", type=int, default=50_000, help="many a request")
    parser.add_argument("--batch-size", type=int, default=500)
    parser.add_argument("--concurrency", type=int, default=32)
    parser.add_argument("--latency-ms", type=float, default=2)
    parser.add_argument("--repeat", type=int, default=3)
    given = parser.parse_args()
    calm_collector()
    heading(
        "Dispatch",
        f"{given.messages:,} messages one a request and {given.batched:,} in batches of {given.batch_size}, "
        f"to a provider that answers after {given.latency_ms:g} ms, {given.concurrency} at a time; "
        f"median of {given.repeat}",
    )
    provider = Provider(given.latency_ms)
    try:
        singly, bare, batched = [], [], []
        for _ in range(given.repeat):
            bare.append(await floor(provider, given.messages, given.concurrency))
            singly.append(await measure(provider, given.messages, given.concurrency, 1))
            batched.append(await measure(provider, given.batched, given.concurrency, given.batch_size))
    finally:
        provider.stop()
    figure("one a request", middle(singly), "msg/s", floor=middle(bare), goal="≥ 0.6 of a bare httpx loop")
    figure("in batches", middle(batched), "msg/s", goal="≥ 10,000")
    figure("peak memory of this process", peak_memory_mb(), "MB")


if __name__ == "__main__":
    import uvloop

    uvloop.run(main())
