"""What SQLite's planner is told of the tables, so that it takes the whole of an index.

Without figures it takes ten rows for each value of a key's first column. That is the shard, and all rows may
be in one: it would rather look through a shard than find a hundred people in it by another index. The
figures are those of a large project in one shard. They need not be right; what they say is that shard and
project tell nothing apart, nor why a run ended. Whoever runs `ANALYZE` has better ones.
"""

from typing import Any

from sqlalchemy import Connection, text

from server.store.tables import metadata

ROWS = 1_000_000
_TELL_NOTHING = ("shard", "project_id", "end_reason")
_ALIKE = 1000
"""How many times fewer rows are alike in one column more."""
_ANALYZE = text("ANALYZE sqlite_schema")
_PUT = text("INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES (:tbl, :idx, :stat)")


def tell_the_planner(connection: Connection) -> None:
    """Writes the figures, in the place of what was there; connections that are open keep what they have."""
    if connection.dialect.name != "sqlite":
        return
    # Makes the table of the figures; whatever is in it is of no use before there are rows.
    connection.execute(_ANALYZE)
    connection.execute(text("DELETE FROM sqlite_stat1"))
    for table in metadata.sorted_tables:
        if "shard" in table.c:
            for row in _figures(connection, table.name):
                connection.execute(_PUT, row)
    # Has this connection read them, too.
    connection.execute(_ANALYZE)


def _figures(connection: Connection, table: str) -> list[dict[str, str]]:
    """One row for each index that the database has of the table."""
    found = []
    for _, name, unique, *_ in _pragma(connection, "index_list", table):
        columns = [row[2] for row in _pragma(connection, "index_info", name)]
        # A table without row ids is its primary key's index, and goes by its own name.
        is_key = name.startswith("sqlite_autoindex_")
        found.append({"tbl": table, "idx": table if is_key else name, "stat": _alike(columns, bool(unique))})
    return found


def _pragma(connection: Connection, name: str, about: str) -> Any:
    # Names of ours, which the database itself has handed out.
    return connection.exec_driver_sql(f'PRAGMA {name}("{about}")').all()


def _alike(columns: list[str], is_unique: bool) -> str:
    """How many rows there are, and how many are alike in the first column, in the first two, and so on."""
    rows, told = ROWS, [ROWS]
    for column in columns:
        rows = rows if column in _TELL_NOTHING else max(1, rows // _ALIKE)
        told.append(rows)
    if is_unique:
        told[-1] = 1
    return " ".join(map(str, told))
