"""A million runs as files, by a server that does it beside its other work: rows a second and memory.

In the same run: the rows of the CSV file through `csv` alone, and the same file by a server that is killed on
the way, byte by byte the same as the one that was written in one go.
"""

import argparse
import asyncio
import csv
import tempfile
import time
from collections.abc import Iterator
from hashlib import blake2b
from itertools import islice
from pathlib import Path
from typing import Any

import httpx
import orjson

from bench._report import figure, heading
from bench._server import Server
from server.clock import DAY, HOUR
from server.store.bulk import inserting
from server.store.database import Database
from server.store.tables import Endpoint, Identity, Journey, Run, User, Version, Visit

START = 1_710_327_600_000
PAGE = 10_000
KILLED_AT = 0.4
GRAPH: dict[str, Any] = {
    "steps": [
        {"key": "in", "kind": "entry_event", "event": "add_to_cart", "title": "장바구니 담기"},
        {"key": "wait", "kind": "delay", "duration_ms": DAY, "title": "하루 기다리기"},
        {"key": "out", "kind": "exit", "title": "끝"},
    ],
    "edges": [
        {"from": "in", "output": "next", "to": "wait"},
        {"from": "wait", "output": "next", "to": "out"},
    ],
    "cancel_events": [{"event": "장바구니 비움"}],
}
_MODELS = (User, Identity, Endpoint, Run, Visit)
_INSERTS = {model: inserting(model) for model in _MODELS}
"""Of all columns, in the order of the tables."""


def people(project: int, numbers: range) -> dict[type[Any], list[tuple[Any, ...]]]:
    """Users with an id, a device, a mail address and a telephone number."""
    found: dict[type[Any], list[tuple[Any, ...]]] = {User: [], Identity: [], Endpoint: []}
    for n in numbers:
        found[User].append((0, project, n, "{}", START, f"user-{n:07d}", None, None))
        for kind, value in (("user_id", f"user-{n:07d}"), ("anonymous_id", f"device-{n * 7919:012x}")):
            found[Identity].append((0, project, kind, value, 0, n, START))
        for channel, address in (("email", f"user-{n:07d}@shop.kr"), ("sms", f"+8210{n:08d}")):
            found[Endpoint].append((0, project, n, channel, address, True, "usable", START, "", None))
    return found


def runs(project: int, journey: int, numbers: range) -> dict[type[Any], list[tuple[Any, ...]]]:
    """A run for each: a third is inside, a third has completed, and a third was cancelled."""
    found: dict[type[Any], list[tuple[Any, ...]]] = {Run: [], Visit: []}
    for n in numbers:
        at, run_id = START + n * 100, n << 12
        over, reason = at + HOUR, (None, "completed", "cancel_event")[n % 3]
        ends = (at + 3650 * DAY, False, None, None) if reason is None else (None, False, over, reason)
        where = (0, run_id, project, journey, 1, n, "in", "out" if reason == "completed" else "wait")
        about = (None, "add_to_cart", "{}", "{}", "{}", "{}", "", "", "", 1)
        found[Run].append((*where, at, at, *ends, *about))
        if reason == "cancel_event":
            passed = (0, run_id, 2, project, journey, 1, n, at, "wait", at, over)
            found[Visit].append((*passed, "", "장바구니 비움", reason, None, "{}"))
    return found


async def fill(url: str, project: int, rows: int) -> None:
    db = Database(url)
    async with db.write() as session:
        about: dict[str, Any] = {"title": "장바구니", "status": "running", "version": 1, "started_at": START}
        journey = Journey(project_id=project, created_at=0, changed_at=0, **about)
        session.add(journey)
        await session.flush()
        text = orjson.dumps(GRAPH).decode()
        session.add(Version(journey_id=journey.id, number=1, graph=text, published_at=START))
    for start in range(0, rows, PAGE):
        numbers = range(start, min(rows, start + PAGE))
        async with db.write() as session:
            for model, found in (people(project, numbers) | runs(project, journey.id or 0, numbers)).items():
                await session.bulk(_INSERTS[model], found)
    await db.close()


START_EXPORT = """mutation($journey: ID!, $format: ExportFormat!) {
    startExport(input: {what: {runs: {journeyId: $journey}}, format: $format, language: KO}) {
        ... on StartExportPayload { export { id } } ... on Problem { message } } }"""
LOOK = "query($id: ID!) { export(id: $id) { state problem rows size createdAt finishedAt downloadUrl } }"


