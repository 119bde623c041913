"""What a project has set for all its sending: caps, vouchers, and the guard of its reputation."""

from sqlalchemy import UniqueConstraint
from sqlalchemy import text as sql
from sqlmodel import Field, SQLModel

from . import columns as column


class FrequencyCap(SQLModel, table=True):
    """At most so many messages on a channel to one person, in any window of this length."""

    __tablename__ = "frequency_cap"

    project_id: int = column.key()
    channel: str = column.text_key()
    window_ms: int = column.key()
    most: int = column.integer()
    changed_at: int = column.integer()


class VoucherPool(SQLModel, table=True):
    """Codes of one kind, each for one person."""

    __tablename__ = "voucher_pool"
    __table_args__ = (UniqueConstraint("project_id", "name"),)

    id: int | None = Field(default=None, primary_key=True)
    project_id: int = Field(foreign_key="project.id")
    name: str = column.text()
    low_water: int = column.integer()
    """When no more codes than this are left, the operator is told."""
    fills: int = column.integer(default=0)
    """How often codes were put in: of each filling the operator is told once that it runs low."""
    created_at: int = column.integer()


class Voucher(SQLModel, table=True):
    """One code. Within a project no two pools have the same, so that none is given twice."""

    __table_args__ = (
        column.partial_index("voucher_left", "pool_id", "number", where=sql("taken_at IS NULL")),
        UniqueConstraint("pool_id", "number"),
    )

    project_id: int = column.key()
    code: str = column.text_key()
    pool_id: int = column.integer()
    number: int = column.integer()
    """Its place in the pool, from 1 and without gaps: how many codes a pool has is its highest number."""
    taken_at: int | None = column.integer(default=None)
    message_shard: int | None = column.integer(default=None)
    message_id: int | None = column.integer(default=None)
    """The first message that carried it; others of the same passage may carry it, too."""


class GuardSetting(SQLModel, table=True):
    """What a project has set for the guard of its reputation; without a row the usual holds."""

    __tablename__ = "guard_setting"

    project_id: int = column.key()
    is_on: bool = True
    channels: str = column.text()
    """Those that are watched, with blanks between them."""
    window_ms: int = column.integer()
    bounce_rate: float
    complaint_rate: float
    least_sent: int = column.integer()
    """A rate of fewer messages says nothing yet."""
    changed_at: int = column.integer()


class Guard(SQLModel, table=True):
    """The guard of one journey's sending through one connection: tripped, or armed again."""

    project_id: int = column.key()
    journey_id: int = column.key()
    connection_id: int = column.key()
    tripped_at: int | None = column.integer(default=None)
    """None while it is armed."""
    because: str = column.text(default="")
    """`bounced` or `complained`."""
    sent: int = column.integer(default=0)
    bounced: int = column.integer(default=0)
    complained: int = column.integer(default=0)
    """The figures that tripped it."""
    since: int = column.integer(default=0)
    """What was sent in hours before this one does not count any more: it was armed again."""
    sent_before: int = column.integer(default=0)
    bounced_before: int = column.integer(default=0)
    complained_before: int = column.integer(default=0)
    """What of the hour in which it was armed again had been counted by then."""
