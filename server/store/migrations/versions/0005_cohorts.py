"""Segments and cohorts: devices, sessions, and user sets of what people did on a day."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def _number(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), autoincrement=False, nullable=False)


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=False)


def _whole(name: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), nullable=nullable)


def _commerce_up() -> None:
    """What was ordered before is found in the events when somebody counts again: `sojourn recount`."""
    op.add_column("project", sa.Column("commerce", sa.Text(), nullable=False, server_default=""))
    user = ("shard", "project_id", "user_number")
    op.create_table(
        "purchase",
        *(_number(name) for name in ("shard", "project_id")),
        _text("key"),
        _number("user_number"),
        _text("order_id"),
        _whole("ordered_at", nullable=True),
        _text("digest"),
        _whole("amount", nullable=True),
        _text("currency"),
        _whole("refunded"),
        *(_text(name) for name in ("refunds", "coupons", "products", "flag")),
        sa.PrimaryKeyConstraint("shard", "project_id", "key", "user_number"),
        sqlite_with_rowid=False,
    )
    op.create_index("purchase_by_user", "purchase", [*user, "ordered_at"])
    times = ("first_seen", "last_seen", "first_visit", "last_visit", "first_order", "last_order", "signed_up")
    op.create_table(
        "life",
        *(_number(name) for name in user),
        *(_whole(f"{name}_at", nullable=True) for name in times),
        *(_whole(name) for name in ("visits", "orders", "cancelled")),
        sa.PrimaryKeyConstraint(*user),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "spending",
        *(_number(name) for name in user),
        _text("currency"),
        *(_whole(name) for name in ("spent", "refunded")),
        sa.PrimaryKeyConstraint(*user, "currency"),
        sqlite_with_rowid=False,
    )
    times = ("name_at", "expires_at", "expiry_at", "issued_at", "applied_at", "used_at", "expired_at")
    op.create_table(
        "coupon",
        *(_number(name) for name in user),
        *(_text(name) for name in ("code", "name")),
        *(_whole(name, nullable=True) for name in times),
        sa.PrimaryKeyConstraint(*user, "code"),
        sqlite_with_rowid=False,
    )
    op.create_index("coupon_by_expiry", "coupon", ["shard", "project_id", "expires_at"])


def _commerce_down() -> None:
    op.drop_index("coupon_by_expiry", "coupon")
    for table in ("coupon", "spending", "life"):
        op.drop_table(table)
    op.drop_index("purchase_by_user", "purchase")
    op.drop_table("purchase")
    op.drop_column("project", "commerce")


def upgrade() -> None:
    """Each part in a function of its own."""
    _commerce_up()


def downgrade() -> None:
    """The same parts, backwards."""
    _commerce_down()
