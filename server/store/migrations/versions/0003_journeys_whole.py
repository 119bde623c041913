"""Journeys, whole: what waits, draws, launches and edits have to remember."""

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Each part in a function of its own, in the order in which they were built."""


def downgrade() -> None:
    """The same parts, backwards."""
