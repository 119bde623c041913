"""Cohort reports of 30 base dates by 8 days over HTTP, beside DuckDB and ClickHouse over the same user-days.

A real server answers from its deed sets, on SQLite and on PostgreSQL with 64 shards; the others from rows, in
the same run, in several forms of which the quickest counts. Every cell of all of them is compared. First the
same is done with a few people, and compared with what plain Python counts.

What it builds is kept under `--folder` and used again. Wants `pip install duckdb chdb` for those two.
"""

import argparse
import asyncio
import datetime
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from bench import _user_days_ingested
from bench._report import figure, heading, middle
from bench._server import Server
from bench._user_days import DEVICES, SOURCES, UserDays
from bench._user_days_house import House
from bench._user_days_peers import (
    BASES,
    DEVICE,
    PERIODS,
    PLAIN,
    QUESTIONS,
    REVENUE,
    SEGMENT,
    SOURCE,
    Cells,
    Peer,
    timed,
)

SMALL = (400, 2_000)
"""Users and user-days of the check."""
BASE = "plain, with the base columns"
"""What everybody's first screen shows besides: asked of the product alone."""
_CELLS = "cells { period numerator denominator ratio complete }"
_DOCUMENT = """query ($input: CohortInput!) { cohort(input: $input) {
  ... on CohortReport { watermark everybody { rows { baseDate size complete %s }
    averages { period numerator denominator ratio complete } } }
  ... on Problem { message }
} }"""
DOCUMENTS = {name: _DOCUMENT % _CELLS for name in QUESTIONS} | {
    BASE: _DOCUMENT % f"base {{ visits purchases revenue }} {_CELLS}"
}


class Timed(NamedTuple):
    middle: float
    p95: float
    first: float
    computing: float
    """Of the server, for each request."""
    cells: Cells


class Api:
    """Asks over one connection that is kept open, as a browser does."""

    def __init__(self, server: Server, house: House) -> None:
        self._server, self._house = server, house
        self._connection = HTTPConnection("127.0.0.1", server.port)
        self._headers = {
            "Authorization": f"Bearer {server.keys['secretKey']}",
            "Content-Type": "application/json",
        }

    def close(self) -> None:
        self._connection.close()

    def ask(self, question: str) -> tuple[float, Cells]:
        variables = {"input": asked(question, self._house.dates)}
        body = orjson.dumps({"query": DOCUMENTS[question], "variables": variables})
        started = time.perf_counter()
        self._connection.request("POST", "/graphql", body, self._headers)
        text = self._connection.getresponse().read()
        took = (time.perf_counter() - started) * 1000
        answer = orjson.loads(text)
        if "errors" in answer or "everybody" not in answer["data"]["cohort"]:
            raise RuntimeError(str(answer)[:1000])
        return took, cells_of(answer["data"])

    def time(self, question: str, requests: int) -> Timed:
        first, cells = self.ask(question)
        before = self._server.computing_seconds()
        took = sorted(self.ask(question)[0] for _ in range(requests))
        computing = (self._server.computing_seconds() - before) * 1000 / requests
        return Timed(middle(took), took[int(len(took) * 0.95)], first, computing, cells)


def asked(question: str, dates: Sequence[datetime.date]) -> dict[str, Any]:
    """The input of the query."""
    about: dict[str, Any] = {}
    if question == SEGMENT:
        about = {"where": [_was("DEVICE", DEVICE), _was("SOURCE", SOURCE)]}
    elif question == REVENUE:
        about = {"metric": "REVENUE", "currency": "KRW"}
    days = {"from": dates[0].isoformat(), "until": dates[BASES].isoformat()}
    periods = {"first": 0, "last": PERIODS - 1}
    return {"entry": {"did": "VISIT"}, "unit": "USER", "baseDates": days, "periods": periods, **about}


def _was(by: str, value: str) -> dict[str, Any]:
    return {"was": {"by": by, "value": value}}


def cells_of(data: dict[str, Any]) -> Cells:
    """Of an answer. Without zeros."""
    return {
        (base, cell["period"]): int(cell["numerator"])
        for base, row in enumerate(data["cohort"]["everybody"]["rows"])
        for cell in row["cells"]
        if cell["numerator"]
    }


def counted(days: UserDays) -> dict[str, Cells]:
    """The same as plain Python counts it, person by person."""
    rows = list(zip(*(column.tolist() for column in days), strict=True))
    spent = {(user, day): spent for user, day, *_, spent in rows}
    found: dict[str, defaultdict[tuple[int, int], int]] = {name: defaultdict(int) for name in QUESTIONS}
    wanted = (DEVICES.index(DEVICE), SOURCES.index(SOURCE))
    for user, base, device, source, *_ in rows:
        for n in range(PERIODS) if base < BASES else ():
            if (user, base + n) in spent:
                found[PLAIN][base, n] += 1
                found[SEGMENT][base, n] += (device, source) == wanted
                found[REVENUE][base, n] += spent[user, base + n]
    return {name: {at: value for at, value in cells.items() if value} for name, cells in found.items()}


