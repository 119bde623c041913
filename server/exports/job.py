"""One job: a sheet is read page by page, and becomes the pieces of a file.

A text goes on after its last piece, whoever takes it up: the piece and the place in the reading are written
in one transaction. A workbook, and figures, begin again from nothing.
"""

import asyncio
import zlib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from zoneinfo import ZoneInfo

import orjson

from channels.contract import ReceiptKind
from server.clock import DAY, SECOND, Clock
from server.errors import BadInput
from server.store import exports, projects
from server.store.database import Database
from server.store.exports import Claim, LostExport
from server.store.tables import Export

from .formats import Format, text_format
from .kinds import KINDS
from .sheets import Asked, Drawn, Kind, Language, Place, Sheet
from .workbook import open_book

CHUNK_BYTES = 1 << 20
SHOWN_AFTER_SECONDS = 1.0
"""So long progress is not shown at the longest: then a smaller piece is written."""
_LONGEST_NAME = 120
_QUICK = 1
"""How hard deflating tries: a text becomes a fifth, and the time is not felt."""


class Interrupted(Exception):
    """The process ends; somebody else goes on."""


@dataclass(slots=True)
class Job:
    db: Database
    clock: Clock
    shards: int
    record: Export
    claim: Claim
    keep_days: int
    observed: Mapping[str, Collection[ReceiptKind]] = field(default_factory=dict)
    """By channel: what can be heard there."""
    interrupted: Callable[[], bool] = lambda: False
    """Whether to stop at the next good place."""
    lost: Callable[[], bool] = lambda: False
    """Whether somebody else has the job by now."""
    rows: int = 0
    size: int = 0
    chunks: int = 0
    _goes_on: bool = False
    """Whether whoever takes it up goes on after the last piece. Otherwise a piece is no progress."""
    _shown_at: float = field(default=0.0)

    async def carry_out(self) -> None:
        """Raises LostExport, Interrupted; NotFound or BadInput for what cannot be exported any more."""
        kind, format = self._kind(), Format(self.record.format)
        self.rows, self.size, self.chunks = self.record.rows, self.record.size, self.record.chunks
        after: Place | None = orjson.loads(self.record.place) if self.record.place else None
        self._goes_on = kind.goes_on and format is not Format.XLSX
        if not self._goes_on or after is None:
            # Pieces without a place after them would be written twice.
            await self._begin_anew()
            after = None
        asked = await self._asked(after)
        sheet = await kind.open(asked, kind.arguments.model_validate_json(self.record.arguments))
        if after is None:
            await self._name(sheet, asked)
        self._shown_at = _now()
        write = self._write_book if format is Format.XLSX else self._write_text
        await write(sheet, asked)
        await self._finish()

    def told_by_beats(self) -> dict[str, int]:
        """How far a workbook has come: its pieces tell nothing of it until the end."""
        return {"rows": self.rows} if self.record.format == Format.XLSX else {}

    def _kind(self) -> Kind[Any]:
        kind = KINDS.get(self.record.kind)
        if kind is None:
            raise BadInput(f"This server knows no export of the kind {self.record.kind!r}.")
        return kind

    async def _begin_anew(self) -> None:
        if self.rows or self.chunks:
            async with self.db.write() as session:
                await exports.begin_anew(session, self.claim)
        self.rows = self.size = self.chunks = 0

    async def _asked(self, after: Place | None) -> Asked:
        async with self.db.read() as session:
            project = await projects.by_id(session, self.record.project_id)
        assert self.record.started_at is not None
        return Asked(
            db=self.db,
            project_id=self.record.project_id,
            shards=self.shards,
            zone=project.time_zone,
            language=Language(self.record.language),
            as_of=self.record.started_at,
            after=after,
            observed=self.observed,
        )

    async def _name(self, sheet: Sheet, asked: Asked) -> None:
        name = file_name(sheet.title, asked, Format(self.record.format))
        async with self.db.write() as session:
            await exports.name(session, self.claim, name, sheet.expected)

    async def _write_text(self, sheet: Sheet, asked: Asked) -> None:
        about = (sheet.columns, asked.zone, asked.language)
        text = text_format(Format(self.record.format), *about, marked=self.record.marked)
        piece, place = bytearray(b"" if self.chunks else text.head()), asked.after
        async for page in sheet.pages:
            place = page.after
            piece += text.lines(page.rows)
            self.rows += len(page.rows)
            is_over = self.interrupted()
            if len(piece) >= CHUNK_BYTES or _now() > self._shown_at + SHOWN_AFTER_SECONDS or is_over:
                await self._add(piece, place)
                piece.clear()
            if is_over:
                raise Interrupted
        if piece:
            await self._add(piece, place)

    async def _write_book(self, sheet: Sheet, asked: Asked) -> None:
        # A thread that is left behind may still be writing.
        with TemporaryDirectory(prefix="sojourn-export-", ignore_cleanup_errors=True) as folder:
            path = Path(folder) / "book.xlsx"
            await self._fill(await asyncio.to_thread(open_book, sheet, asked, path), sheet)
            with path.open("rb") as file:
                while piece := file.read(CHUNK_BYTES):
                    await self._add(piece, None)
                    self._look_up()

    async def _fill(self, book: Drawn, sheet: Sheet) -> None:
        try:
            async for page in sheet.pages:
                await asyncio.to_thread(book.take, page)
                self.rows += len(page.rows)
                self._look_up()
            await asyncio.to_thread(book.close)
        finally:
            book.drop()

    def _look_up(self) -> None:
        if self.lost():
            raise LostExport(f"export {self.claim.export_id}")
        if self.interrupted():
            raise Interrupted

    async def _add(self, piece: bytes | bytearray, place: Place | None) -> None:
        """A piece of the file, and the place after it, in one transaction."""
        told: dict[str, Any] = {"place": "" if place is None else orjson.dumps(place).decode()}
        if self._goes_on:
            told["tries"] = 0
        data = zlib.compress(piece, _QUICK)
        async with self.db.write() as session:
            if piece:
                chunk = exports.Chunk(self.chunks, self.size, len(piece), data)
                await exports.add_chunk(session, self.claim, chunk, rows=self.rows, **told)
            else:
                await exports.keep(session, self.claim, **told)
        self.size += len(piece)
        self.chunks += 1 if piece else 0
        self._shown_at = _now()

    async def _finish(self) -> None:
        now = self.clock.now()
        async with self.db.write() as session:
            await exports.finish(session, self.claim, self.rows, now, now + self.keep_days * DAY)


def file_name(title: str, asked: Asked, format: Format) -> str:
    """The file's name, with the day on which it was asked for."""
    day = datetime.fromtimestamp(asked.as_of / SECOND, ZoneInfo(asked.zone)).date()
    plain = "".join(one if one.isprintable() and one not in '/\\:*?"<>|' else " " for one in title)
    return f"{' '.join(plain.split())[:_LONGEST_NAME]} {day}.{format.value}"


def _now() -> float:
    return asyncio.get_running_loop().time()
