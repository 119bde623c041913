"""DuckDB and ClickHouse over the same facts, asked the same questions in the same run."""

import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import duckdb
import orjson

from bench._screens import Facts, of_rows

Ask = Callable[[str], Iterable[tuple[Any, ...]]]
_TABLES = {
    "visit": ("step", "arrived_at"),
    "message": ("step", "created_at"),
    "receipt": ("step", "kind", "occurred_at"),
    "conversion": ("goal", "occurred_at"),
    "credit": ("occurred_at",),
}
"""With the order in which ClickHouse keeps them: what is asked for lies together."""
_CLOSED = ("step", "output", "channel", "kind", "reason", "actor", "goal", "how", "end_reason", "digest")
"""Columns with few different words; DuckDB has enumerations for those that are never empty."""


class DuckDB:
    name = "DuckDB"

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection

    def rows(self, statement: str) -> Iterable[tuple[Any, ...]]:
        return self._connection.execute(statement).fetchall()


class ClickHouse:
    name = "ClickHouse"

    def __init__(self, connection: duckdb.DuckDBPyConnection, folder: Path) -> None:
        """Takes the facts over, through Parquet."""
        from chdb.session import Session

        self._session = Session(str(folder / "clickhouse"))
        self._session.query("CREATE DATABASE bench ENGINE = Atomic")
        for table, order in _TABLES.items():
            file = folder / f"{table}.parquet"
            connection.execute(f"COPY {table} TO '{file}' (FORMAT parquet)")
            self._session.query(
                f"CREATE TABLE bench.{table} ENGINE = MergeTree ORDER BY ({', '.join(order)}) AS "
                f"SELECT {_columns(connection, table)} FROM file('{file}', Parquet)"
            )
            self._session.query(f"OPTIMIZE TABLE bench.{table} FINAL")
            file.unlink()
        self._session.query("USE bench")

    def rows(self, statement: str) -> Iterable[tuple[Any, ...]]:
        answer = self._session.query(statement, "JSONCompact").bytes()
        return (tuple(row) for row in orjson.loads(answer)["data"])

    def close(self) -> None:
        self._session.close()


def _columns(connection: duckdb.DuckDBPyConnection, table: str) -> str:
    """What never lacks a value is told so, and few words are numbered: both are quicker."""
    described = connection.execute(f"DESCRIBE {table}").fetchall()
    return ", ".join(_column(connection, table, name) for name, *_ in described)


def _column(connection: duckdb.DuckDBPyConnection, table: str, name: str) -> str:
    asked = f"SELECT count(*) = count({name}) FROM {table}"
    (is_full,) = connection.execute(asked).fetchone() or (False,)
    value = f"assumeNotNull({name})" if is_full else name
    return f"toLowCardinality({value}) AS {name}" if name in _CLOSED else f"{value} AS {name}"


def ask(peer: DuckDB | ClickHouse, statements: Iterable[str], since: int) -> tuple[float, Facts]:
    """How many milliseconds the statements of a screen take, and what they say."""
    started, rows = time.perf_counter(), []
    for statement in statements:
        rows += peer.rows(statement.format(since=since))
    return (time.perf_counter() - started) * 1000, of_rows(rows)
