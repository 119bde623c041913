"""Files as text: CSV for spreadsheets, JSON Lines for programs. A page of rows becomes its bytes by itself.

In CSV every cell that a spreadsheet would take for a formula is guarded, headings included; what is a number
is no text and stays one. `workbook` writes the third format, which is no text.
"""

import csv
from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from io import StringIO
from typing import Any, Protocol
from zoneinfo import ZoneInfo

import orjson

from server.clock import Instant
from server.formulas import guarded

from .sheets import Cell, Column, Language, Row

MARK = "\ufeff"


class Format(StrEnum):
    CSV = "csv"
    XLSX = "xlsx"
    JSONL = "jsonl"


MEDIA_TYPES = {
    Format.CSV: "text/csv; charset=utf-8",
    Format.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    Format.JSONL: "application/x-ndjson; charset=utf-8",
}


class Text(Protocol):
    """A format whose pieces can be put one behind the other."""

    def head(self) -> bytes:
        """What the file begins with."""

    def lines(self, rows: Sequence[Row]) -> bytes: ...


class Csv:
    """As RFC 4180 has it."""

    def __init__(
        self, columns: Sequence[Column], zone: str, language: Language, *, marked: bool = False
    ) -> None:
        self._headings = [guarded(column.heading(language)) for column in columns]
        self._marked = marked
        writers = _csv_writers(zone)
        self._writers = [_spoken(column, language) or writers[column.cell] for column in columns]

    def head(self) -> bytes:
        return ((MARK if self._marked else "") + _csv([self._headings])).encode()

    def lines(self, rows: Sequence[Row]) -> bytes:
        # By columns: one function is asked for a thousand cells of one kind, rather than one after the other.
        by_column = zip(*rows, strict=True)
        written = [map(write, cells) for write, cells in zip(self._writers, by_column, strict=False)]
        return _csv(zip(*written, strict=True)).encode()


class JsonLines:
    """One object a row, with the columns' names as keys."""

    def __init__(self, columns: Sequence[Column], zone: str) -> None:
        self._names = [column.name for column in columns]
        self._times = [number for number, column in enumerate(columns) if column.cell is Cell.TIME]
        self._time = time_in(zone)

    def head(self) -> bytes:
        return b""

    def lines(self, rows: Sequence[Row]) -> bytes:
        return b"".join(map(self._line, rows))

    def _line(self, row: Row) -> bytes:
        cells = dict(zip(self._names, row, strict=True))
        for number in self._times:
            cells[self._names[number]] = self._time(row[number]) or None
        return orjson.dumps(cells, default=_number, option=orjson.OPT_APPEND_NEWLINE)


def text_format(
    wanted: Format, columns: Sequence[Column], zone: str, language: Language, *, marked: bool = False
) -> Text:
    if wanted is Format.JSONL:
        return JsonLines(columns, zone)
    return Csv(columns, zone, language, marked=marked)


def time_in(zone: str) -> Callable[[Instant | None], str]:
    """Writes instants as ISO 8601 with the offset of that zone at that time."""
    place = ZoneInfo(zone)

    def write(at: Instant | None) -> str:
        if at is None:
            return ""
        return datetime.fromtimestamp(at / 1000, place).isoformat(timespec="milliseconds")

    return write


def _spoken(column: Column, language: Language) -> Callable[[Any], Any] | None:
    """Says the words of a column that has some."""
    if column.words is None:
        return None
    said = {stored: guarded(word.in_(language)) for stored, word in column.words.items()}
    return lambda cell: said.get(cell) or (guarded(cell) if cell else cell)


def _csv(rows: Any) -> str:
    text = StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue()


def _csv_writers(zone: str) -> dict[Cell, Callable[[Any], Any]]:
    return {
        Cell.TEXT: lambda cell: guarded(cell) if cell else cell,
        Cell.COUNT: lambda cell: cell,
        Cell.NUMBER: _in_digits,
        Cell.RATE: _in_digits,
        Cell.TIME: time_in(zone),
        Cell.FLAG: lambda cell: None if cell is None else str(cell).lower(),
    }


def _in_digits(number: Decimal | float | None) -> str | None:
    return None if number is None else format(Decimal(str(number)), "f")


def _number(value: Any) -> Any:
    """A decimal number digit by digit; a float would have others."""
    if isinstance(value, Decimal):
        return orjson.Fragment(format(value, "f"))
    raise TypeError(f"a cell holds {type(value).__name__}")
