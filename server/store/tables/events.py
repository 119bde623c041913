"""Events: facts, kept in the order of a user's life."""

from sqlmodel import SQLModel

from . import columns as column


class Arrival(SQLModel, table=True):
    """That an event has arrived. Kept for good, so that whatever the sender repeats counts once.

    It lives in the shard that the event's own identity leads to, whoever the user turns out to be.
    """

    __table_args__ = (column.SHARDED,)

    shard: int = column.key()
    project_id: int = column.key()
    digest: str = column.text_key()
    """Stands for the sender's message id; see `store.ids.digest`."""


class Event(SQLModel, table=True):
    __table_args__ = (column.SHARDED,)

    shard: int = column.key()
    project_id: int = column.key()
    user_number: int = column.key()
    occurred_at: int = column.key()
    digest: str = column.text_key()
    type: str = column.text()
    """`track`, `identify`, `page`, `screen`, `group` or `alias`."""
    name: str = column.text()
    body: str = column.text()
    """Properties or traits, as JSON."""
    context: str = column.text()
    received_at: int = column.integer()
    device_number: int | None = column.integer(default=None)
    """The device that told it; none, if a server did."""
    session_at: int | None = column.integer(default=None)
    """When the session began that it is part of."""
    by_member: bool = False
    """Whether its user was known by a user id."""
    deeds: str = column.text(default="")
    """What was recognised in it, as JSON: dimension, value, amount. Of who is erased without properties."""
