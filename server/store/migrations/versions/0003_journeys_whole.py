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


def _life_down() -> None:
    op.drop_column("run", "settled")
    op.drop_column("version", "moves")
    for name in ("was_stopped", "ends_at", "starts_at"):
        op.drop_column("journey", name)


def upgrade() -> None:
    """Each part in a function of its own, in the order in which they were built."""
    _life_up()
    _remembered_up()
    _notices_up()
    _files_up()


def downgrade() -> None:
    """The same parts, backwards."""
    _files_down()
    _notices_down()
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


def _files_up() -> None:
    op.add_column("journey", sa.Column("handle", sa.Text(), nullable=True))
    op.create_index("journey_by_handle", "journey", ["project_id", "handle"], unique=True)


def _files_down() -> None:
    op.drop_index("journey_by_handle", "journey")
    op.drop_column("journey", "handle")
