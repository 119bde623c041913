"""Statements for many rows at once.

SQLAlchemy writes the SQL, once for each database; the rows then go to the driver as plain tuples,
past every processor, because this is where the time goes.
"""

from collections.abc import Sequence
from operator import itemgetter
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Delete,
    Dialect,
    Insert,
    Table,
    Update,
    bindparam,
    case,
    delete,
    insert,
    literal_column,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import SQLModel


class Bulk:
    """A statement and the order of the values that its callers hand over."""

    def __init__(self, columns: Sequence[str], statements: dict[str, Insert | Update | Delete]) -> None:
        self.columns = tuple(columns)
        self._statements = statements
        self._compiled: dict[str, tuple[str, tuple[int, ...] | None]] = {}

    def sql(self, dialect: Dialect) -> str:
        return self._compile(dialect)[0]

    def ordered(self, dialect: Dialect, rows: Sequence[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
        """The rows with their values in the order in which the database's parameters stand."""
        order = self._compile(dialect)[1]
        if order is None:
            return list(rows)
        return list(map(itemgetter(*order), rows))

    def _compile(self, dialect: Dialect) -> tuple[str, tuple[int, ...] | None]:
        found = self._compiled.get(dialect.name)
        if found is None:
            everywhere = self._statements.get("")
            statement = self._statements[dialect.name] if everywhere is None else everywhere
            names = list(self.columns) if isinstance(statement, Insert) else []
            compiled: Any = statement.compile(dialect=dialect, column_keys=names or None)
            order = tuple(self.columns.index(name.removeprefix("of_")) for name in compiled.positiontup)
            found = (str(compiled), None if order == tuple(range(len(self.columns))) else order)
            self._compiled[dialect.name] = found
        return found


def table_of(model: type[SQLModel]) -> Table:
    table: Table = model.__table__  # type: ignore[attr-defined]  # SQLModel adds it to every table class
    return table


def inserting(model: type[SQLModel], *columns: str, once: bool = False) -> Bulk:
    """Inserts rows of these columns (all by default); `once` leaves alone what is there already."""
    table = table_of(model)
    names = columns or tuple(table.columns.keys())
    if not once:
        return Bulk(names, {"": insert(table)})
    return Bulk(
        names,
        {
            "sqlite": sqlite.insert(table).on_conflict_do_nothing(),
            "postgresql": postgresql.insert(table).on_conflict_do_nothing(),
        },
    )


def adding(model: type[SQLModel], *sums: str, most: int | None = None) -> Bulk:
    """Inserts rows, or adds to the columns named where the row exists: up to `most`, and there it stays."""
    table = table_of(model)
    statements: dict[str, Insert | Update | Delete] = {}
    for dialect in (sqlite, postgresql):
        statement = dialect.insert(table)
        added = {name: _sum(table.c[name], statement.excluded[name], most) for name in sums}
        name = "sqlite" if dialect is sqlite else "postgresql"
        statements[name] = statement.on_conflict_do_update(index_elements=list(table.primary_key), set_=added)
    return Bulk(tuple(table.columns.keys()), statements)


def _sum(one: ColumnElement[int], other: ColumnElement[int], most: int | None) -> ColumnElement[int]:
    if most is None:
        return one + other
    limit: ColumnElement[int] = literal_column(str(most), one.type)
    return case((one > limit - other, limit), else_=one + other)


def replacing(model: type[SQLModel], *columns: str) -> Bulk:
    """Inserts whole rows, or puts the columns named into the row that exists."""
    table = table_of(model)
    statements: dict[str, Insert | Update | Delete] = {}
    for dialect in (sqlite, postgresql):
        statement = dialect.insert(table)
        put = {name: statement.excluded[name] for name in columns}
        name = "sqlite" if dialect is sqlite else "postgresql"
        statements[name] = statement.on_conflict_do_update(index_elements=list(table.primary_key), set_=put)
    return Bulk(tuple(table.columns.keys()), statements)


def updating(model: type[SQLModel], keys: Sequence[str], *columns: str) -> Bulk:
    """Sets columns of the row with this key. Rows hold the keys' values first."""
    table = table_of(model)
    statement = update(table).values({name: bindparam(f"of_{name}") for name in columns})
    for name in keys:
        statement = statement.where(table.c[name] == bindparam(f"of_{name}"))
    return Bulk((*keys, *columns), {"": statement})


def deleting(model: type[SQLModel], *keys: str) -> Bulk:
    table = table_of(model)
    statement = delete(table)
    for name in keys:
        statement = statement.where(table.c[name] == bindparam(f"of_{name}"))
    return Bulk(keys, {"": statement})
