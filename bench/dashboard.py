"""The canvas and the dashboards of a journey of 30 steps on 5 channels, over HTTP, beside its peers.

A real server answers from its counters and user sets; the others from the facts, in the same run, with every
join already made for them. What all three say is compared. First a small history is counted again from its
facts by the product itself, so that what fills the tables here is what the product would have written.

Wants two packages that nothing else here does: `pip install duckdb chdb`.
"""

import argparse
import gc
import tempfile
import time
from collections.abc import Iterable
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from bench._report import figure, heading, middle
from bench._server import Server

try:
    import duckdb

    from bench import _peers, _stored, _story
    from bench._screens import SCREENS, Facts, Screen
except ImportError as error:
    raise SystemExit(f"{error}. This benchmark wants `.venv/bin/pip install duckdb chdb`.") from None

DAY = _story.DAY
SMALL = 20_000
FACTS_UP_TO = 2_000_000
"""Beyond, the product gets its aggregates only: no screen reads anything else."""
PERIODS: dict[str, dict[str, str] | None] = {"from launch": None, "30 days": {"preset": "LAST_30_DAYS"}}


class Timed(NamedTuple):
    middle: float
    p95: float
    first: float
    computing: float
    """Of the server, for each request."""
    facts: Facts


class Api:
    """Asks over one connection that is kept open, as a browser does."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._connection = HTTPConnection("127.0.0.1", server.port)
        self._headers = {
            "Authorization": f"Bearer {server.keys['secretKey']}",
            "Content-Type": "application/json",
        }
        self.journey = self._post("{ journeys(first: 1) { edges { node { id } } } }", {})[1]["journeys"][
            "edges"
        ][0]["node"]["id"]

    def _post(self, document: str, variables: dict[str, Any]) -> tuple[float, dict[str, Any]]:
        body = orjson.dumps({"query": document, "variables": variables})
        started = time.perf_counter()
        self._connection.request("POST", "/graphql", body, self._headers)
        text = self._connection.getresponse().read()
        took = (time.perf_counter() - started) * 1000
        answer = orjson.loads(text)
        if "errors" in answer:
            raise RuntimeError(str(answer["errors"])[:1000])
        return took, answer["data"]

    def time(self, screen: Screen, period: str, requests: int) -> Timed:
        variables = {"id": self.journey, "period": PERIODS[period]}
        document = screen.document(charts=PERIODS[period] is not None)
        first, data = self._post(document, variables)
        before = self._server.computing_seconds()
        took = sorted(self._post(document, variables)[0] for _ in range(requests))
        computing = (self._server.computing_seconds() - before) * 1000 / requests
        facts = {key: n for key, n in screen.facts(data["journey"]["stats"]).items() if n[0]}
        return Timed(middle(took), took[int(len(took) * 0.95)], first, computing, facts)


def since(period: str, now: int) -> int:
    """The first instant of the period."""
    if PERIODS[period] is None:
        return 0
    today = (now + _story.ZONE_OFFSET) // DAY * DAY - _story.ZONE_OFFSET
    return today - 29 * DAY


def differences(ours: Facts, theirs: Facts) -> list[str]:
    """Where a peer says something else about what we tell; a peer may tell more."""
    names = {key[0] for key in ours}
    keys = {*ours, *(key for key in theirs if key[0] in names)}
    return [
        f"{key}: {ours.get(key, (0,))} here, {theirs.get(key, (0,))} there"
        for key in sorted(keys)
        if any(a != b for a, b in zip(ours.get(key, (0,)), theirs.get(key, (0,)), strict=False))
    ]


def check(messages: int) -> None:
    """A small history, filled in the same way, is counted again by the product from its facts."""
    end = int(time.time() * 1000) // _story.HOUR * _story.HOUR
    with tempfile.TemporaryDirectory() as folder, duckdb.connect() as peer:
        server = Server(Path(folder), zone=_story.ZONE)
        _story.tell(peer, messages, end)
        _stored.store(peer, server.database.removeprefix("sqlite:///"), end, facts=True)
        said = server.run("recount", "--check")
    print(f"recount of {messages:,} messages: {(said.stdout + said.stderr).strip()}")
    if said.returncode:
        raise SystemExit("What is filled in here is not what the product would have written.")


def run(messages: int, requests: int, rounds: int, peers: Iterable[str]) -> dict[tuple[str, str], float]:
    """The 95th of a hundred by screen and period, in milliseconds."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        end = int(time.time() * 1000) // _story.HOUR * _story.HOUR
        connection = duckdb.connect(str(folder / "facts.duckdb"))
        server = Server(folder, "--only", "api", zone=_story.ZONE)
        _story.tell(connection, messages, end)
        counted = _stored.store(
            connection, server.database.removeprefix("sqlite:///"), end, facts=messages <= FACTS_UP_TO
        )
        _head(connection, messages, counted)
        gc.collect()
        server.start()
        api = Api(server)
        timed = {
            (screen.name, period): api.time(screen, period, requests)
            for screen in SCREENS
            for period in PERIODS
        }
        memory = server.peak_memory_mb()
        server.stop()
        _yardstick(connection)
        _compare(connection, folder, timed, end, rounds, list(peers))
        figure("peak memory of the server", memory, "MB")
        connection.close()
    return {key: one.p95 for key, one in timed.items()}


