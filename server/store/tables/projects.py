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


class Idempotency(SQLModel, table=True):
    """The answer that a mutation gave under an idempotency key."""

    project_id: int = Field(primary_key=True, foreign_key="project.id")
    key: str = column.text_key()
    fingerprint: str = column.text()
    answer: str = column.text()
    created_at: int = column.integer()
