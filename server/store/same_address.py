"""The one way to write a channel and an address, in Python and in SQL."""

import re
from typing import Any

from sqlalchemy import ColumnElement, Text, case
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

EMAIL = "email"
_CHANNEL = re.compile("[a-z][a-z0-9_]{0,39}")


def same_channel(written: str) -> str | None:
    """The one way to write a channel: SMS, as the API tells it, is sms. None for what cannot be one."""
    name = written.strip().lower()
    return name if _CHANNEL.fullmatch(name) else None


class _Lower(FunctionElement[str]):
    """A text with A to Z made small, and nothing else changed: the same on every database."""

    type = Text()
    name = "ascii_lower"
    inherit_cache = True


@compiles(_Lower)
def _on_sqlite(element: _Lower, compiler: SQLCompiler, **options: Any) -> str:
    return f"lower({compiler.process(element.clauses, **options)})"


@compiles(_Lower, "postgresql")
def _on_postgresql(element: _Lower, compiler: SQLCompiler, **options: Any) -> str:
    return f'lower({compiler.process(element.clauses, **options)} COLLATE "C")'


def same_address(channel: str, address: str) -> str:
    """The one way to write an address here: e-mail addresses that differ in case are one."""
    if channel != EMAIL:
        return address
    return "".join(one.lower() if one.isascii() else one for one in address)


def same_address_in(channel: ColumnElement[str], address: ColumnElement[str]) -> ColumnElement[str]:
    """What `same_address` says, of columns."""
    return case((channel == EMAIL, _Lower(address)), else_=address)