def differences(ours: Cells, theirs: Cells) -> list[str]:
    return [
        f"base date {at[0]}, day {at[1]}: {ours.get(at, 0)} here, {theirs.get(at, 0)} there"
        for at in sorted({*ours, *theirs})
        if ours.get(at, 0) != theirs.get(at, 0)
    ]


def check(users: int, user_days: int) -> int:
    """Asks a server about a few people. Returns how many cells equal what plain Python counts."""
    with tempfile.TemporaryDirectory() as folder:
        house = House(Path(folder), users, user_days)
        with house.server("sqlite") as server:
            api = Api(server, house)
            said = {question: api.ask(question)[1] for question in QUESTIONS}
            api.close()
    wanted = counted(house.days)
    for question, cells in said.items():
        if wrong := differences(cells, wanted[question]):
            raise SystemExit(f"{question}: {len(wrong)} cells differ from what Python counts: {wrong[0]}")
    return sum(map(len, said.values()))


def run(house: House, kinds: Iterable[str], requests: int, rounds: int, peers: Iterable[Peer]) -> None:
    told = {kind: _timed(house, kind, requests) for kind in kinds}
    for question in QUESTIONS:
        print(f"\n{question}")
        for kind, timings in told.items():
            _print(kind, timings[question])
        for peer in peers:
            _beside(peer, question, {kind: timings[question] for kind, timings in told.items()}, rounds)
    print(f"\n{BASE}")
    for kind, timings in told.items():
        _print(kind, timings[BASE])


def _timed(house: House, kind: str, requests: int) -> dict[str, Timed]:
    with house.server(kind) as server:
        api = Api(server, house)
        found = {question: api.time(question, requests) for question in DOCUMENTS}
        api.close()
        figure(f"{kind}: peak memory of the server", server.peak_memory_mb(), "MB")
        stored = asyncio.run(house.stored_bytes(server)) / len(house.days.user)
        figure(f"{kind}: deed sets, of days, months and all time", stored, "bytes a user-day")
    return found


def _print(kind: str, found: Timed) -> None:
    figure(f"{kind}: median", found.middle, "ms")
    figure(f"{kind}: 95th of a hundred", found.p95, "ms", goal="≤ 150")
    figure(f"{kind}: the first time", found.first, "ms")
    figure(f"{kind}: the server's computing time", found.computing, "ms")


_GOALS = {"DuckDB": "≥ 10 at 25 M", "ClickHouse": "≥ 2 at 25 M"}


def _beside(peer: Peer, question: str, ours: Mapping[str, Timed], rounds: int) -> None:
    forms = {}
    for name, statement in peer.forms[question].items():
        forms[name], cells = timed(peer, statement)
        for kind, found in ours.items():
            if wrong := differences(found.cells, cells):
                print(f"    {len(wrong)} cells of {kind} differ from {peer.name}, {name}: {wrong[:3]}")
    best = min(forms, key=lambda name: forms[name])
    took = middle([timed(peer, peer.forms[question][best])[0] for _ in range(rounds)])
    each = ", ".join(f"{name} {ms:,.0f}" for name, ms in forms.items())
    print(f"  {peer.name}: {each} ms the first time; {len(cells)} cells compared with each")
    figure(f"  {peer.name}, {best}: median of {rounds}", took, "ms")
    for kind, found in ours.items():
        figure(f"    times slower than {kind}", took / found.middle, "", goal=_GOALS[peer.name])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--users", type=int, default=5_000_000)
    parser.add_argument("--user-days", type=int, default=25_000_000)
    parser.add_argument("--requests", type=int, default=100, help="of each question")
    parser.add_argument(
        "--rounds", type=int, default=3, help="how often the others are asked in the best form"
    )
    parser.add_argument("--on", nargs="*", default=["sqlite", "postgres"], choices=["sqlite", "postgres"])
    parser.add_argument("--beside", nargs="*", default=["duckdb", "clickhouse"])
    parser.add_argument("--folder", type=Path, help="where what is built stays; else it goes at the end")
    parser.add_argument("--check", action="store_true", help="only compare a few people with plain Python")
    parser.add_argument("--ingest", type=int, default=0, help="only work in so many events, with and without")
    given = parser.parse_args()
    if given.ingest:
        _user_days_ingested.run(given.on, given.ingest, given.rounds)
        return
    print(f"{check(*SMALL)} cells of {SMALL[0]} users equal what plain Python counts.")
    if given.check:
        return
    with tempfile.TemporaryDirectory() as passing:
        house = House(given.folder or Path(passing), given.users, given.user_days)
        rows = len(house.days.user)
        heading(
            "Cohorts",
            f"{given.users:,} users, {rows:,} user-days of {len(house.dates)} days, {len(DEVICES)} devices, "
            f"{len(SOURCES)} sources, {int((house.days.orders > 0).sum()):,} with orders",
        )
        peers = [getattr(house, name)() for name in given.beside]
        run(house, given.on, given.requests, given.rounds, peers)


if __name__ == "__main__":
    main()
