"""A journey and its published versions."""

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from . import columns as column


class Journey(SQLModel, table=True):
    __table_args__ = (
        Index("journey_by_project", "project_id", "id"),
        Index("journey_by_handle", "project_id", "handle", unique=True),
    )

    id: int | None = Field(default=None, primary_key=True)
    project_id: int = Field(foreign_key="project.id")
    title: str = column.text()
    category: str = column.text(default="")
    handle: str | None = column.text(default=None)
    """What files call it; of one journey in the project at most."""
    status: str = column.text()
    draft: str | None = column.text(default=None)
    """The graph being drawn, as JSON; none if nothing is unpublished."""
    draft_revision: int = 0
    """Goes up with every save, so that the second of two editors is told."""
    version: int | None = None
    """The number of the version that people enter now."""
    created_at: int = column.integer()
    changed_at: int = column.integer()
    started_at: int | None = column.integer(default=None)
    paused_at: int | None = column.integer(default=None)
    finished_at: int | None = column.integer(default=None)
    starts_at: int | None = column.integer(default=None)
    """When it starts, or started, by itself; none if somebody starts it."""
    ends_at: int | None = column.integer(default=None)
    """From then on nobody enters any more."""
    was_stopped: bool = False
    """Whether somebody ended it for good, so that what still waits to be sent is cancelled."""
    kind: str = column.text(default="")
    """`campaign` if it was made as one sending; empty for what somebody has drawn."""


class Version(SQLModel, table=True):
    """One published graph. Never changed."""

    journey_id: int = Field(primary_key=True, foreign_key="journey.id")
    number: int = Field(primary_key=True)
    graph: str = column.text()
    published_at: int = column.integer()
    moves: str | None = column.text(default=None)
    """What becomes of the people who were inside, as JSON: see `server.journey.moving`; none: they stay."""
