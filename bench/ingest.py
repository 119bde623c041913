"""Events acknowledged over HTTP in batches, by a real server on a fresh SQLite file; start-up and memory."""

import argparse
import asyncio
import base64
import json
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from bench import _floor
from bench._report import figure, heading, middle
from bench._server import Server

TIME = "2026-03-13T11:00:00.000Z"


def bodies(events: int, size: int, worker: int) -> list[bytes]:
    """Requests of `size` track events of about 300 bytes each, as Segment's libraries write them."""
    made = []
    for start in range(0, events, size):
        batch = [
            {
                "type": "track",
                "event": "product_view",
                "userId": f"user-{number % 10_000}",
                "messageId": f"ajs-next-{worker}-{number:012d}",
                "timestamp": TIME,
                "properties": {"platform": "desktop", "path": f"/p/{number % 1000}", "price": 19900},
                "context": {"library": {"name": "bench", "version": "1"}, "ip": "203.0.113.7"},
            }
            for number in range(start, start + size)
        ]
        made.append(json.dumps({"batch": batch, "sentAt": TIME}).encode())
    return made


async def send(port: int, key: str, requests: Sequence[bytes], latencies: list[float]) -> None:
    """One connection: each request after the answer to the one before. Fails on anything but 200."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    credentials = base64.b64encode(f"{key}:".encode()).decode()
    for body in requests:
        head = (
            "POST /v1/batch HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\n"
            f"Authorization: Basic {credentials}\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        started = time.perf_counter()
        writer.write(head.encode() + body)
        answer = (await reader.readuntil(b"\r\n\r\n")).decode()
        length = int(answer.lower().split("content-length:")[1].split()[0])
        content = await reader.readexactly(length)
        latencies.append(time.perf_counter() - started)
        if " 200 " not in answer.splitlines()[0]:
            raise RuntimeError(f"The server answered {answer.splitlines()[0]}: {content[:200]!r}")
    writer.close()
    await writer.wait_closed()


async def measure(server: Server, work: list[list[bytes]]) -> tuple[float, list[float]]:
    latencies: list[float] = []
    started = time.perf_counter()
    await asyncio.gather(
        *(send(server.port, server.keys["writeKey"], requests, latencies) for requests in work)
    )
    return time.perf_counter() - started, sorted(latencies)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=200_000)
    parser.add_argument("--batch", type=int, default=500)
    parser.add_argument("--connections", type=int, default=8)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--with-engine", action="store_true", help="The process also works the events in.")
    given = parser.parse_args()
    options = () if given.with_engine else ("--only", "api")
    share = given.events // given.connections
    work = [bodies(share, given.batch, worker) for worker in range(given.connections)]
    singles = [json.dumps(item).encode() for item in json.loads(work[0][0])["batch"]] * (
        20_000 // given.batch
    )
    heading(
        "Ingest" + (" with the engine beside it" if given.with_engine else ""),
        f"{given.events:,} events in batches of {given.batch} over {given.connections} connections; the load "
        f"comes from the same cores; median of {given.repeat}",
    )
    rates, middles, slowest, starts, memory, floors = [], [], [], [], [], []
    for _ in range(given.repeat):
        with tempfile.TemporaryDirectory() as folder:
            server = Server(Path(folder), *options)
            server.start()
            try:
                seconds, latencies = asyncio.run(measure(server, work))
                memory.append(server.peak_memory_mb())
            finally:
                server.stop()
            floors.append(_floor.append(Path(folder) / "floor.db", singles, given.batch))
        rates.append(given.events / seconds)
        middles.append(latencies[len(latencies) // 2] * 1000)
        slowest.append(latencies[int(len(latencies) * 0.99)] * 1000)
        starts.append(server.start_seconds)
    figure("events acknowledged", middle(rates), "events/s", floor=middle(floors), goal="≥ 30,000")
    figure("answer, middle", middle(middles), "ms")
    figure("answer, 99 of 100", middle(slowest), "ms")
    figure("start until ready", middle(starts) * 1000, "ms", goal="< 2,000")
    figure("peak memory of the server", middle(memory), "MB", goal="< 300")


if __name__ == "__main__":
    main()
