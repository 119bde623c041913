"""Journeys, whole: what waits, draws, launches and edits have to remember."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Each part in a function of its own, in the order in which they were built."""
    _notices_up()


def downgrade() -> None:
    """The same parts, backwards."""
    _notices_down()


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
