"""How columns are declared."""

from typing import Any

from sqlalchemy import BigInteger, Index, LargeBinary, Text
from sqlmodel import Field

SHARDED = {"sqlite_with_rowid": False}
"""On SQLite a sharded table is its primary key's tree; there is no second one beside it."""


def key(**options: Any) -> Any:
    """A part of the primary key that holds a whole number."""
    return Field(primary_key=True, sa_type=BigInteger, sa_column_kwargs={"autoincrement": False}, **options)


def text_key(**options: Any) -> Any:
    return Field(primary_key=True, sa_type=Text, **options)


def integer(**options: Any) -> Any:
    """A 64-bit whole number: an instant, an amount, a count, an id."""
    return Field(sa_type=BigInteger, **options)


def text(**options: Any) -> Any:
    return Field(sa_type=Text, **options)


def data(**options: Any) -> Any:
    return Field(sa_type=LargeBinary, **options)


def partial_index(name: str, *columns: str, where: Any) -> Index:
    return Index(name, *columns, sqlite_where=where, postgresql_where=where)
