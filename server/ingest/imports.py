"""History from a file: CSV with a column mapping, or JSON Lines; plain or gzip.

What is imported becomes facts and moves nobody. How far an import has come is committed together with its
events, so that one that was cut off goes on where it stopped, and one that is repeated changes nothing.
"""

import csv
import gzip
import io
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from hashlib import blake2b
from itertools import islice
from pathlib import Path
from typing import IO, Any

import orjson
from sqlalchemy import select, update

from server.body import BodyProblem, parse_json
from server.clock import Instant
from server.errors import BadInput
from server.store import inbox
from server.store.bulk import inserting, table_of
from server.store.database import Database
from server.store.ids import shard_of
from server.store.tables import Import

from . import messages

ROWS_AT_ONCE = 2000
MOST_TOLD = 20
_ADD = inserting(Import, once=True)
_table = table_of(Import)


@dataclass(frozen=True, slots=True)
class Columns:
    """Which column of a CSV holds what. Columns that are not named become properties."""

    event: str = "event"
    user_id: str = "user_id"
    anonymous_id: str = ""
    timestamp: str = "timestamp"
    message_id: str = ""
    ignore: tuple[str, ...] = ()


@dataclass(slots=True)
class Imported:
    """What came of an import."""

    taken: int = 0
    skipped: int = 0
    """Rows that an earlier try had gone through, whether it took or refused them."""
    refused: int = 0
    problems: list[str] = field(default_factory=list)
    """The first of the rows that were refused, and why."""


async def import_file(
    db: Database,
    path: Path,
    project_id: int,
    shards: int,
    columns: Columns,
    now: Instant,
    progress: Callable[[int], None] = lambda bytes_read: None,
) -> Imported:
    """Takes a file's rows as history of the project. `progress` is told how many bytes have been read.

    A row without a message id of its own gets one from the file's content and its place, so that the same
    file can be imported any number of times. Raises BadInput for a file that cannot be read at all.
    """
    name = _fingerprint(path, project_id, columns)
    result = Imported(skipped=await _start(db, name, project_id, now, path.name))
    maker = _Maker(name, project_id, shards, now, result)
    with _open(path) as (raw, text):
        rows = enumerate(_rows(path, text, columns))
        for _ in islice(rows, result.skipped):
            pass
        while chunk := list(islice(rows, ROWS_AT_ONCE)):
            entries = [entry for place, row in chunk if (entry := maker.entry(row, place))]
            async with db.write() as session:
                await inbox.append(session, entries)
                reached = {"rows": chunk[-1][0] + 1, "changed_at": now}
                await session.run(update(_table).where(_table.c.id == name).values(reached))
            result.taken += len(entries)
            progress(raw.tell())
    return result


async def _start(db: Database, name: str, project_id: int, now: Instant, note: str) -> int:
    async with db.write() as session:
        await session.bulk(_ADD, [(name, project_id, 0, now, note)])
        rows = await session.rows(select(_table.c.rows).where(_table.c.id == name))
    return int(rows[0].rows)


@dataclass(frozen=True, slots=True)
class _Unfit:
    """A row of which nothing can be made."""

    why: str


@dataclass(frozen=True, slots=True)
class _Maker:
    """Makes inbox entries of rows, and notes the rows that it cannot make one of."""

    name: str
    project_id: int
    shards: int
    now: Instant
    result: Imported

    def entry(self, row: Any, place: int) -> inbox.Entry | None:
        if isinstance(row, _Unfit):
            self._note(place, row.why)
            return None
        message_id = f"import-{self.name[:24]}-{place}"
        event = messages.normalise(
            row, received_at=self.now, default_type="track", make_id=lambda: message_id
        )
        if isinstance(event, list):
            self._refuse(place, event)
            return None
        payload = messages.encode(event)
        if len(payload) > messages.MAX_EVENT_BYTES:
            self._refuse(place, [messages.too_large(len(payload))])
            return None
        shard = shard_of(self.project_id, event.user_id or event.anonymous_id or "", self.shards)
        return inbox.Entry(shard, self.project_id, inbox.HISTORY, payload, self.now)

    def _refuse(self, place: int, problems: list[messages.Problem]) -> None:
        self._note(place, "; ".join(problem.message for problem in problems))

    def _note(self, place: int, told: str) -> None:
        self.result.refused += 1
        if len(self.result.problems) < MOST_TOLD:
            self.result.problems.append(f"row {place + 1}: {told}")


def _fingerprint(path: Path, project_id: int, columns: Columns) -> str:
    hashed = blake2b(orjson.dumps([project_id, asdict(columns)]), digest_size=20)
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            hashed.update(block)
    return hashed.hexdigest()


@contextmanager
def _open(path: Path) -> Iterator[tuple[IO[bytes], IO[str]]]:
    """The file's bytes, for progress, and its text, unpacked."""
    with path.open("rb") as raw:
        magic = raw.read(2)
        raw.seek(0)
        unpacked: Any = gzip.GzipFile(fileobj=raw) if magic == b"\x1f\x8b" else raw
        with io.TextIOWrapper(unpacked, encoding="utf-8-sig", newline="") as text:
            yield raw, text


def _rows(path: Path, text: IO[str], columns: Columns) -> Iterator[Any]:
    suffixes = [suffix.lower() for suffix in path.suffixes]
    if ".csv" in suffixes:
        return _csv(text, columns)
    if ".jsonl" in suffixes or ".ndjson" in suffixes:
        return _json_lines(text)
    raise BadInput(f"A .csv or .jsonl file (or either with .gz) was wanted, found {path.name}.")


def _csv(text: IO[str], columns: Columns) -> Iterator[Any]:
    reader = csv.DictReader(text)
    found = reader.fieldnames or []
    named = (columns.event, columns.user_id, columns.anonymous_id, columns.timestamp, columns.message_id)
    missing = [name for name in named if name and name not in found]
    if missing:
        raise BadInput(
            f"The file has no column {', '.join(missing)}; its columns: {', '.join(found)}. "
            "Say with --event, --user-id, --timestamp … which column holds what."
        )
    left = [name for name in found if name not in named and name not in columns.ignore]
    for row in reader:
        if any("\0" in value for value in row.values() if isinstance(value, str)):
            yield _Unfit("The line holds a NUL character.")
            continue
        yield _message(row, columns, {name: row[name] for name in left if row[name]})


def _message(row: Mapping[str, str], columns: Columns, properties: dict[str, str]) -> dict[str, Any]:
    stamp = row[columns.timestamp]
    return {
        "type": "track",
        "event": row[columns.event],
        "userId": row[columns.user_id] if columns.user_id else None,
        "anonymousId": row[columns.anonymous_id] if columns.anonymous_id else None,
        # A time without a zone is UTC: files are written by databases more often than by people.
        "timestamp": stamp.replace(" ", "T", 1) if stamp else None,
        "messageId": row[columns.message_id] if columns.message_id else None,
        "properties": properties,
    }


def _json_lines(text: IO[str]) -> Iterator[Any]:
    for line in text:
        if line.strip():
            try:
                # By the rules of every other door: no NUL, no integer beyond 64 bits, no endless nesting.
                yield parse_json(line)
            except BodyProblem as problem:
                yield _Unfit(problem.message.replace("The body", "The line"))
