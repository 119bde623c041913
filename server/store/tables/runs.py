"""Runs (state), and the facts of a run: visits, conversions, refused entries."""

from sqlalchemy import CheckConstraint, Index
from sqlalchemy import text as sql
from sqlmodel import SQLModel

from . import columns as column


class Run(SQLModel, table=True):
    """One passage of one user through a journey. It always has a next wake-up or an end reason."""

    __table_args__ = (
        CheckConstraint("(wake_at IS NULL) = (end_reason IS NOT NULL)", name="run_wakes_or_has_ended"),
        column.partial_index("run_due", "shard", "wake_at", where=sql("wake_at IS NOT NULL AND NOT held")),
        Index("run_by_user", "shard", "project_id", "user_number"),
        column.partial_index("run_open_by_journey", "shard", "journey_id", where=sql("wake_at IS NOT NULL")),
        Index("run_by_journey", "project_id", "journey_id", "entered_at", "shard", "id"),
        # Each state of a journey's runs in the order of its list, however rare the state is.
        column.partial_index(
            "run_inside",
            *("project_id", "journey_id", "entered_at", "shard", "id"),
            where=sql("wake_at IS NOT NULL"),
        ),
        column.partial_index(
            "run_ended",
            *(
                "project_id",
                "journey_id",
                "end_reason",
                "entered_at",
                "shard",
                "id",
                "step_key",
                "version",
                "ended_at",
            ),
            where=sql("end_reason IS NOT NULL"),
        ),
        column.SHARDED,
    )

    shard: int = column.key()
    id: int = column.key()
    project_id: int = column.integer()
    journey_id: int = column.integer()
    version: int = column.integer()
    user_number: int = column.integer()
    entry_key: str = column.text()
    step_key: str = column.text()
    """Where the run waits, or where it ended."""
    arrived_at: int = column.integer()
    entered_at: int = column.integer()
    wake_at: int | None = column.integer(default=None)
    held: bool = False
    """Its journey is paused: time stands still for it."""
    ended_at: int | None = column.integer(default=None)
    end_reason: str | None = column.text(default=None)
    counts_goals_until: int | None = column.integer(default=None)
    """After leaving: until when an event can still be a conversion; none while inside."""
    event_name: str = column.text()
    properties: str = column.text()
    """Of the event that let the run in, as JSON."""
    goals: str = column.text()
    """Goals reached, as JSON: key to [first at, amount of the first, number of hits, version of it]."""
    memory: str = column.text(default="{}")
    """What the step at which it waits has kept, as JSON."""
    variants: str = column.text(default="{}")
    """Draws that stick, as JSON by step: `server/engine/draws.py` says of what."""
    variant: str = column.text(default="")
    """`holdout` for the share that gets nothing; empty for everybody else."""
    entry_value: str = column.text(default="")
    """What keeps parallel runs of a user apart: a value of the entry event."""
    entry_address: str = column.text(default="")
    """The device whose event let the run in, if it told its address."""
    settled: int = column.integer(default=0)
    """The latest version, published since, of which it is decided what it means for this run."""


class Visit(SQLModel, table=True):
    """One passage of a run through a step, written when it is over."""

    __table_args__ = (column.SHARDED,)

    shard: int = column.key()
    run_id: int = column.key()
    seq: int = column.key()
    """Orders the visits of a run."""
    project_id: int = column.integer()
    journey_id: int = column.integer()
    version: int = column.integer()
    user_number: int = column.integer()
    entered_at: int = column.integer()
    """When the run entered."""
    step_key: str = column.text()
    arrived_at: int = column.integer()
    left_at: int = column.integer()
    output: str = column.text()
    because: str = column.text()
    end_reason: str | None = column.text(default=None)
    message_id: int | None = column.integer(default=None)
    saw: str = column.text(default="{}")
    """What the decision looked at, as JSON."""


class Conversion(SQLModel, table=True):
    """One hit of a goal by a run."""

    __table_args__ = (column.SHARDED,)

    shard: int = column.key()
    run_id: int = column.key()
    goal_key: str = column.text_key()
    digest: str = column.text_key()
    """The event's."""
    project_id: int = column.integer()
    journey_id: int = column.integer()
    version: int = column.integer()
    user_number: int = column.integer()
    entered_at: int = column.integer()
    """When the run entered."""
    occurred_at: int = column.integer()
    amount: int = column.integer()
    """In ten-thousandths of the currency's unit."""


class ForeignLetter(SQLModel, table=True):
    """What is known of a message of a run that was born in another shard than the run's present one."""

    __tablename__ = "foreign_letter"
    __table_args__ = (column.SHARDED,)

    shard: int = column.key()
    run_id: int = column.key()
    message_id: int = column.key()
    project_id: int = column.integer()
    step_key: str = column.text()
    channel: str = column.text()
    sent_at: int | None = column.integer(default=None)
    opened_at: int | None = column.integer(default=None)


class Refusal(SQLModel, table=True):
    """An event that would have let somebody in, and why it did not."""

    __table_args__ = (column.SHARDED,)

    shard: int = column.key()
    project_id: int = column.key()
    journey_id: int = column.key()
    user_number: int = column.key()
    digest: str = column.text_key()
    version: int = column.integer()
    step_key: str = column.text()
    reason: str = column.text()
    occurred_at: int = column.integer()