class Client:
    def __init__(self, server: Server) -> None:
        self._server = server
        self._http = httpx.Client(base_url=server.url, timeout=120, trust_env=False)

    def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {self._server.keys['secretKey']}"}
        answer = self._http.post("/graphql", json={"query": query, "variables": variables}, headers=headers)
        return dict(answer.json()["data"])

    def start(self, format: str) -> str:
        (edge,) = self.ask("{ journeys { edges { node { id } } } }")["journeys"]["edges"]
        answer = self.ask(START_EXPORT, journey=edge["node"]["id"], format=format)
        return str(answer["startExport"]["export"]["id"])

    def until(self, export: str, rows: int = 0) -> dict[str, Any]:
        """Waits until so many rows are written, or it is over."""
        while True:
            found: dict[str, Any] = self.ask(LOOK, id=export)["export"]
            if found["state"] not in ("QUEUED", "RUNNING") or (rows and found["rows"] >= rows):
                return found
            time.sleep(0.1)

    def download(self, export: str, path: Path) -> float:
        """Returns how many seconds it took."""
        url, started = self.ask(LOOK, id=export)["export"]["downloadUrl"], time.perf_counter()
        with self._http.stream("GET", url) as answer, path.open("wb") as file:
            assert answer.status_code == 200, answer.status_code
            for piece in answer.iter_bytes():
                file.write(piece)
        return time.perf_counter() - started


def measured(server: Server, client: Client, format: str, path: Path) -> tuple[float, float, int]:
    """Seconds for the file, the peak of the server's memory, and the file's bytes."""
    started = time.perf_counter()
    export = client.start(format)
    done = client.until(export)
    seconds = time.perf_counter() - started
    assert done["state"] == "READY", done
    client.download(export, path)
    return seconds, server.peak_memory_mb(), path.stat().st_size


def in_pages(path: Path) -> Iterator[list[list[str]]]:
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.reader(file)
        while page := list(islice(reader, 1000)):
            yield page


def floor(path: Path, target: Path) -> float:
    """Seconds to write the very rows of the file with `csv`, a page at a time, and nothing else."""
    spent = 0.0
    with target.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        for page in in_pages(path):
            started = time.perf_counter()
            writer.writerows(page)
            spent += time.perf_counter() - started
    return spent


def digest(path: Path) -> str:
    found = blake2b()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            found.update(block)
    return found.hexdigest()


def killed(server: Server, rows: int, path: Path) -> int:
    """The CSV file again, by a server that is killed on the way. Returns at which row it was."""
    export = Client(server).start("CSV")
    reached = Client(server).until(export, round(rows * KILLED_AT))["rows"]
    server.kill()
    server.start()
    client = Client(server)
    done = client.until(export)
    assert done["rows"] == rows, done
    client.download(export, path)
    return int(reached)


def fresh(server: Server) -> float:
    """Starts it anew. Returns its memory before it is asked for a file."""
    server.end()
    server.start()
    Client(server).ask("{ project { name } }")
    return server.peak_memory_mb()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--formats", default="CSV,JSONL,XLSX")
    given = parser.parse_args()
    rows = given.rows
    heading("Exports", f"the list of {rows:,} runs, 14 columns, by a server on SQLite")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        server = Server(folder, zone="Asia/Seoul")
        asyncio.run(fill(server.database, int(server.keys["projectId"]), rows))
        server.start()
        for format in given.formats.split(","):
            before = fresh(server)
            path = folder / f"runs.{format.lower()}"
            seconds, peak, size = measured(server, Client(server), format, path)
            bare = floor(path, folder / "floor.csv") if format == "CSV" else None
            figure(f"{format}: rows", rows / seconds, "rows/s", floor=rows / bare if bare else None)
            figure(f"{format}: memory above the server's own", peak - before, "MB", goal="< 200")
            print(f"    {seconds:.1f} s, {size / 1e6:.0f} MB; the server itself {before:.0f} MB")
        found = sum(map(len, in_pages(folder / "runs.csv"))) - 1
        assert found == rows, f"{found} rows for {rows} runs"
        reached = killed(server, rows, folder / "again.csv")
        assert digest(folder / "again.csv") == digest(folder / "runs.csv"), "the files differ"
        print(f"    killed at row {reached:,} of the CSV file: the file is the same, byte by byte")
        server.stop()


if __name__ == "__main__":
    main()
