"""Files as Excel workbooks: numbers are numbers, times are dates, and texts are texts, whatever they say.

A workbook is one packed whole: it is written to a folder on this machine, a row at a time, and becomes a file
only when the last row is in. A job that is interrupted before begins it again.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from xlsxwriter import Workbook
from xlsxwriter.worksheet import Worksheet

from server.clock import DAY, SECOND, Instant

from .sheets import Asked, Cell, Column, Drawn, Language, Page, Row, Sheet

MOST_ROWS = 1_048_576
"""Of one worksheet, with its heading. More rows go to further sheets."""
LONGEST_TEXT = 32_767
"""Of one cell. A longer one is cut, and ends with an ellipsis that says so."""
LONGEST_NAME = 31

OPTIONS = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
"""What a text says does not matter."""

_FORBIDDEN = re.compile(r"[\[\]:*?/\\\x00-\x1f]")
_DAYS_TO_1970 = 25_569
_EARLIEST = -2_203_891_200_000
"""1900-03-01: Excel counts a day before it that there never was."""
_WIDTHS = {Cell.TEXT: 22, Cell.TIME: 22, Cell.COUNT: 12, Cell.NUMBER: 12, Cell.RATE: 12, Cell.FLAG: 8}


class Book:
    """A workbook in the making. `folder` takes what is not packed yet."""

    def __init__(
        self, path: Path, folder: Path, title: str, columns: Sequence[Column], zone: str, language: Language
    ) -> None:
        self._book = Workbook(str(path), {"constant_memory": True, "tmpdir": str(folder), **OPTIONS})
        self._book.use_zip64()
        self._title, self._columns, self._language = title, columns, language
        self._bold = self._book.add_format({"bold": True})
        self._percent = self._book.add_format({"num_format": "0.00%"})
        self._dated = self._book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss.000"})
        self._sheets = 0
        self._writers = [self._writer(column, zone) for column in columns]
        self._begin_sheet()

    def take(self, page: Page) -> None:
        self.add(page.rows)

    def add(self, rows: Sequence[Row]) -> None:
        for row in rows:
            if self._next == MOST_ROWS:
                self._begin_sheet()
            here, sheet = self._next, self._sheet
            for column, (write, cell) in enumerate(zip(self._writers, row, strict=True)):
                if cell is not None:
                    write(sheet, here, column, cell)
            self._next += 1

    def close(self) -> None:
        """Packs it: what takes longest of a large one."""
        self._book.close()

    def drop(self) -> None:
        """Lets go of the files of a workbook that will not be; nothing, once it is closed."""
        for sheet in self._book.worksheets():
            sheet._opt_close()

    def _begin_sheet(self) -> None:
        self._sheets += 1
        self._sheet = self._book.add_worksheet(sheet_name(self._title, self._sheets))
        self._sheet.freeze_panes(1, 0)
        for number, column in enumerate(self._columns):
            self._sheet.set_column(number, number, _WIDTHS[column.cell])
            self._sheet.write_string(0, number, column.heading(self._language), self._bold)
        self._next = 1

    def _writer(self, column: Column, zone: str) -> Callable[[Worksheet, int, int, Any], Any]:
        if column.cell is Cell.TIME:
            return self._time_writer(zone)
        if column.cell is Cell.RATE:
            return self._write_rate
        if column.words is not None:
            return _word_writer({key: word.in_(self._language) for key, word in column.words.items()})
        return {
            Cell.TEXT: lambda sheet, row, column, text: sheet.write_string(row, column, _fitting(text)),
            Cell.COUNT: _write_count,
            Cell.NUMBER: lambda sheet, row, column, number: sheet.write_number(row, column, float(number)),
            Cell.FLAG: lambda sheet, row, column, flag: sheet.write_boolean(row, column, flag),
        }[column.cell]

    def _write_rate(self, sheet: Worksheet, row: int, column: int, rate: Any) -> Any:
        return sheet.write_number(row, column, float(rate), self._percent)

    def _time_writer(self, zone: str) -> Callable[[Worksheet, int, int, Any], Any]:
        place = ZoneInfo(zone)

        def write(sheet: Worksheet, row: int, column: int, at: Instant) -> Any:
            if at < _EARLIEST:
                text = datetime.fromtimestamp(at / SECOND, place).isoformat(timespec="milliseconds")
                return sheet.write_string(row, column, text)
            return sheet.write_number(row, column, serial(at, place), self._dated)

        return write


def open_book(sheet: Sheet, asked: Asked, path: Path) -> Drawn:
    """The workbook that a sheet wants to be: rows under headings, unless it draws one itself."""
    if sheet.book is not None:
        return sheet.book(path, path.parent)
    return Book(path, path.parent, sheet.title, sheet.columns, asked.zone, asked.language)


def serial(at: Instant, place: ZoneInfo) -> float:
    """What Excel keeps of a time on the wall: days since the end of 1899. It knows no zones."""
    offset = datetime.fromtimestamp(at // SECOND, place).utcoffset()
    assert offset is not None
    return (at + offset.total_seconds() * SECOND) / DAY + _DAYS_TO_1970


def sheet_name(title: str, number: int) -> str:
    """A name that Excel takes: without some characters, short, and no other sheet's."""
    ending = "" if number == 1 else f" {number}"
    # It counts the units of UTF-16.
    plain = _FORBIDDEN.sub(" ", title).strip("' ").encode("utf-16-le")[: 2 * (LONGEST_NAME - len(ending))]
    name = plain.decode("utf-16-le", "ignore").strip("' ")
    # History is a name that Excel keeps for itself.
    return (name if name and name.lower() != "history" else "Sheet") + ending


def _word_writer(said: Mapping[str, str]) -> Callable[[Worksheet, int, int, Any], Any]:
    return lambda sheet, row, column, stored: sheet.write_string(row, column, said.get(stored) or stored)


def _fitting(text: str) -> str:
    return text if len(text) <= LONGEST_TEXT else text[: LONGEST_TEXT - 1] + "…"


def _write_count(sheet: Worksheet, row: int, column: int, count: int) -> Any:
    # Excel's numbers have fifteen digits; an exact text is better than a wrong number.
    if abs(count) >= 10**15:
        return sheet.write_string(row, column, str(count))
    return sheet.write_number(row, column, count)
