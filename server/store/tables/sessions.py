"""Devices, and the sessions that people have on them."""

from sqlalchemy import Index
from sqlmodel import SQLModel

from . import columns as column


class Device(SQLModel, table=True):
    """A browser or an app in the hands of one person. In another's hands it is another device."""

    __table_args__ = (
        Index("device_by_key", "shard", "project_id", "key"),
        Index("device_by_user", "shard", "project_id", "user_number"),
        column.SHARDED,
    )

    shard: int = column.key()
    project_id: int = column.key()
    number: int = column.key()
    """Dense per project and shard, as those of users are."""
    key: str = column.text()
    """Stands for the anonymous id, or the device's own id, as `store.ids.digest` does."""
    user_number: int = column.integer()
    session_at: int | None = column.integer(default=None)
    """When its latest session began."""
    moved: bool = False
    """Whether its user turned out to be another: what it did counts for a device of theirs."""
    awaits: bool = False
    """Whether another shard has yet to tell who used it before somebody logged in on it."""


class VisitSession(SQLModel, table=True):
    """What one person does on one device without a long pause: a fact, recognised once and kept so."""

    __tablename__ = "visit_session"
    __table_args__ = (column.SHARDED,)

    shard: int = column.key()
    project_id: int = column.key()
    device_number: int = column.key()
    started_at: int = column.key()
    user_number: int = column.integer()
    first_at: int = column.integer()
    """Of its earliest event: one that came late may have happened before it began."""
    last_at: int = column.integer()
    begun: bool = True
    """Whether it counts as one of its own, and does not go on from one before a log-in."""
    device: str = column.text()
    """`pc_web`, `mobile_web`, `hybrid_app`, `app`, or empty: not known."""
    source: str = column.text()
    """Empty while it is not known whether it goes on from a session before a log-in."""
    origin: str = column.text()
    medium: str = column.text()
    campaign: str = column.text()
    keyword: str = column.text()
    ad: str = column.text()
    landing: str = column.text()


class AdoptedDeeds(SQLModel, table=True):
    """What the events of a user told who turned out to be this one: they stay where they are."""

    __tablename__ = "adopted_deeds"
    __table_args__ = (column.SHARDED,)

    shard: int = column.key()
    project_id: int = column.key()
    user_number: int = column.key()
    was: str = column.text_key()
    """`shard:number` of the user who turned out to be this one."""
    acts: str = column.text()
    """Of the user, and of devices by their number: dimension, value, day and amount, as JSON."""
