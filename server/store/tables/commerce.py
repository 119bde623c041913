"""Commerce: orders as they are known, the life of a user in figures, and coupons.

They go where their user goes: an order that was told under two names of one person stays one order.
"""

from sqlalchemy import Index
from sqlmodel import SQLModel

from . import columns as column


class Purchase(SQLModel, table=True):
    """An order of a user, once, however often it was told; or refunds that wait for their order."""

    __table_args__ = (
        Index("purchase_by_user", "shard", "project_id", "user_number", "ordered_at"),
        column.SHARDED,
    )

    shard: int = column.key()
    project_id: int = column.key()
    key: str = column.text_key()
    """A digest of the order's id, or of the event's where there is none."""
    user_number: int = column.key()
    order_id: str = column.text()
    ordered_at: int | None = column.integer(default=None)
    """None while only refunds were heard of it."""
    digest: str = column.text()
    """Of the event that told it first."""
    amount: int | None = column.integer(default=None)
    """In ten-thousandths of the currency's unit; none where none could be read."""
    currency: str = column.text()
    refunded: int = column.integer()
    """How much of the amount was given back."""
    refunds: str = column.text()
    """Each by its key: when, what it wants, what it counts; as JSON."""
    coupons: str = column.text()
    products: str = column.text()
    """Id, SKU, name and category of each, as JSON."""
    flag: str = column.text()
    """What could not be read; see `server.commerce.reading`."""


class Life(SQLModel, table=True):
    """What a user's life comes to, kept as it happens."""

    __table_args__ = (column.SHARDED,)

    shard: int = column.key()
    project_id: int = column.key()
    user_number: int = column.key()
    first_seen_at: int | None = column.integer(default=None)
    last_seen_at: int | None = column.integer(default=None)
    first_visit_at: int | None = column.integer(default=None)
    last_visit_at: int | None = column.integer(default=None)
    first_order_at: int | None = column.integer(default=None)
    last_order_at: int | None = column.integer(default=None)
    signed_up_at: int | None = column.integer(default=None)
    visits: int = column.integer()
    orders: int = column.integer()
    cancelled: int = column.integer()


class Spending(SQLModel, table=True):
    """What a user has paid and got back in one currency, in ten-thousandths of its unit."""

    __table_args__ = (column.SHARDED,)

    shard: int = column.key()
    project_id: int = column.key()
    user_number: int = column.key()
    currency: str = column.text_key()
    spent: int = column.integer()
    refunded: int = column.integer()


class Coupon(SQLModel, table=True):
    """A coupon that a user has, or had. Whether it can be used is a matter of the moment."""

    __table_args__ = (
        Index("coupon_by_expiry", "shard", "project_id", "expires_at"),
        column.SHARDED,
    )

    shard: int = column.key()
    project_id: int = column.key()
    user_number: int = column.key()
    code: str = column.text_key()
    name: str = column.text()
    name_at: int | None = column.integer(default=None)
    expires_at: int | None = column.integer(default=None)
    expiry_at: int | None = column.integer(default=None)
    issued_at: int | None = column.integer(default=None)
    applied_at: int | None = column.integer(default=None)
    used_at: int | None = column.integer(default=None)
    expired_at: int | None = column.integer(default=None)
