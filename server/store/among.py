"""`column among a list`, as one statement whose text never changes.

An IN list of a thousand parameters is another statement each time and must be parsed anew; here the list is
one parameter: a JSON array on SQLite, an array on PostgreSQL.
"""

from collections.abc import Sequence
from typing import Any

import orjson
from sqlalchemy import Boolean, Column, Dialect, Text, bindparam
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeDecorator, TypeEngine


class Listed(TypeDecorator[Sequence[Any]]):
    """A list of values of one type, as a parameter."""

    impl = Text
    cache_ok = True

    def __init__(self, kind: type[TypeEngine[Any]]) -> None:
        super().__init__()
        self.kind = kind

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(ARRAY(self.kind()) if dialect.name == "postgresql" else Text())

    def process_bind_param(self, value: Sequence[Any] | None, dialect: Dialect) -> Any:
        listed = list(value or ())
        return listed if dialect.name == "postgresql" else orjson.dumps(listed).decode()


class _Among(FunctionElement[bool]):
    type = Boolean()
    name = "among"
    inherit_cache = True

    def self_group(self, against: object = None) -> "_Among":
        """As it is: it would be written `x IN (…) = 1`, which no index of SQLite's can answer."""
        return self


def among(column: Column[Any], name: str) -> _Among:
    """Whether the column's value is in the list that is handed over under this name. Numbers or texts."""
    return _Among(column, bindparam(name, type_=Listed(type(column.type))))


def among_these(column: Column[Any], values: Sequence[Any]) -> _Among:
    """The same with the list itself, where a statement has several."""
    listed = bindparam("listed", list(values), type_=Listed(type(column.type)), unique=True)
    return _Among(column, listed)


@compiles(_Among)
def _on_sqlite(element: _Among, compiler: SQLCompiler, **options: Any) -> str:
    column, wanted = element.clauses
    listed = compiler.process(wanted, **options)
    # Both are what the compiler made of a column and a bound parameter: no value is written into the SQL.
    return f"{compiler.process(column, **options)} IN (SELECT value FROM json_each({listed}))"  # noqa: S608 - see above


@compiles(_Among, "postgresql")
def _on_postgresql(element: _Among, compiler: SQLCompiler, **options: Any) -> str:
    column, wanted = element.clauses
    return f"{compiler.process(column, **options)} = ANY({compiler.process(wanted, **options)})"
