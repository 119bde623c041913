"""The figures, whole: counters and user sets by span and clock, exports, retention."""

from alembic import op
from sqlalchemy import text

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _run_lists_up()


def downgrade() -> None:
    _run_lists_down()


def _run_lists_up() -> None:
    inside, ended = text("wake_at IS NOT NULL"), text("end_reason IS NOT NULL")
    place = ["entered_at", "shard", "id"]
    columns = ["project_id", "journey_id", *place]
    op.create_index("run_inside", "run", columns, sqlite_where=inside, postgresql_where=inside)
    columns = ["project_id", "journey_id", "end_reason", *place, "step_key", "version", "ended_at"]
    op.create_index("run_ended", "run", columns, sqlite_where=ended, postgresql_where=ended)


def _run_lists_down() -> None:
    op.drop_index("run_ended", "run")
    op.drop_index("run_inside", "run")
