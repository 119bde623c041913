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


def _sessions_up() -> None:
    """Devices and sessions of what has happened so far are found in the events by who starts next."""
    op.create_table(
        "device",
        *(_number(name) for name in ("shard", "project_id", "number")),
        _text("key"),
        _whole("user_number"),
        _whole("session_at", nullable=True),
        *(sa.Column(name, sa.Boolean(), nullable=False) for name in ("moved", "awaits")),
        sa.PrimaryKeyConstraint("shard", "project_id", "number"),
        sqlite_with_rowid=False,
    )
    op.create_index("device_by_key", "device", ["shard", "project_id", "key"])
    op.create_index("device_by_user", "device", ["shard", "project_id", "user_number"])
    key = ("shard", "project_id", "device_number", "started_at")
    recognised = ("device", "source", "origin", "medium", "campaign", "keyword", "ad", "landing")
    op.create_table(
        "visit_session",
        *(_number(name) for name in key),
        *(_whole(name) for name in ("user_number", "first_at", "last_at")),
        sa.Column("begun", sa.Boolean(), nullable=False),
        *(_text(name) for name in recognised),
        sa.PrimaryKeyConstraint(*key),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "adopted_deeds",
        *(_number(name) for name in ("shard", "project_id", "user_number")),
        *(_text(name) for name in ("was", "acts")),
        sa.PrimaryKeyConstraint("shard", "project_id", "user_number", "was"),
        sqlite_with_rowid=False,
    )
    for name in ("device_number", "session_at"):
        op.add_column("event", _whole(name, nullable=True))
    op.add_column("event", sa.Column("by_member", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("event", sa.Column("deeds", sa.Text(), nullable=False, server_default=""))


def _sessions_down() -> None:
    for name in ("deeds", "by_member", "session_at", "device_number"):
        op.drop_column("event", name)
    op.drop_table("adopted_deeds")
    op.drop_table("visit_session")
    op.drop_index("device_by_user", "device")
    op.drop_index("device_by_key", "device")
    op.drop_table("device")


def _deeds_up() -> None:
    key = ("shard", "project_id", "unit", "dimension", "value", "span", "part")
    texts = ("unit", "dimension", "value")
    op.create_table(
        "deed_set",
        *(_text(name) if name in texts else _number(name) for name in key),
        *(sa.Column(name, sa.LargeBinary(), nullable=False) for name in ("bitmap", "amounts")),
        sa.PrimaryKeyConstraint(*key),
    )
    op.create_table(
        "deed_value",
        _number("project_id"),
        *(_text(name) for name in ("dimension", "value")),
        _whole("first_at"),
        sa.PrimaryKeyConstraint("project_id", "dimension", "value"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "declared_property",
        _number("project_id"),
        *(_text(name) for name in ("event", "property")),
        _whole("declared_at"),
        sa.PrimaryKeyConstraint("project_id", "event", "property"),
        sqlite_with_rowid=False,
    )
    op.add_column("catalog", sa.Column("deeds_due", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.execute("UPDATE catalog SET deeds_due = true")


def _deeds_down() -> None:
    op.drop_column("catalog", "deeds_due")
    for name in ("declared_property", "deed_value", "deed_set"):
        op.drop_table(name)


def _reports_up() -> None:
    op.create_table(
        "cohort_report",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        *(_text(name) for name in ("name", "definition", "view")),
        *(_whole(name) for name in ("created_at", "changed_at")),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("project_id", "name"),
    )


def _reports_down() -> None:
    op.drop_table("cohort_report")


def _commerce_up() -> None:
    """What was ordered before is found in the events when `sojourn migrate` or the server's start counts."""
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


def _segments_up() -> None:
    """Sets of attributes are made of the users, as orders are found."""
    key = ("shard", "project_id", "name", "value", "part")
    texts = ("name", "value")
    op.create_table(
        "attribute_set",
        *(_text(name) if name in texts else _number(name) for name in key),
        *(sa.Column(name, sa.LargeBinary(), nullable=False) for name in ("added", "removed")),
        sa.PrimaryKeyConstraint(*key),
    )


def _segments_down() -> None:
    op.drop_table("attribute_set")


def _refuse_what_waits() -> None:
    inbox = sa.table("inbox", sa.column("kind"))
    waiting = sa.select(sa.func.count()).select_from(inbox).where(inbox.c.kind.in_(("adopt", "unlinked")))
    if count := op.get_bind().execute(waiting).scalar():
        raise RuntimeError(
            f"{count} rows of the inbox cannot be read by the version before: let the engine work them in first."
        )


def upgrade() -> None:
    """Each part in a function of its own."""
    _sessions_up()
    _deeds_up()
    _reports_up()
    _commerce_up()
    _segments_up()


def downgrade() -> None:
    """The same parts, backwards.

    The code before knows no `unlinked`, and not all that an `adopt` tells now: have the engine work in what
    waits first, with the API stopped.
    """
    _refuse_what_waits()
    _segments_down()
    _reports_down()
    _commerce_down()
    _deeds_down()
    _sessions_down()
