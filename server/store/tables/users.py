"""Users, the identities that lead to them, and the addresses that reach them."""

from sqlalchemy import Index
from sqlalchemy import text as sql
from sqlmodel import SQLModel

from . import columns as column


class User(SQLModel, table=True):
    """One person. Numbers are dense per project and shard, which keeps user sets small."""

    __table_args__ = (
        column.partial_index(
            "user_merged", "project_id", "merged_into", where=sql("merged_into IS NOT NULL")
        ),
        column.partial_index("user_erased", "project_id", where=sql("erased_at IS NOT NULL")),
        column.SHARDED,
    )

    shard: int = column.key()
    project_id: int = column.key()
    number: int = column.key()
    attributes: str = column.text()
    """What `identify` told, as JSON."""
    created_at: int = column.integer()
    user_id: str | None = column.text(default=None)
    """The id by which the project knows the user; none while anonymous."""
    merged_into: str | None = column.text(default=None)
    """`shard:number` of the user that this one turned out to be."""
    erased_at: int | None = column.integer(default=None)
    """Since when nothing is known of the person any more; the number stays, for the figures."""


class Identity(SQLModel, table=True):
    """Leads from a value to a user.

    The row in the value's own shard says which shard is the user's home; the row in the home shard has
    the user's number. Often the two are one row.
    """

    __table_args__ = (
        column.partial_index(
            "identity_by_user", "shard", "project_id", "number", where=sql("number IS NOT NULL")
        ),
        column.SHARDED,
    )

    shard: int = column.key()
    project_id: int = column.key()
    kind: str = column.text_key()
    """`user_id` or `anonymous_id`."""
    value: str = column.text_key()
    home: int = column.integer()
    number: int | None = column.integer(default=None)
    created_at: int = column.integer()


class Endpoint(SQLModel, table=True):
    """One address of a user on one channel, with its own state."""

    __table_args__ = (
        Index("endpoint_by_address", "shard", "project_id", "channel", "address"),
        column.SHARDED,
    )

    shard: int = column.key()
    project_id: int = column.key()
    user_number: int = column.key()
    channel: str = column.text_key()
    address: str = column.text_key()
    is_current: bool = True
    """The address to write to; earlier ones keep their state, should they come back."""
    state: str = column.text()
    """`usable`, `invalid`, `opted_out`."""
    changed_at: int = column.integer()
    because: str = column.text(default="")
    reached_at: int | None = column.integer(default=None)
    """The latest that something is known to have arrived there."""
