"""A project, its keys, its connections, and what its clients asked us to do only once."""

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, SQLModel

from . import columns as column


class Project(SQLModel, table=True):
    """A tenant. Nothing crosses from one to another."""

    id: int | None = Field(default=None, primary_key=True)
    name: str = column.text()
    time_zone: str = column.text()
    created_at: int = column.integer()
    is_sample: bool = False
    requires_consent: bool = False
    """Whether an advertisement leaves only for those who have agreed to it on its channel."""
    retention_days: int | None = column.integer(default=None)
    """How long the facts of runs that are over are kept; none: for good."""
    kept_since: int | None = column.integer(default=None)
    """Facts from before then may be gone; none: nothing is."""
    law: str = column.text(default="")
    """By which law it writes advertisements, e.g. `KR`; empty for none that we know."""
    law_reason: str = column.text(default="")
    """Why somebody has changed that."""
    commerce: str = column.text(default="")
    """How its events tell of commerce, beside the names that everybody uses; as JSON."""


class ApiKey(SQLModel, table=True):
    """A key of a project, kept as a hash; the key itself is shown once."""

    __tablename__ = "api_key"

    digest: str = column.text_key()
    project_id: int = Field(foreign_key="project.id", index=True)
    scopes: str = column.text()
    """Words with blanks between them: `events` for a write key; `read`, `write`, `admin` for a secret key."""
    title: str = column.text()
    hint: str = column.text()
    """The first characters, so that people can tell keys apart."""
    created_at: int = column.integer()
    revoked_at: int | None = column.integer(default=None)


class Connection(SQLModel, table=True):
    """A configured channel adapter: plain settings readable, secrets sealed."""

    __table_args__ = (UniqueConstraint("project_id", "name"),)

    id: int | None = Field(default=None, primary_key=True)
    project_id: int = Field(foreign_key="project.id")
    name: str = column.text()
    adapter: str = column.text()
    """The key of the adapter, e.g. `smtp`."""
    channel: str = column.text()
    settings: str = column.text()
    sealed: bytes = column.data()
    created_at: int = column.integer()
    changed_at: int = column.integer()
    preference: int = column.integer(default=100)
    """Among those of its channel: the lowest is used first."""
    takes: str = column.text(default="")
    """The kind of address that its adapter writes to, e.g. `fcm:`; empty for any."""
    is_enabled: bool = True
    concurrency: int | None = column.integer(default=None)
    """Sends at the same time; the server's default if not set."""
    rate_per_second: float | None = None
    """Sends per second at most, below what the adapter says of its provider."""


class ConnectionHealth(SQLModel, table=True):
    """How a connection fares: its circuit breaker, and the last good and bad news."""

    __tablename__ = "connection_health"

    connection_id: int = column.key()
    breaker: str = column.text(default="closed")
    """`closed`, `open`, `half_open`."""
    failures: int = column.integer(default=0)
    """In a row."""
    opened: int = column.integer(default=0)
    """How often in a row it has opened, which says for how long."""
    open_until: int | None = column.integer(default=None)
    changed_at: int = column.integer(default=0)
    succeeded_at: int | None = column.integer(default=None)
    failed_at: int | None = column.integer(default=None)
    reason: str = column.text(default="")
    code: str = column.text(default="")
    detail: str = column.text(default="")


class Idempotency(SQLModel, table=True):
    """The answer that a mutation gave under an idempotency key."""

    project_id: int = Field(primary_key=True, foreign_key="project.id")
    key: str = column.text_key()
    fingerprint: str = column.text()
    answer: str = column.text()
    created_at: int = column.integer()
