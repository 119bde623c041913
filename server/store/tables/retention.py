"""What is left of facts that are not kept any more: their figures, and what later decisions need."""

from sqlalchemy import Index
from sqlmodel import SQLModel

from . import columns as column


class SettledCounter(SQLModel, table=True):
    """What facts that are gone had counted: a part of the counter of the same key."""

    __tablename__ = "settled_counter"
    __table_args__ = (column.SHARDED,)

    shard: int = column.key()
    project_id: int = column.key()
    journey_id: int = column.key()
    clock: int = column.key()
    span: int = column.key()
    version: int = column.key()
    step_key: str = column.text_key()
    output: str = column.text_key()
    channel: str = column.text_key()
    variant: str = column.text_key()
    metric: str = column.text_key()
    reason: str = column.text_key()
    n: int = column.integer()
    amount: int = column.integer()


class SettledSet(SQLModel, table=True):
    """Whom facts that are gone had included: a part of the user set of the same key."""

    __tablename__ = "settled_set"
    __table_args__ = (column.SHARDED,)

    shard: int = column.key()
    project_id: int = column.key()
    dimension: str = column.text_key()
    value: str = column.text_key()
    clock: int = column.key()
    span: int = column.key()
    version: int = column.key()
    part: int = column.key()
    bitmap: bytes = column.data()


class FormerRun(SQLModel, table=True):
    """That a run was: as much as whoever comes again is judged by."""

    __tablename__ = "former_run"
    __table_args__ = (
        Index("former_run_by_user", "shard", "project_id", "user_number"),
        Index("former_run_by_journey", "project_id", "journey_id"),
        column.SHARDED,
    )

    shard: int = column.key()
    id: int = column.key()
    project_id: int = column.integer()
    journey_id: int = column.integer()
    user_number: int = column.integer()
    entered_at: int = column.integer()
    ended_at: int = column.integer()
    entry_value: str = column.text()
    variants: str = column.text()
    """What was drawn: whoever comes again gets the same."""


class FormerMessage(SQLModel, table=True):
    """Where a message went: whoever takes its way out years later is not written to again."""

    __tablename__ = "former_message"
    __table_args__ = (Index("former_message_by_user", "shard", "project_id", "user_number"), column.SHARDED)

    shard: int = column.key()
    id: int = column.key()
    project_id: int = column.integer()
    user_number: int = column.integer()
    channel: str = column.text()
    address: str = column.text()
    purpose: str = column.text()
