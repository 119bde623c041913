"""Cohort reports that somebody has saved."""

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, SQLModel

from . import columns as column


class CohortReport(SQLModel, table=True):
    """What a report is asked for, under a name. The answer is made anew each time."""

    __tablename__ = "cohort_report"
    __table_args__ = (UniqueConstraint("project_id", "name"),)

    id: int | None = Field(default=None, primary_key=True)
    project_id: int = Field(foreign_key="project.id")
    name: str = column.text()
    definition: str = column.text()
    """As JSON, with its version; `server.cohorts.stored` reads it, whichever release has written it."""
    view: str = column.text()
    """What its cells show: `value` or `ratio`."""
    created_at: int = column.integer()
    changed_at: int = column.integer()
