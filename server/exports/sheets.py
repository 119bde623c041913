"""What an export is made of: columns, and rows that come page by page.

A kind of export says which arguments it takes, checks them, and opens a sheet. It knows nothing of files,
of jobs or of formats: `formats` writes the cells, `worker` and `sojourn export` ask for the pages.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, Protocol, TypeVar

from pydantic import BaseModel, ConfigDict

from channels.contract import ReceiptKind
from server.aggregates.calendar import start_of
from server.clock import Instant
from server.store.database import Database

if TYPE_CHECKING:
    from .words import Word

Row = tuple[Any, ...]
Place = list[Any]
"""Where to go on, as plain JSON values. What it holds only the kind knows."""


class Language(StrEnum):
    """Of headings and words. Names of ours, as steps' titles, stay as people wrote them."""

    KO = "ko"
    EN = "en"


class Cell(StrEnum):
    """What a column holds. None is an empty cell of any of them, and is not 0."""

    TEXT = "text"
    COUNT = "count"
    """A whole number."""
    NUMBER = "number"
    """A number with a fraction: Decimal or float."""
    RATE = "rate"
    """A part of a whole, as a fraction of 1; workbooks show it in percent."""
    TIME = "time"
    """An instant; written in the project's zone."""
    FLAG = "flag"
    """Yes or no."""


@dataclass(frozen=True, slots=True)
class Column:
    """`name` is for programs, the same in every language: the key in JSON Lines."""

    name: str
    ko: str
    en: str
    cell: Cell = Cell.TEXT
    words: "Mapping[str, Word] | None" = None
    """Of a column of words of ours: people read them in their language, programs as they are stored."""

    def heading(self, language: Language) -> str:
        return self.ko if language is Language.KO else self.en


class Page(NamedTuple):
    rows: Sequence[Row]
    """With a value for each column, as `Cell` says."""
    after: Place
    """Where to go on after these rows."""
    of: Any = None
    """What the rows are made of, for a workbook that draws it otherwise."""


class Drawn(Protocol):
    """A workbook in the making, which draws what pages are made of as it likes."""

    def take(self, page: Page) -> None: ...

    def close(self) -> None:
        """Packs it: what takes longest of a large one."""

    def drop(self) -> None:
        """Lets go of what is open of a workbook that will not be."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """`pages` is read once, and as slowly as its reader likes: each page is a short reading of its own."""

    title: str
    """Names the file and the worksheet."""
    columns: Sequence[Column]
    pages: AsyncIterator[Page]
    expected: int | None = None
    """How many rows there will be from the beginning, where that is known cheaply."""
    book: Callable[[Path, Path], Drawn] | None = None
    """A workbook of its own making, at a path, with a folder for what is not packed yet."""


class Arguments(BaseModel):
    """What a kind is asked with. Stored as JSON beside the job; ids are numbers of the database here."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Days(Arguments):
    """From one day up to another that is not part of it, in the project's zone; without: no end."""

    first: date | None = None
    until: date | None = None

    def since(self, zone: str) -> Instant | None:
        return None if self.first is None else start_of(self.first, zone)

    def before(self, zone: str) -> Instant | None:
        return None if self.until is None else start_of(self.until, zone)


@dataclass(frozen=True, slots=True)
class Asked:
    """What every kind is handed beside its own arguments."""

    db: Database
    project_id: int
    shards: int
    zone: str
    language: Language
    as_of: Instant
    """What was written later is not part of the file, however long writing it takes."""
    after: Place | None = None
    """Where an earlier reading stopped; none is the beginning."""
    observed: Mapping[str, Collection[ReceiptKind]] = field(default_factory=dict)
    """By channel: what can be heard there. What cannot is an empty cell, and not 0."""

    def before(self, days: Days) -> Instant:
        """The end of these days, or of what had happened when the export began."""
        end = days.before(self.zone)
        return self.as_of + 1 if end is None else min(end, self.as_of + 1)

    def run_place(self, before: Instant) -> tuple[int, int, int]:
        """Where reading a journey's runs goes on; first behind those who enter from `before` on."""
        entered_at, shard, run_id = self.after or (before, 0, 0)
        return entered_at, shard, run_id


A = TypeVar("A", bound=Arguments)


@dataclass(frozen=True, slots=True)
class Kind(Generic[A]):
    """One kind of export."""

    name: str
    arguments: type[A]
    open: Callable[[Asked, A], Awaitable[Sheet]]
    """Raises NotFound or BadInput for arguments that fit nothing: before a job begins it is opened once."""
    of_people: bool = True
    """Whether its rows tell of persons: such files go when one of them is erased."""
    goes_on: bool = True
    """Whether it can go on after a page of an earlier reading. Figures cannot: they begin anew, whole."""
