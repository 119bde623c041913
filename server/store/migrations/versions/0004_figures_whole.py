"""The figures, whole: counters and user sets by span and clock, exports, retention."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def _exports_up() -> None:
    op.create_table(
        "export",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("kind", "arguments", "format", "language")),
        *(sa.Column(name, sa.Boolean(), nullable=False) for name in ("marked", "of_people")),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("state", "problem", "asked_by")),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        *(
            sa.Column(f"{name}_at", sa.BigInteger(), nullable=True)
            for name in ("started", "finished", "expires")
        ),
        sa.Column("file_name", sa.Text(), nullable=False),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.Column("expected", sa.BigInteger(), nullable=True),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in ("size", "chunks")),
        sa.Column("place", sa.Text(), nullable=False),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in ("tries", "turn_at")),
        sa.Column("holder", sa.Text(), nullable=False),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in ("token", "leased_until")),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_export_project_id", "export", ["project_id"])
    op.create_index("export_by_state", "export", ["state", "turn_at"])
    op.create_table(
        "export_chunk",
        *(
            sa.Column(name, sa.BigInteger(), autoincrement=False, nullable=False)
            for name in ("export_id", "number")
        ),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in ("starts_at", "size")),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("export_id", "number"),
    )


def _exports_down() -> None:
    op.drop_table("export_chunk")
    op.drop_table("export")


def upgrade() -> None:
    """Each part in a function of its own, in the order in which they were built."""
    _exports_up()


def downgrade() -> None:
    """The same parts, backwards."""
    _exports_down()
