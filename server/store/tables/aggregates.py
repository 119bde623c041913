"""The two aggregates. There are no others; a new question is a new metric or a new dimension."""

from sqlalchemy import Index
from sqlmodel import SQLModel

from . import columns as column


class Counter(SQLModel, table=True):
    """How often."""

    __table_args__ = (
        Index("counter_by_journey", "project_id", "journey_id", "metric", "hour"),
        column.SHARDED,
    )

    shard: int = column.key()
    project_id: int = column.key()
    journey_id: int = column.key()
    version: int = column.key()
    step_key: str = column.text_key()
    output: str = column.text_key()
    """The output, the goal's key, or empty."""
    channel: str = column.text_key()
    variant: str = column.text_key()
    metric: str = column.text_key()
    reason: str = column.text_key()
    """The end reason, the failure reason, or the actor class, as the metric says."""
    hour: int = column.key()
    """The instant at which the hour began; hours begin where the project's zone begins them."""
    n: int = column.integer()
    amount: int = column.integer()


class UserSet(SQLModel, table=True):
    """Who: a compressed bitmap of user numbers. A question reads the union of the parts."""

    __tablename__ = "user_set"
    __table_args__ = (column.SHARDED,)

    shard: int = column.key()
    project_id: int = column.key()
    dimension: str = column.text_key()
    value: str = column.text_key()
    day: int = column.key()
    """20240313 is a day of the project's zone, 202403 a month, 0 all time."""
    part: int = column.key()
    bitmap: bytes = column.data()
