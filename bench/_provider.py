"""A provider in a process of its own, spoken to over HTTP, and the channel that speaks to it.

It answers after a fixed time. Told to, it also goes wrong, by a hash of reference and try: 429, 503, a reset
before or after it has taken the message over, a slow answer. It counts what it took over, by reference.
"""

import argparse
import asyncio
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from hashlib import blake2b
from typing import Any

import httpx
import orjson
from pydantic import BaseModel, ConfigDict

from bench._server import free_port
from channels.contract import (
    CONTRACT_VERSION,
    Accepted,
    BaseChannel,
    Capabilities,
    ContentField,
    Message,
    OnUnknown,
    Outcome,
    Tools,
    Unknown,
)
from channels.http import exchange, outcome_of_status


class Settings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    base_url: str


class BenchChannel(BaseChannel[Settings]):
    """Speaks to the provider of this module, one message a request or many."""

    channel = "email"
    title = "Bench provider"
    contract_version = CONTRACT_VERSION
    settings = Settings

    def __init__(
        self, key: str, *, batch_size: int = 1, on_unknown: OnUnknown = OnUnknown.NEVER_RESEND
    ) -> None:
        self.key = key
        self.capabilities = Capabilities(
            content={"subject": ContentField(), "html": ContentField(), "text": ContentField()},
            batch_size=batch_size,
            on_unknown=on_unknown,
        )

    def open(self, settings: Settings, tools: Tools) -> "BenchSender":
        return BenchSender(settings.base_url, tools)


class BenchSender:
    def __init__(self, base_url: str, tools: Tools) -> None:
        self._base_url, self._tools = base_url, tools

    async def send(self, message: Message) -> Outcome:
        return (await self._post("/one", [message]))[0]

    async def send_many(self, messages: Sequence[Message]) -> list[Outcome]:
        return await self._post("/many", messages)

    async def _post(self, path: str, messages: Sequence[Message]) -> list[Outcome]:
        content = orjson.dumps([{"id": one.reference, "to": one.to, **one.content} for one in messages])
        answer = await exchange(self._tools, "POST", self._base_url + path, content=content)
        if not isinstance(answer, httpx.Response):
            return [answer] * len(messages)
        if answer.status_code != 200:
            return [outcome_of_status(answer, self._tools.clock())] * len(messages)
        taken = orjson.loads(answer.content)
        if len(taken) != len(messages):
            return [Unknown(text="not one answer a message")] * len(messages)
        return [Accepted(f"p-{one}") for one in taken]

    async def aclose(self) -> None:
        """The client is the server's."""


class Provider:
    """The process, from outside."""

    def __init__(self, latency_ms: float = 2, *, faults: bool = False) -> None:
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        options = ["--port", str(port), "--latency-ms", str(latency_ms), *(["--faults"] if faults else [])]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bench._provider", *options], stdout=subprocess.PIPE
        )
        assert self._process.stdout is not None
        self._process.stdout.readline()

    def taken(self) -> dict[str, int]:
        """By reference: how often it was taken over."""
        found: dict[str, int] = httpx.get(f"{self.url}/taken", timeout=30).json()
        return found

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()


# The process itself


class _Desk(asyncio.Protocol):
    """As little HTTP as httpx needs, so that the time goes to those who are measured."""

    taken: Counter[str] = Counter()
    tries: Counter[str] = Counter()
    latency = 0.0
    faults = False

    def connection_made(self, transport: Any) -> None:
        self.transport, self.received = transport, b""

    def data_received(self, data: bytes) -> None:
        self.received += data
        while True:
            head, gap, rest = self.received.partition(b"\r\n\r\n")
            if not gap:
                return
            length = 0
            for line in head.split(b"\r\n")[1:]:
                name, _, value = line.partition(b":")
                if name.lower() == b"content-length":
                    length = int(value)
            if len(rest) < length:
                return
            self.received = rest[length:]
            self._answer(head.split(b" ", 2)[1], rest[:length])

    def _answer(self, path: bytes, body: bytes) -> None:
        if path == b"/taken":
            return self._write(b"200 OK", json.dumps(self.taken).encode())
        references = [one["id"] for one in orjson.loads(body)]
        fault, latency = self._fault(references[0]), self.latency
        if fault in ("429", "503"):
            head = b"429 Too Many\r\nRetry-After: 1" if fault == "429" else b"503 Unavailable"
            return self._later(latency, head, b"{}")
        if fault == "lost":
            return self.transport.abort()
        self.taken.update(references)
        if fault == "reset":
            return self.transport.abort()
        self._later(latency * 20 if fault == "slow" else latency, b"200 OK", orjson.dumps(references))

    def _fault(self, reference: str) -> str:
        if not self.faults:
            return ""
        self.tries[reference] += 1
        drawn = blake2b(f"{reference}:{self.tries[reference]}".encode(), digest_size=2).digest()
        share = int.from_bytes(drawn, "big") / 65536
        for name, until in (("429", 0.03), ("503", 0.06), ("lost", 0.07), ("reset", 0.09), ("slow", 0.12)):
            if share < until:
                return name
        return ""

    def _later(self, seconds: float, head: bytes, body: bytes) -> None:
        asyncio.get_running_loop().call_later(seconds, self._write, head, body)

    def _write(self, head: bytes, body: bytes) -> None:
        length = str(len(body)).encode()
        self.transport.write(b"HTTP/1.1 " + head + b"\r\nContent-Length: " + length + b"\r\n\r\n" + body)


async def _serve(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(_Desk, "127.0.0.1", port)
    print("ready", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    import uvloop

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--latency-ms", type=float, default=2)
    parser.add_argument("--faults", action="store_true")
    given = parser.parse_args()
    _Desk.latency, _Desk.faults = given.latency_ms / 1000, given.faults
    uvloop.run(_serve(given.port))
