"""Who may be written to: consents of people, suppressed addresses, and what people wrote back."""

from sqlalchemy import Index
from sqlalchemy import text as sql
from sqlmodel import SQLModel

from . import columns as column


class Consent(SQLModel, table=True):
    """What a user has agreed to, or no longer agrees to, on one channel for one purpose."""

    __table_args__ = (column.SHARDED,)

    shard: int = column.key()
    project_id: int = column.key()
    user_number: int = column.key()
    channel: str = column.text_key()
    purpose: str = column.text_key()
    granted: bool
    decided_at: int = column.integer()
    source: str = column.text(default="")
    """Where it was given, e.g. `checkout`, `import`."""
    evidence: str = column.text(default="")
    """What proves it: the version of the terms, a form, an address."""
    basis: str = column.text(default="")
    """On what ground: `consent`, `terms`, `contract`, `transaction`; empty if nobody said."""
    until: int | None = column.integer(default=None)
    """When it has to be given anew; never if empty."""


class Suppression(SQLModel, table=True):
    """An address of a channel that nobody writes to, whoever it belongs to.

    What was heard of an address and what people decided about it are rows of their own: neither ever
    changes the other.
    """

    project_id: int = column.key()
    channel: str = column.text_key()
    address: str = column.text_key()
    """As `server.store.same_address` writes it."""
    purpose: str = column.text_key()
    """`advertisement`, `information`, or empty for every purpose."""
    set_by: str = column.text_key()
    """`heard` for what receipts and the reader said, `people` for what was imported or set by hand."""
    reason: str = column.text(default="")
    since: int | None = column.integer(default=None)
    """None while it does not suppress: what was heard is not enough yet, or it was lifted."""
    until: int | None = column.integer(default=None)
    """When it ends by itself; never if empty."""
    source: str = column.text(default="")
    """`receipt`, `inbound`, `unsubscribe`, `import`, `api`."""
    note: str = column.text(default="")
    heard: str = column.text(default="{}")
    """What the rest of a `heard` row is folded from, as JSON: see `server.store.suppressing`."""


class KeptRefusal(SQLModel, table=True):
    """What a person had refused who was erased, under a digest of the address, should it come back."""

    __tablename__ = "kept_refusal"

    project_id: int = column.key()
    digest: str = column.text_key()
    """Stands for channel and address; see `server.store.kept`."""
    purpose: str = column.text_key()
    set_by: str = column.text_key()
    """As the suppression had it, or `consent` for a consent that was withdrawn."""
    reason: str = column.text(default="")
    since: int = column.integer()
    until: int | None = column.integer(default=None)
    source: str = column.text(default="")
    heard: str = column.text(default="{}")


class Inbound(SQLModel, table=True):
    """What somebody wrote to us."""

    __table_args__ = (Index("inbound_by_time", "project_id", "occurred_at"),)

    connection_id: int = column.key()
    key: str = column.text_key()
    """The provider's own id."""
    project_id: int = column.integer()
    channel: str = column.text()
    address: str = column.text()
    text: str = column.text()
    meaning: str = column.text(default="")
    """`stop`, `start`, or empty for anything else."""
    occurred_at: int = column.integer()
    received_at: int = column.integer()


class InApp(SQLModel, table=True):
    """A message that an app or a page shows: what the person sees, and what was done with it."""

    __tablename__ = "in_app"
    __table_args__ = (
        Index("in_app_of_reader", "connection_id", "reader", "sent_at", "message_id"),
        column.partial_index("in_app_expiry", "expires_at", where=sql("expires_at IS NOT NULL")),
        column.SHARDED,
    )

    shard: int = column.key()
    message_id: int = column.key()
    project_id: int = column.integer()
    connection_id: int = column.integer()
    reader: str = column.text()
    """The user id whose app shows it."""
    content: str = column.text()
    """The rendered fields, as JSON."""
    sent_at: int = column.integer()
    expires_at: int | None = column.integer(default=None)
    delivered_at: int | None = column.integer(default=None)
    """When an app first fetched it."""
    shown_at: int | None = column.integer(default=None)
    interacted_at: int | None = column.integer(default=None)
    dismissed_at: int | None = column.integer(default=None)
