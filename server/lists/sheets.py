"""CSV files as people exchange them: read in the encodings of their programs, written so that none harms."""

import codecs
import csv
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, NamedTuple

from server.errors import BadInput
from server.formulas import guarded, plain

_BLOCK = 1 << 16


class Line(NamedTuple):
    """One row of a file, or why it cannot be read."""

    number: int
    """Where it ends in the file, the heading being line 1."""
    cells: dict[str, str]
    wrong: str = ""
    others: Mapping[str, str] = {}
    """The cells of columns that are not known, by their name as it is written, if they are asked for."""


def encoding_of(path: Path) -> str:
    """UTF-8, with its mark or without, if all of the file is; else EUC-KR as Windows knows it."""
    decode = codecs.getincrementaldecoder("utf-8")().decode
    with path.open("rb") as file:
        try:
            while block := file.read(_BLOCK):
                decode(block)
            decode(b"", final=True)
        except UnicodeDecodeError:
            return "cp949"
    return "utf-8-sig"


@contextmanager
def opened(source: Path | IO[str]) -> Iterator[IO[str]]:
    """A file in its encoding; a text that is open already, from its beginning."""
    if not isinstance(source, Path):
        source.seek(0)
        yield source
        return
    with source.open(encoding=encoding_of(source), errors="surrogateescape", newline="") as file:
        yield file


def _first_row(reader: Iterator[list[str]]) -> list[str]:
    try:
        return next(reader, [])
    except csv.Error as error:
        raise BadInput(f"The first line of the file cannot be read: {error}.") from error


def _written(row: Sequence[str]) -> list[str]:
    return [name.strip().removeprefix("\ufeff") for name in row]


def _heading(row: Sequence[str]) -> list[str]:
    return [name.lower() for name in _written(row)]


def columns_of(source: Path | IO[str]) -> list[str]:
    """The names of its columns as they are written."""
    with opened(source) as file:
        return _written(_first_row(csv.reader(file)))


def check_one_of(source: Path | IO[str], columns: Sequence[str]) -> None:
    """Raises BadInput for a file that has none of these columns."""
    with opened(source) as file:
        heading = _heading(_first_row(csv.reader(file)))
    if not set(heading) & set(columns):
        found = ", ".join(heading)[:200] or "none"
        raise BadInput(f"The file has none of the columns {', '.join(columns)}; its columns: {found}.")


def read(
    source: Path | IO[str], wanted: Sequence[str], known: Sequence[str], *, others: bool = False
) -> Iterator[Line]:
    """The file's rows, one at a time. Raises BadInput without the columns that are wanted."""
    with opened(source) as file:
        reader = csv.reader(file)
        first = _first_row(reader)
        heading = _heading(first)
        unknown = [
            (place, name) for place, name in enumerate(_written(first)) if name and name.lower() not in known
        ]
        missing = [name for name in wanted if name not in heading]
        if missing:
            found = ", ".join(heading) or "none"
            raise BadInput(f"The file has no column {', '.join(missing)}; its columns: {found}.")
        while True:
            try:
                row = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                yield Line(reader.line_num, {}, f"it cannot be read: {error}")
                continue
            if any(cell.strip() for cell in row):
                yield _line(reader.line_num, heading, row, known, unknown if others else ())


def _line(
    number: int,
    heading: list[str],
    row: list[str],
    known: Sequence[str],
    unknown: Sequence[tuple[int, str]],
) -> Line:
    if len(row) > len(heading):
        return Line(number, {}, f"it has {len(row)} cells, the heading {len(heading)}")
    cells = {name: plain(cell.strip()) for name, cell in zip(heading, row, strict=False) if name in known}
    more = {name: plain(row[place].strip()) if place < len(row) else "" for place, name in unknown}
    text = "".join((*cells.values(), *more.values()))
    if "\0" in text:
        return Line(number, {}, "it holds a NUL character")
    if not text.isascii() and any("\ud800" <= one <= "\udfff" for one in text):
        return Line(number, {}, "it holds bytes that are neither UTF-8 nor EUC-KR")
    return Line(number, {name: cells.get(name, "") for name in known}, others=more)


@contextmanager
def writing(path: Path, columns: Sequence[str]) -> Iterator["Sheet"]:
    """A new file with these columns, in UTF-8 with its mark, which spreadsheets ask for."""
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        yield Sheet(file, columns)


class Sheet:
    """A file that is being written."""

    def __init__(self, file: IO[str], columns: Sequence[str]) -> None:
        self._writer = csv.writer(file)
        self._writer.writerow(columns)
        self.rows = 0

    def add(self, cells: Sequence[str]) -> None:
        self._writer.writerow([guarded(cell) for cell in cells])
        self.rows += 1