def _head(connection: duckdb.DuckDBPyConnection, messages: int, counted: dict[str, int]) -> None:
    tables = ("run", "visit", "message", "receipt", "conversion")
    rows = {table: connection.execute(f"SELECT count(*) FROM {table}").fetchone() for table in tables}
    told = ", ".join(f"{row[0]:,} {table}s" for table, row in rows.items() if row)
    stored = ", ".join(f"{n:,} of {table}" for table, n in counted.items())
    heading("Dashboard", f"30 steps, 5 channels, {_story.DAYS} days; {told}")
    print(f"in the product's database: {stored}")
    if messages > FACTS_UP_TO:
        print("the facts themselves are not in it: no screen reads them")


_BARE = (
    "SELECT step, output, count(*) FROM visit GROUP BY 1, 2",
    "SELECT step, count(DISTINCT user_number) FROM visit GROUP BY 1",
    "SELECT arrived_at // 86400000, count(*) FROM visit GROUP BY 1",
    "SELECT count(*), count(DISTINCT user_number), count(DISTINCT run_id) FROM visit",
)
"""Four plain questions, so that figures of different machines can be compared."""


def _yardstick(connection: duckdb.DuckDBPyConnection) -> None:
    started = time.perf_counter()
    for statement in _BARE:
        connection.execute(statement).fetchall()
    figure("yardstick: four bare GROUP BYs over the visits, DuckDB", time.perf_counter() - started, "s")


def _compare(
    connection: duckdb.DuckDBPyConnection,
    folder: Path,
    timed: dict[tuple[str, str], Timed],
    end: int,
    rounds: int,
    names: list[str],
) -> None:
    peers: list[_peers.DuckDB | _peers.ClickHouse] = []
    if "duckdb" in names:
        peers.append(_peers.DuckDB(connection))
    if "clickhouse" in names:
        peers.append(_peers.ClickHouse(connection, folder))
    for screen in SCREENS:
        for period, about in PERIODS.items():
            ours = timed[screen.name, period]
            title = f"{screen.name}, {period}"
            figure(f"{title}: median", ours.middle, "ms")
            figure(f"{title}: 95th of a hundred", ours.p95, "ms", goal="≤ 25")
            figure(f"{title}: the first time", ours.first, "ms")
            figure(f"{title}: the server's computing time", ours.computing, "ms")
            statements = [*screen.statements, *(screen.daily if about else ())]
            for peer in peers:
                _beside(peer, statements, since(period, end), ours, rounds)


_GOALS = {"DuckDB": "≥ 80 at 10 M", "ClickHouse": "≥ 30 at 10 M"}


def _beside(
    peer: "_peers.DuckDB | _peers.ClickHouse", statements: list[str], start: int, ours: Timed, rounds: int
) -> None:
    answers = [_peers.ask(peer, statements, start) for _ in range(rounds)]
    took = middle([one for one, _ in answers])
    figure(f"  {peer.name}: median", took, "ms")
    figure(f"  {peer.name}: times slower", took / ours.middle, "", goal=_GOALS[peer.name])
    wrong = differences(ours.facts, answers[0][1])
    print(f"    {len(ours.facts):,} figures: {'equal' if not wrong else f'{len(wrong)} differ'}")
    for line in wrong[:10]:
        print(f"      {line}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, nargs="+", default=[1_000_000, 10_000_000])
    parser.add_argument("--requests", type=int, default=100, help="of each screen and period")
    parser.add_argument("--rounds", type=int, default=3, help="how often the others are asked")
    parser.add_argument("--check", type=int, default=SMALL, help="messages of the recount; 0 leaves it out")
    parser.add_argument("--beside", nargs="*", default=["duckdb", "clickhouse"])
    given = parser.parse_args()
    if given.check:
        check(given.check)
    found = [run(size, given.requests, given.rounds, given.beside) for size in given.messages]
    if len(found) > 1:
        print(f"\nGrowth from {given.messages[0]:,} to {given.messages[-1]:,} messages")
        for key, before in found[0].items():
            figure(f"{', '.join(key)}: 95th of a hundred", found[-1][key] / before, "times")


if __name__ == "__main__":
    main()
