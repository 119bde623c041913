"""The two aggregates of journeys; what people do beside is in `deeds`. A new question is a new dimension."""

from sqlalchemy import Index
from sqlmodel import SQLModel

from . import columns as column


class Counter(SQLModel, table=True):
    """How often. What is counted in an hour is counted in its day, its month and all time as well."""

    __table_args__ = (
        Index("counter_by_journey", "project_id", "journey_id", "metric", "clock", "span"),
        column.SHARDED,
    )

    shard: int = column.key()
    project_id: int = column.key()
    journey_id: int = column.key()
    clock: int = column.key()
    """0: when it happened; 1: when the run entered. All time is the same by both, and stored under 0."""
    span: int = column.key()
    """0 is all time, 202403 a month and 20240313 a day of the project's zone; anything else is the instant at
    which an hour began, and hours begin where the project's zone begins them."""
    version: int = column.key()
    step_key: str = column.text_key()
    output: str = column.text_key()
    """The output, the goal's key, or empty."""
    channel: str = column.text_key()
    variant: str = column.text_key()
    metric: str = column.text_key()
    reason: str = column.text_key()
    """The end reason, the failure reason, or the actor class, as the metric says."""
    n: int = column.integer()
    amount: int = column.integer()


class UserSet(SQLModel, table=True):
    """Who: a compressed bitmap of user numbers. A question reads the union of the parts."""

    # Not the tree of its primary key, on SQLite either: its rows are long, and their keys are read alone.
    __tablename__ = "user_set"

    shard: int = column.key()
    project_id: int = column.key()
    dimension: str = column.text_key()
    value: str = column.text_key()
    clock: int = column.key()
    """As a counter's."""
    span: int = column.key()
    """As a counter's, but that there are no hours."""
    version: int = column.key()
    """Of the journey, as the run or the message travelled it. All versions are the union."""
    part: int = column.key()
    bitmap: bytes = column.data()
