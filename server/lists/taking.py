"""What came of taking a file in."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC
from typing import TypeVar

from server.clock import Instant, to_datetime
from server.errors import BadInput
from server.ingest import segment_time

ROWS_AT_ONCE = 1000
MOST_TOLD = 20
T = TypeVar("T")


@dataclass(slots=True)
class Taken:
    """How many rows of a file were new or changed something, said what was known, or were refused."""

    changed: int = 0
    known: int = 0
    refused: int = 0
    problems: list[str] = field(default_factory=list)
    """The first of the rows that were refused, each with its line, and why."""
    most_told: int = MOST_TOLD

    def refuse(self, line: int, why: str) -> None:
        self.refused += 1
        if len(self.problems) < self.most_told:
            self.problems.append(f"line {line}: {why}")


def in_chunks(rows: Iterator[T], size: int = ROWS_AT_ONCE) -> Iterator[list[T]]:
    chunk: list[T] = []
    for row in rows:
        chunk.append(row)
        if len(chunk) == size:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def instant(cell: str, otherwise: Callable[[], Instant | None]) -> Instant | None:
    """The time in a cell; what else to take for an empty one. Raises BadInput."""
    if not cell:
        return otherwise()
    found = segment_time.to_instant(cell.replace(" ", "T", 1))
    if found is None:
        raise BadInput(f"a time like 2026-03-01T09:00:00+09:00 was wanted, found {cell[:40]!r}")
    return found


def written(at: Instant | None) -> str:
    """A time as a cell: UTC, to the millisecond."""
    if at is None:
        return ""
    return to_datetime(at).astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
