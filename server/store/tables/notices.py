"""What operators have to be told."""

from sqlalchemy import Index, UniqueConstraint
from sqlalchemy import text as sql
from sqlmodel import Field, SQLModel

from . import columns as column


class Notice(SQLModel, table=True):
    """One thing that an operator should know, told once for each cause."""

    __table_args__ = (
        UniqueConstraint("project_id", "cause"),
        Index("notice_by_time", "project_id", "at", "id"),
        column.partial_index("notice_unseen", "kind", where=sql("seen_at IS NULL")),
    )

    id: int | None = Field(default=None, primary_key=True)
    project_id: int = Field(foreign_key="project.id")
    kind: str = column.text()
    cause: str = column.text()
    """Names what has happened, so that it is told once however often it is found."""
    text: str = column.text()
    at: int = column.integer()
    journey_id: int | None = column.integer(default=None)
    connection_id: int | None = column.integer(default=None)
    pool_id: int | None = column.integer(default=None)
    seen_at: int | None = column.integer(default=None)
