"""Messages (state; also the outbox) and receipts (facts)."""

from sqlalchemy import Index
from sqlalchemy import text as sql
from sqlmodel import SQLModel

from . import columns as column


class Message(SQLModel, table=True):
    """One message to one endpoint. Its status and engagements are the fold of its receipts."""

    __table_args__ = (
        # By connection, so that a provider that is slow or down is never in the way of the others.
        column.partial_index(
            "message_due", "shard", "connection_id", "due_at", "id", where=sql("due_at IS NOT NULL")
        ),
        column.partial_index(
            "message_parked", "shard", "journey_id", where=sql("status = 'queued' AND due_at IS NULL")
        ),
        column.partial_index("message_attempted", "shard", "attempted_at", where=sql("status = 'attempted'")),
        Index("message_by_run", "shard", "run_id"),
        column.partial_index(
            "message_by_user",
            *("shard", "project_id", "user_number", "channel", "attempted_at"),
            where=sql("attempted_at IS NOT NULL"),
        ),
        Index("message_by_provider_id", "shard", "connection_id", "provider_id"),
        column.SHARDED,
    )

    shard: int = column.key()
    id: int = column.key()
    project_id: int = column.integer()
    journey_id: int = column.integer()
    version: int = column.integer()
    run_id: int = column.integer()
    step_key: str = column.text()
    user_number: int = column.integer()
    entered_at: int = column.integer()
    """When its run entered."""
    channel: str = column.text()
    connection_id: int | None = column.integer(default=None)
    address: str = column.text()
    status: str = column.text()
    reason: str = column.text(default="")
    created_at: int = column.integer()
    due_at: int | None = column.integer(default=None)
    """When to hand it over; none once that is done or given up, and while its journey is paused."""
    attempt: int = 0
    attempted_at: int | None = column.integer(default=None)
    provider_id: str = column.text(default="")
    event: str = column.text()
    """The event that let the run in, for the templates: name and properties as JSON."""
    heard: str = column.text(default="{}")
    """What the receipts said, folded, as JSON: `delivery.status.Heard`."""
    purpose: str = column.text(default="information")
    expires_at: int | None = column.integer(default=None)
    """Later than this it helps nobody and does not leave."""
    may_fail_over: bool = False
    """Whether another connection of its channel may send it: its step names none."""
    variants: str = column.text(default="{}")
    """The draws of its run until then, as JSON: step to output, version and round."""
    cap: str = column.text(default="")
    """What its step says of frequency caps: `server.journey.steps.sending_rules.Cap`, written."""
    pool: str = column.text(default="")
    """The pool of vouchers that it takes its code from."""
    remember_as: str = column.text(default="")
    """The user's attribute that keeps the code."""
    voucher: str = column.text(default="")
    """Its code, once it has one."""
    price: int | None = column.integer(default=None)
    """What it costs, in ten-thousandths of the currency's unit; none while nobody has told."""
    currency: str = column.text(default="")
    priced_at: int | None = column.integer(default=None)
    """When that was told; none where it was booked by the price list."""
    priced_by: int | None = column.integer(default=None)
    """The entry of the price list that it was booked by; none where its provider told the price."""
    template: str = column.text(default="")
    """The key of the project's template that it is made of, where there is one."""
    template_version: int | None = column.integer(default=None)
    """Which version of it left, once an attempt was made."""
    evidence: str = column.text(default="")
    """What made it lawful when it left, as JSON; empty where nothing special is wanted."""
    demands: str = column.text(default="")
    """A consent that its user has to have given besides, by its purpose, e.g. `benefit_notice`."""
    billed_as: str = column.text(default="")
    """The kind of message that its price is of, e.g. `alimtalk`, `sms`, `lms`; empty while nobody knows."""
    fallback_of: int | None = column.integer(default=None)
    """The message in whose place it goes out, of the same visit."""
    fallback_id: int | None = column.integer(default=None)
    """The message that goes out in its place, once that is decided."""


class Receipt(SQLModel, table=True):
    """One thing heard about a message."""

    __table_args__ = (
        column.partial_index(
            "receipt_with_reason", "shard", "project_id", "occurred_at", where=sql("reason <> ''")
        ),
        column.SHARDED,
    )

    shard: int = column.key()
    message_id: int = column.key()
    key: str = column.text_key()
    """The sender's own id of this fact."""
    project_id: int = column.integer()
    kind: str = column.text()
    occurred_at: int = column.integer()
    received_at: int = column.integer()
    reason: str = column.text(default="")
    code: str = column.text(default="")
    detail: str = column.text(default="")
    actor: str = column.text(default="")
    actor_why: str = column.text(default="")
    url: str = column.text(default="")
    connection_id: int | None = column.integer(default=None)
    """Through which it was sent, or heard of."""
    raw: str = column.text(default="")
    """What the provider said, word for word, so that a better map can read it again."""
    price: int | None = column.integer(default=None)
    """What the message costs, in ten-thousandths of the currency's unit, where this tells it."""
    currency: str = column.text(default="")
