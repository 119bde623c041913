"""User sets of what people did or were on a day, and the values that they are kept for."""

from sqlmodel import SQLModel

from . import columns as column


class DeedSet(SQLModel, table=True):
    """Who did something on a day, and how much of it. Parts add up: users are united, amounts are summed."""

    # Not the tree of its primary key, on SQLite either: its rows are long, and their keys are read alone.
    __tablename__ = "deed_set"

    shard: int = column.key()
    project_id: int = column.key()
    unit: str = column.text_key()
    """`user` or `device`: whose numbers the bitmap holds."""
    dimension: str = column.text_key()
    value: str = column.text_key()
    span: int = column.key()
    """0 is all time, 202403 a month and 20240313 a day of the project's zone."""
    part: int = column.key()
    bitmap: bytes = column.data()
    amounts: bytes = column.data()
    """One for each number of the bitmap, in rising order; empty if all are 0. See `deed_sets.pack`."""


class DeedValue(SQLModel, table=True):
    """A value that has sets of its own. What comes up when there are enough is gathered under one."""

    __tablename__ = "deed_value"
    __table_args__ = (column.SHARDED,)

    project_id: int = column.key()
    dimension: str = column.text_key()
    value: str = column.text_key()
    first_at: int = column.integer()


class DeclaredProperty(SQLModel, table=True):
    """A property of an event by which a project wants to tell people apart."""

    __tablename__ = "declared_property"
    __table_args__ = (column.SHARDED,)

    project_id: int = column.key()
    event: str = column.text_key()
    property: str = column.text_key()
    declared_at: int = column.integer()
