"""User sets of what is known of people now."""

from sqlmodel import SQLModel

from . import columns as column


class AttributeSet(SQLModel, table=True):
    """Who has a value of an attribute now. Parts in their order: each takes away, then adds."""

    # Not the tree of its primary key, on SQLite either: its rows are long, and their keys are read alone.
    __tablename__ = "attribute_set"

    shard: int = column.key()
    project_id: int = column.key()
    name: str = column.text_key()
    """The attribute's; empty for the sets of our own, as everybody's."""
    value: str = column.text_key()
    """As JSON, or what gathers all values that have no set of their own."""
    part: int = column.key()
    added: bytes = column.data()
    """A bitmap of users."""
    removed: bytes = column.data()
    """A bitmap of users."""
