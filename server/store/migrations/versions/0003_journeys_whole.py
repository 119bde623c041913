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


def upgrade() -> None:
    """Each part in a function of its own, in the order in which they were built."""
    _remembered_up()


def downgrade() -> None:
    """The same parts, backwards."""
    _remembered_down()


def _remembered_up() -> None:
    for table, name, default in _REMEMBERED:
        op.add_column(table, sa.Column(name, sa.Text(), nullable=False, server_default=default))


def _remembered_down() -> None:
    for table, name, _ in reversed(_REMEMBERED):
        op.drop_column(table, name)
