"""Bulk statements that fold rows into those that are there: minima, maxima, sums, and what was told last.

The same whatever the order and the batches in which rows come.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import and_, case, or_
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import SQLModel

from .bulk import Bulk, table_of


def folding(
    model: type[SQLModel],
    *,
    least: Sequence[str] = (),
    most: Sequence[str] = (),
    sums: Sequence[str] = (),
    latest: Mapping[str, str] | None = None,
) -> Bulk:
    """Inserts whole rows, or folds them into those that exist. `latest` names with a value when it was told.

    Minima and maxima take no notice of what is null.
    """
    table = table_of(model)
    statements: dict[str, Any] = {}
    for name, dialect in (("sqlite", sqlite), ("postgresql", postgresql)):
        statement = dialect.insert(table)
        old, new = table.c, statement.excluded
        put: dict[str, Any] = {column: old[column] + new[column] for column in sums}
        put |= {column: _chosen(old[column], new[column], new[column] < old[column]) for column in least}
        put |= {column: _chosen(old[column], new[column], new[column] > old[column]) for column in most}
        for value, at in (latest or {}).items():
            newer = or_(new[at] > old[at], and_(new[at] == old[at], new[value] > old[value]))
            newer = and_(new[at].is_not(None), or_(old[at].is_(None), newer))
            put |= {column: case((newer, new[column]), else_=old[column]) for column in (value, at)}
        statements[name] = statement.on_conflict_do_update(index_elements=list(table.primary_key), set_=put)
    return Bulk(tuple(table.columns.keys()), statements)


def _chosen(old: Any, new: Any, is_better: Any) -> Any:
    return case((and_(new.is_not(None), or_(old.is_(None), is_better)), new), else_=old)
