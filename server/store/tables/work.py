"""What keeps the work going: the inbox, leases, what each shard has reached."""

from sqlalchemy import BigInteger
from sqlalchemy import Identity as AutoNumber
from sqlmodel import Field, SQLModel

from . import columns as column


class Inbox(SQLModel, table=True):
    """What has happened and is not worked in yet. A row is durable before its sender is answered."""

    __table_args__ = (column.SHARDED,)

    shard: int = column.key()
    id: int = Field(primary_key=True, sa_type=BigInteger, sa_column_args=(AutoNumber(),))
    project_id: int = column.integer()
    kind: str = column.text()
    """`event`, `receipt`, or the name of a command."""
    payload: bytes = column.data()
    arrived_at: int = column.integer()


class Quarantine(SQLModel, table=True):
    """What could not be worked in, and why; kept so that nothing is lost and nobody else has to wait."""

    __table_args__ = (column.SHARDED,)

    shard: int = column.key()
    id: int = column.key()
    project_id: int = column.integer()
    kind: str = column.text()
    payload: bytes = column.data()
    error: str = column.text()
    quarantined_at: int = column.integer()


class Lease(SQLModel, table=True):
    """Who works a shard. The token goes up with every new holder; what an old one writes is refused."""

    work: str = column.text_key()
    """`engine` or `dispatch`."""
    shard: int = column.key()
    holder: str = column.text()
    token: int = column.integer()
    until: int = column.integer()
    """By the database's clock."""


class ShardState(SQLModel, table=True):
    """How far a shard has come."""

    __tablename__ = "shard_state"

    shard: int = column.key()
    next_id: int = column.integer()
    """The next id of a run, a message or a part of a user set in this shard."""
    clock_at: int = column.integer()
    """The latest instant that the shard's clock has shown."""


class Catalog(SQLModel, table=True):
    """One row: goes up whenever a project, a journey, a connection or a key changes."""

    id: int = column.key()
    epoch: int = column.integer()
    recount_due: bool = False
    """Whether an upgrade has left it to the next start to count everything again."""
    deeds_due: bool = False
    """Whether an upgrade has left it to the next start to find sessions and deeds in the events."""


class PollCursor(SQLModel, table=True):
    """How far the receipts of a connection that is polled have been kept."""

    __tablename__ = "poll_cursor"

    connection_id: int = column.key()
    cursor: str = column.text()
    moved_at: int = column.integer()


class Unclaimed(SQLModel, table=True):
    """A genuine receipt that names no message of ours: not yet, or never. Kept word for word."""

    connection_id: int = column.key()
    key: str = column.text_key()
    """The provider's own id of this fact."""
    receipt: bytes = column.data()
    heard_at: int = Field(sa_type=BigInteger, index=True)


class Import(SQLModel, table=True):
    """How far an import of a file has come."""

    id: str = column.text_key()
    """A digest of the file's content and of how it is read."""
    project_id: int = Field(foreign_key="project.id")
    rows: int = column.integer()
    """Rows taken so far."""
    changed_at: int = column.integer()
    note: str = column.text(default="")
