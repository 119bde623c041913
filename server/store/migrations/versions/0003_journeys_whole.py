"""Journeys, whole: what waits, draws, launches and edits have to remember."""

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Each part in a function of its own, in the order in which they were built."""
    _life_up()


def downgrade() -> None:
    """The same parts, backwards."""
    _life_down()


def _life_up() -> None:
    op.add_column("journey", sa.Column("starts_at", sa.BigInteger(), nullable=True))
    op.add_column("journey", sa.Column("ends_at", sa.BigInteger(), nullable=True))
    op.add_column("journey", sa.Column("was_stopped", sa.Boolean(), nullable=False, server_default=sa.false()))
    # Until now there was no other way to be over.
    op.execute("UPDATE journey SET was_stopped = true WHERE finished_at IS NOT NULL")
    op.add_column("version", sa.Column("moves", sa.Text(), nullable=True))


def _life_down() -> None:
    op.drop_column("version", "moves")
    for name in ("was_stopped", "ends_at", "starts_at"):
        op.drop_column("journey", name)
