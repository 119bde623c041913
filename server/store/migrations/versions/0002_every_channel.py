"""Every channel: who may be written to, how connections fare, what is shown in apps."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "connection_health",
        sa.Column("connection_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("breaker", sa.Text(), nullable=False),
        sa.Column("failures", sa.BigInteger(), nullable=False),
        sa.Column("opened", sa.BigInteger(), nullable=False),
        sa.Column("open_until", sa.BigInteger(), nullable=True),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.Column("succeeded_at", sa.BigInteger(), nullable=True),
        sa.Column("failed_at", sa.BigInteger(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("connection_id"),
    )
    op.create_table(
        "consent",
        sa.Column("shard", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("project_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("user_number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("granted", sa.Boolean(), nullable=False),
        sa.Column("decided_at", sa.BigInteger(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("shard", "project_id", "user_number", "channel", "purpose"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "in_app",
        sa.Column("shard", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("message_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("project_id", sa.BigInteger(), nullable=False),
        sa.Column("connection_id", sa.BigInteger(), nullable=False),
        sa.Column("reader", sa.Text(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("sent_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=True),
        sa.Column("delivered_at", sa.BigInteger(), nullable=True),
        sa.Column("shown_at", sa.BigInteger(), nullable=True),
        sa.Column("interacted_at", sa.BigInteger(), nullable=True),
        sa.Column("dismissed_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("shard", "message_id"),
        sqlite_with_rowid=False,
    )
    op.create_index("in_app_of_reader", "in_app", ["connection_id", "reader", "sent_at", "message_id"])
    op.create_index(
        "in_app_expiry",
        "in_app",
        ["expires_at"],
        sqlite_where=sa.text("expires_at IS NOT NULL"),
        postgresql_where=sa.text("expires_at IS NOT NULL"),
    )

    op.create_table(
        "inbound",
        sa.Column("connection_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("project_id", sa.BigInteger(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("meaning", sa.Text(), nullable=False),
        sa.Column("occurred_at", sa.BigInteger(), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("connection_id", "key"),
    )
    op.create_index("inbound_by_time", "inbound", ["project_id", "occurred_at"], unique=False)

    op.create_table(
        "suppression",
        sa.Column("project_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("set_by", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=True),
        sa.Column("until", sa.BigInteger(), nullable=True),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("heard", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("project_id", "channel", "address", "purpose", "set_by"),
    )
    _suppress_what_was_marked()
    op.add_column("endpoint", sa.Column("reached_at", sa.BigInteger(), nullable=True))
    op.add_column(
        "project", sa.Column("requires_consent", sa.Boolean(), nullable=False, server_default=sa.false())
    )
    op.add_column(
        "connection", sa.Column("preference", sa.BigInteger(), nullable=False, server_default="100")
    )
    op.add_column("connection", sa.Column("takes", sa.Text(), nullable=False, server_default=""))
    op.add_column(
        "connection", sa.Column("is_enabled", sa.Boolean(), nullable=False, server_default=sa.true())
    )
    op.add_column("connection", sa.Column("concurrency", sa.BigInteger(), nullable=True))
    op.add_column("connection", sa.Column("rate_per_second", sa.Float(), nullable=True))

    op.add_column("message", sa.Column("purpose", sa.Text(), nullable=False, server_default="information"))
    op.add_column("message", sa.Column("expires_at", sa.BigInteger(), nullable=True))
    op.add_column(
        "message", sa.Column("may_fail_over", sa.Boolean(), nullable=False, server_default=sa.false())
    )

    op.add_column("receipt", sa.Column("connection_id", sa.BigInteger(), nullable=True))
    op.add_column("receipt", sa.Column("raw", sa.Text(), nullable=False, server_default=""))
    op.create_index(
        "receipt_with_reason",
        "receipt",
        ["shard", "project_id", "occurred_at"],
        unique=False,
        sqlite_where=sa.text("reason <> ''"),
        postgresql_where=sa.text("reason <> ''"),
    )


def _suppress_what_was_marked() -> None:
    """Until now an endpoint alone said that nobody writes to it."""
    for state, reason in (("opted_out", "opted_out"), ("invalid", "invalid_recipient")):
        op.execute(
            sa.text(
                """
                INSERT INTO suppression
                    (project_id, channel, address, purpose, set_by, reason, since, source, note, heard)
                SELECT project_id, channel, lower(address), '', 'heard', :reason, max(changed_at), 'receipt', '',
                    '{"bad":{"' || :reason || '":[[' || max(changed_at) || ',"receipt"]]}}'
                FROM endpoint WHERE state = :state AND channel = 'email'
                GROUP BY project_id, channel, lower(address)
                ON CONFLICT DO NOTHING
                """
            ).bindparams(state=state, reason=reason)
        )


def downgrade() -> None:
    op.drop_column("project", "requires_consent")
    op.drop_column("endpoint", "reached_at")

    op.drop_index("receipt_with_reason", "receipt")
    op.drop_column("receipt", "raw")
    op.drop_column("receipt", "connection_id")

    op.drop_column("message", "may_fail_over")
    op.drop_column("message", "expires_at")
    op.drop_column("message", "purpose")

    op.drop_column("connection", "rate_per_second")
    op.drop_column("connection", "concurrency")
    op.drop_column("connection", "is_enabled")
    op.drop_column("connection", "takes")
    op.drop_column("connection", "preference")

    op.drop_table("suppression")
    op.drop_index("inbound_by_time", "inbound")

    op.drop_table("inbound")
    op.drop_index("in_app_expiry", "in_app")
    op.drop_index("in_app_of_reader", "in_app")

    op.drop_table("in_app")
    op.drop_table("consent")
    op.drop_table("connection_health")
