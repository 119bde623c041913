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


def _retention_up() -> None:
    for name in ("retention_days", "kept_since"):
        op.add_column("project", sa.Column(name, sa.BigInteger(), nullable=True))
    numbers = ("shard", "project_id", "journey_id", "clock", "span", "version")
    op.create_table(
        "settled_counter",
        *(_number(name) for name in numbers),
        *(sa.Column(name, sa.Text(), nullable=False) for name in _TEXTS),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(*numbers, *_TEXTS),
        sqlite_with_rowid=False,
    )
    key = ("shard", "project_id", "dimension", "value", "clock", "span", "version", "part")
    op.create_table(
        "settled_set",
        *(
            sa.Column(name, sa.Text(), nullable=False) if name in _SET_TEXTS else _number(name)
            for name in key
        ),
        sa.Column("bitmap", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint(*key),
        sqlite_with_rowid=False,
    )
    runs = ("project_id", "journey_id", "user_number", "entered_at", "ended_at")
    _former_up("former_run", runs, ("entry_value", "variants"))
    op.create_index("former_run_by_journey", "former_run", ["project_id", "journey_id"])
    _former_up("former_message", ("project_id", "user_number"), ("channel", "address", "purpose"))


def _former_up(table: str, numbers: tuple[str, ...], texts: tuple[str, ...]) -> None:
    op.create_table(
        table,
        *(_number(name) for name in ("shard", "id")),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in numbers),
        *(sa.Column(name, sa.Text(), nullable=False) for name in texts),
        sa.PrimaryKeyConstraint("shard", "id"),
        sqlite_with_rowid=False,
    )
    op.create_index(f"{table}_by_user", table, ["shard", "project_id", "user_number"])


def _retention_down() -> None:
    """What was counted before facts were deleted is gone with it: the figures stay as they are."""
    op.drop_index("former_run_by_journey", "former_run")
    for table in ("former_message", "former_run"):
        op.drop_index(f"{table}_by_user", table)
        op.drop_table(table)
    op.drop_table("settled_set")
    op.drop_table("settled_counter")
    for name in ("kept_since", "retention_days"):
        op.drop_column("project", name)


def _run_lists_up() -> None:
    inside, ended = sa.text("wake_at IS NOT NULL"), sa.text("end_reason IS NOT NULL")
    place = ["entered_at", "shard", "id"]
    columns = ["project_id", "journey_id", *place]
    op.create_index("run_inside", "run", columns, sqlite_where=inside, postgresql_where=inside)
    columns = ["project_id", "journey_id", "end_reason", *place, "step_key", "version", "ended_at"]
    op.create_index("run_ended", "run", columns, sqlite_where=ended, postgresql_where=ended)


def _run_lists_down() -> None:
    op.drop_index("run_ended", "run")
    op.drop_index("run_inside", "run")


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


def _movements_up() -> None:
    key = ("shard", "project_id", "journey_id")
    op.create_table(
        "movement",
        *(_number(name) for name in key),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(*key),
        sqlite_with_rowid=False,
    )


def _movements_down() -> None:
    op.drop_table("movement")


def _costs_up() -> None:
    for table in ("message", "receipt"):
        op.add_column(table, sa.Column("price", sa.BigInteger(), nullable=True))
        op.add_column(table, sa.Column("currency", sa.Text(), nullable=False, server_default=""))
    op.add_column("message", sa.Column("priced_at", sa.BigInteger(), nullable=True))


def _costs_down() -> None:
    op.drop_column("message", "priced_at")
    for table in ("receipt", "message"):
        op.drop_column(table, "currency")
        op.drop_column(table, "price")


def upgrade() -> None:
    """Each part in a function of its own."""
    _exports_up()
    _aggregates_up()
    _run_lists_up()
    _movements_up()
    _costs_up()
    _retention_up()


def downgrade() -> None:
    """The same parts, backwards."""
    _retention_down()
    _costs_down()
    _movements_down()
    _run_lists_down()
    _aggregates_down()
    _exports_down()
