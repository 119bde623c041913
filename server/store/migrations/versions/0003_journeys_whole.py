"""Journeys, whole: what waits, draws, launches and edits have to remember."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_REMEMBERED = (
    ("run", "memory", "{}"),
    ("run", "variants", "{}"),
    ("run", "variant", ""),
    ("run", "entry_value", ""),
    ("run", "entry_address", ""),
    ("visit", "saw", "{}"),
    ("message", "variants", "{}"),
)


def _life_up() -> None:
    op.add_column("journey", sa.Column("starts_at", sa.BigInteger(), nullable=True))
    op.add_column("journey", sa.Column("ends_at", sa.BigInteger(), nullable=True))
    op.add_column(
        "journey", sa.Column("was_stopped", sa.Boolean(), nullable=False, server_default=sa.false())
    )
    # Until now there was no other way to be over.
    op.execute("UPDATE journey SET was_stopped = true WHERE finished_at IS NOT NULL")
    op.add_column("version", sa.Column("moves", sa.Text(), nullable=True))
    op.add_column("run", sa.Column("settled", sa.BigInteger(), nullable=False, server_default="0"))
    op.add_column("user", sa.Column("erased_at", sa.BigInteger(), nullable=True))
    erased = sa.text("erased_at IS NOT NULL")
    op.create_index("user_erased", "user", ["project_id"], sqlite_where=erased, postgresql_where=erased)
    op.create_table(
        "kept_refusal",
        sa.Column("project_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("set_by", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=True),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("heard", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("project_id", "digest", "purpose", "set_by"),
    )


def _life_down() -> None:
    op.drop_table("kept_refusal")
    op.drop_index("user_erased", "user")
    op.drop_column("user", "erased_at")
    op.drop_column("run", "settled")
    op.drop_column("version", "moves")
    for name in ("was_stopped", "ends_at", "starts_at"):
        op.drop_column("journey", name)


def upgrade() -> None:
    """Each part in a function of its own, in the order in which they were built."""
    _life_up()
    _remembered_up()
    _foreign_letters_up()
    _notices_up()
    _verdicts_up()
    _sending_up()
    _files_up()
    _audience_up()


def downgrade() -> None:
    """The same parts, backwards."""
    _audience_down()
    _files_down()
    _sending_down()
    _verdicts_down()
    _notices_down()
    _foreign_letters_down()
    _remembered_down()
    _life_down()


def _remembered_up() -> None:
    for table, name, default in _REMEMBERED:
        op.add_column(table, sa.Column(name, sa.Text(), nullable=False, server_default=default))


def _remembered_down() -> None:
    for table, name, _ in reversed(_REMEMBERED):
        op.drop_column(table, name)


def _notices_up() -> None:
    op.create_table(
        "notice",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("journey_id", sa.BigInteger(), nullable=True),
        sa.Column("connection_id", sa.BigInteger(), nullable=True),
        sa.Column("pool_id", sa.BigInteger(), nullable=True),
        sa.Column("seen_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("project_id", "cause"),
    )
    op.create_index("notice_by_time", "notice", ["project_id", "at", "id"])
    unseen = sa.text("seen_at IS NULL")
    op.create_index("notice_unseen", "notice", ["kind"], sqlite_where=unseen, postgresql_where=unseen)


def _notices_down() -> None:
    op.drop_table("notice")


def _verdicts_up() -> None:
    op.create_table(
        "verdict",
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("journey_id", sa.Integer(), nullable=False),
        sa.Column("step_key", sa.Text(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("winner", sa.Text(), nullable=False),
        sa.Column("explore_percent", sa.Integer(), nullable=False),
        sa.Column("decided_at", sa.BigInteger(), nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"]),
        sa.ForeignKeyConstraint(["journey_id"], ["journey.id"]),
        sa.PrimaryKeyConstraint("project_id", "journey_id", "step_key", "round"),
    )


def _verdicts_down() -> None:
    op.drop_table("verdict")


def _sending_up() -> None:
    op.create_table(
        "frequency_cap",
        sa.Column("project_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("window_ms", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("most", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("project_id", "channel", "window_ms"),
    )
    _vouchers_up()
    _guard_up()
    for name in ("cap", "pool", "remember_as", "voucher"):
        op.add_column("message", sa.Column(name, sa.Text(), nullable=False, server_default=""))
    tried = sa.text("attempted_at IS NOT NULL")
    by_user = ["shard", "project_id", "user_number", "channel", "attempted_at"]
    op.create_index("message_by_user", "message", by_user, sqlite_where=tried, postgresql_where=tried)


def _vouchers_up() -> None:
    op.create_table(
        "voucher_pool",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("low_water", sa.BigInteger(), nullable=False),
        sa.Column("fills", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("project_id", "name"),
    )
    op.create_table(
        "voucher",
        sa.Column("project_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("pool_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("taken_at", sa.BigInteger(), nullable=True),
        sa.Column("message_shard", sa.BigInteger(), nullable=True),
        sa.Column("message_id", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("project_id", "code"),
        sa.UniqueConstraint("pool_id", "number"),
    )
    left = sa.text("taken_at IS NULL")
    op.create_index(
        "voucher_left", "voucher", ["pool_id", "number"], sqlite_where=left, postgresql_where=left
    )


def _guard_up() -> None:
    op.create_table(
        "guard_setting",
        sa.Column("project_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("is_on", sa.Boolean(), nullable=False),
        sa.Column("channels", sa.Text(), nullable=False),
        sa.Column("window_ms", sa.BigInteger(), nullable=False),
        sa.Column("bounce_rate", sa.Float(), nullable=False),
        sa.Column("complaint_rate", sa.Float(), nullable=False),
        sa.Column("least_sent", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("project_id"),
    )
    figures = ("sent", "bounced", "complained", "since", "sent_before", "bounced_before", "complained_before")
    op.create_table(
        "guard",
        sa.Column("project_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("journey_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("connection_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("tripped_at", sa.BigInteger(), nullable=True),
        sa.Column("because", sa.Text(), nullable=False),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in figures),
        sa.PrimaryKeyConstraint("project_id", "journey_id", "connection_id"),
    )


def _sending_down() -> None:
    op.drop_index("message_by_user", "message")
    for name in ("cap", "pool", "remember_as", "voucher"):
        op.drop_column("message", name)
    for name in ("guard", "guard_setting", "voucher", "voucher_pool", "frequency_cap"):
        op.drop_table(name)


def _files_up() -> None:
    op.add_column("journey", sa.Column("handle", sa.Text(), nullable=True))
    op.create_index("journey_by_handle", "journey", ["project_id", "handle"], unique=True)


def _files_down() -> None:
    op.drop_index("journey_by_handle", "journey")
    op.drop_column("journey", "handle")


def _foreign_letters_up() -> None:
    op.create_table(
        "foreign_letter",
        sa.Column("shard", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("run_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("message_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("project_id", sa.BigInteger(), nullable=False),
        sa.Column("step_key", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("sent_at", sa.BigInteger(), nullable=True),
        sa.Column("opened_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("shard", "run_id", "message_id"),
        sqlite_with_rowid=False,
    )


def _foreign_letters_down() -> None:
    op.drop_table("foreign_letter")


def _audience_up() -> None:
    _segments_up()
    _launches_up()
    _requests_up()


def _segments_up() -> None:
    op.create_table(
        "segment",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("conditions", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("project_id", "name"),
    )
    op.create_table(
        "user_list",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("project_id", "name"),
    )
    op.create_table(
        "list_member",
        sa.Column("shard", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("list_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("user_number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("project_id", sa.BigInteger(), nullable=False),
        sa.Column("added_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("shard", "list_id", "user_number"),
        sqlite_with_rowid=False,
    )
    op.create_index("list_member_by_user", "list_member", ["shard", "project_id", "user_number"])


def _launches_up() -> None:
    op.create_table(
        "launch",
        sa.Column("shard", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("journey_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("entry_key", sa.Text(), nullable=False),
        sa.Column("occurrence", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("project_id", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("request_id", sa.BigInteger(), nullable=True),
        sa.Column("planned_at", sa.BigInteger(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("done_until", sa.BigInteger(), nullable=False),
        sa.Column("next_at", sa.BigInteger(), nullable=True),
        sa.Column("cursor", sa.BigInteger(), nullable=False),
        sa.Column("entered", sa.BigInteger(), nullable=False),
        sa.Column("refused", sa.BigInteger(), nullable=False),
        sa.Column("held", sa.Boolean(), nullable=False),
        sa.Column("began_at", sa.BigInteger(), nullable=True),
        sa.Column("done_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("shard", "journey_id", "entry_key", "occurrence"),
        sqlite_with_rowid=False,
    )
    waiting = sa.text("done_at IS NULL AND NOT held")
    op.create_index(
        "launch_due", "launch", ["shard", "due_at"], sqlite_where=waiting, postgresql_where=waiting
    )


def _requests_up() -> None:
    op.create_table(
        "entry_request",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("journey_id", sa.BigInteger(), nullable=False),
        sa.Column("entry_key", sa.Text(), nullable=False),
        sa.Column("audience", sa.Text(), nullable=False),
        sa.Column("properties", sa.Text(), nullable=False),
        sa.Column("creates_users", sa.Boolean(), nullable=False),
        sa.Column("asked", sa.BigInteger(), nullable=False),
        sa.Column("requested_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_entry_request_project_id", "entry_request", ["project_id"])
    op.create_table(
        "entry_answer",
        sa.Column("shard", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("request_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("project_id", sa.BigInteger(), nullable=False),
        sa.Column("user_number", sa.BigInteger(), nullable=True),
        sa.Column("run_id", sa.BigInteger(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("answered_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("shard", "request_id", "kind", "value"),
        sqlite_with_rowid=False,
    )


def _audience_down() -> None:
    for name in ("entry_answer", "entry_request", "launch", "list_member", "user_list", "segment"):
        op.drop_table(name)
