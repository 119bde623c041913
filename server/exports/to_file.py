"""A sheet straight into a file, without a job: for the command line."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO

from .formats import Format, text_format
from .sheets import Asked, Sheet
from .workbook import open_book


async def write_out(
    sheet: Sheet, asked: Asked, format: Format, target: BinaryIO, *, marked: bool = False
) -> int:
    """Returns how many rows."""
    if format is Format.XLSX:
        return await _write_book(sheet, asked, target)
    text = text_format(format, sheet.columns, asked.zone, asked.language, marked=marked)
    target.write(text.head())
    rows = 0
    async for page in sheet.pages:
        target.write(text.lines(page.rows))
        rows += len(page.rows)
    return rows


async def _write_book(sheet: Sheet, asked: Asked, target: BinaryIO) -> int:
    rows = 0
    with TemporaryDirectory(prefix="sojourn-export-") as folder:
        path = Path(folder) / "book.xlsx"
        book = open_book(sheet, asked, path)
        try:
            async for page in sheet.pages:
                book.take(page)
                rows += len(page.rows)
            book.close()
        finally:
            book.drop()
        with path.open("rb") as file:
            shutil.copyfileobj(file, target)
    return rows


@contextmanager
def whole(path: Path) -> Iterator[BinaryIO]:
    """A file that is there when all of it is, and takes the place of an older one only then."""
    part = path.with_name(path.name + ".part")
    try:
        with part.open("wb") as file:
            yield file
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
