"""Exports: files that somebody has asked for, and their bytes."""

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from . import columns as column


class Export(SQLModel, table=True):
    """A job that writes a file, and what is known of the file."""

    __table_args__ = (Index("export_by_state", "state", "turn_at"),)

    id: int | None = Field(default=None, primary_key=True)
    project_id: int = Field(foreign_key="project.id", index=True)
    kind: str = column.text()
    arguments: str = column.text()
    """As JSON; `server.exports.kinds` reads them."""
    format: str = column.text()
    language: str = column.text()
    marked: bool = False
    """Whether a text begins with the mark of UTF-8, by which spreadsheets know it."""
    of_people: bool = True
    """Whether it holds what belongs to persons: such a file goes when one of them is erased."""
    state: str = column.text()
    """`queued`, `running`, `ready`, `failed`, `canceled`, `expired`."""
    problem: str = column.text(default="")
    """Why it failed."""
    asked_by: str = column.text()
    """The beginning of the key that asked."""
    created_at: int = column.integer()
    started_at: int | None = column.integer(default=None)
    """When the first page was read: what was written later is not in the file."""
    finished_at: int | None = column.integer(default=None)
    expires_at: int | None = column.integer(default=None)
    """When the file is deleted."""
    file_name: str = column.text(default="")
    rows: int = column.integer(default=0)
    expected: int | None = column.integer(default=None)
    size: int = column.integer(default=0)
    chunks: int = column.integer(default=0)
    place: str = column.text(default="")
    """Where reading goes on after the last chunk, as JSON; empty at the beginning."""
    tries: int = column.integer(default=0)
    """How often it was begun since it last got further."""
    turn_at: int = column.integer()
    """When it came to stand in line."""
    holder: str = column.text(default="")
    token: int = column.integer(default=0)
    """Goes up with every new holder; what an old one writes is refused."""
    leased_until: int = column.integer(default=0)
    """By the database's clock."""


class ExportChunk(SQLModel, table=True):
    """A piece of a file, deflated. In the database, so that every process can hand it out."""

    __tablename__ = "export_chunk"

    export_id: int = column.key()
    number: int = column.key()
    starts_at: int = column.integer()
    """How many bytes of the file come before it."""
    size: int = column.integer()
    """In bytes of the file."""
    data: bytes = column.data()
