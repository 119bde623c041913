"""The figures, whole: counters and user sets by span and clock, exports, retention."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_FACTS = {
    # Runs keep their number when they move to another shard, facts stay where they were written.
    "visit": "arrived_at",
    "message": "created_at",
    "conversion": "occurred_at",
}
"""By table: what stands for the entry of a run that is gone."""
_SET_TEXTS = ("dimension", "value")
_TEXTS = ("step_key", "output", "channel", "variant", "metric", "reason")


def upgrade() -> None:
    _aggregates_up()


def downgrade() -> None:
    _aggregates_down()


def _number(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), autoincrement=False, nullable=False)


def _aggregates_up() -> None:
    """Both aggregates are counted again from the facts when the server starts next."""
    for table, instead in _FACTS.items():
        op.add_column(table, sa.Column("entered_at", sa.BigInteger(), nullable=False, server_default="0"))
        op.execute(_ENTERED.format(table=table, instead=instead))
    op.add_column(
        "catalog", sa.Column("recount_due", sa.Boolean(), nullable=False, server_default=sa.false())
    )
    op.execute("UPDATE catalog SET recount_due = true")
    op.drop_table("counter")
    op.drop_table("user_set")
    numbers = ("shard", "project_id", "journey_id", "clock", "span", "version")
    op.create_table(
        "counter",
        *(_number(name) for name in numbers),
        *(sa.Column(name, sa.Text(), nullable=False) for name in _TEXTS),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(*numbers, *_TEXTS),
        sqlite_with_rowid=False,
    )
    op.create_index("counter_by_journey", "counter", ["project_id", "journey_id", "metric", "clock", "span"])
    key = ("shard", "project_id", "dimension", "value", "clock", "span", "version", "part")
    op.create_table(
        "user_set",
        *(
            sa.Column(name, sa.Text(), nullable=False) if name in _SET_TEXTS else _number(name)
            for name in key
        ),
        sa.Column("bitmap", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint(*key),
        sqlite_with_rowid=False,
    )


_ENTERED = (
    "UPDATE {table} SET entered_at = COALESCE("
    "(SELECT run.entered_at FROM run WHERE run.shard = {table}.shard AND run.id = {table}.run_id), "
    "(SELECT min(run.entered_at) FROM run WHERE run.id = {table}.run_id), {instead})"
)


_HOURS = (
    "INSERT INTO counter (shard, project_id, journey_id, version, step_key, output, channel, variant, metric, "
    "reason, hour, n, amount) SELECT shard, project_id, journey_id, version, step_key, output, channel, "
    "variant, metric, reason, span, n, amount FROM counter_by_span WHERE clock = 0 AND span >= 1000000000"
)
_ALL_VERSIONS = (
    "INSERT INTO user_set (shard, project_id, dimension, value, day, part, bitmap) SELECT shard, project_id, "
    "dimension, value, span, row_number() OVER (PARTITION BY shard, project_id, dimension, value, span "
    "ORDER BY version, part), bitmap FROM user_set_by_span WHERE clock = 0"
)


def _aggregates_down() -> None:
    """What was counted by hour, and by the first clock, is what earlier versions know."""
    op.drop_index("counter_by_journey", table_name="counter")
    op.rename_table("counter", "counter_by_span")
    op.rename_table("user_set", "user_set_by_span")
    if op.get_context().dialect.name == "postgresql":
        # The names of the keys stay behind with the tables.
        op.execute("ALTER INDEX counter_pkey RENAME TO counter_by_span_pkey")
        op.execute("ALTER INDEX user_set_pkey RENAME TO user_set_by_span_pkey")
    numbers = ("shard", "project_id", "journey_id", "version")
    op.create_table(
        "counter",
        *(_number(name) for name in numbers),
        *(sa.Column(name, sa.Text(), nullable=False) for name in _TEXTS),
        _number("hour"),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(*numbers, *_TEXTS, "hour"),
        sqlite_with_rowid=False,
    )
    op.create_index("counter_by_journey", "counter", ["project_id", "journey_id", "metric", "hour"])
    key = ("shard", "project_id", "dimension", "value", "day", "part")
    op.create_table(
        "user_set",
        *(
            sa.Column(name, sa.Text(), nullable=False) if name in _SET_TEXTS else _number(name)
            for name in key
        ),
        sa.Column("bitmap", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint(*key),
        sqlite_with_rowid=False,
    )
    op.execute(_HOURS)
    op.execute(_ALL_VERSIONS)
    op.drop_table("counter_by_span")
    op.drop_table("user_set_by_span")
    op.drop_column("catalog", "recount_due")
    for table in _FACTS:
        op.drop_column(table, "entered_at")
