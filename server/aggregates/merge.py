"""Merges the parts of user sets, so that a question reads few rows however many batches wrote them."""

from pyroaring import BitMap
from sqlalchemy import bindparam, func, select

from server.store.bulk import deleting, inserting, table_of
from server.store.sessions import ReadSession, WriteSession
from server.store.tables import UserSet

from .fill import SetKey

MOST_PARTS = 8
_SETS_AT_ONCE = 500

_table = table_of(UserSet)
_NAMES = ("project_id", "dimension", "value", "clock", "span", "version")
_KEY = tuple(_table.c[name] for name in _NAMES)
_CROWDED = (
    select(*_KEY)
    .where(_table.c.shard == bindparam("shard"))
    .group_by(*_KEY)
    .having(func.count() > MOST_PARTS)
    .limit(_SETS_AT_ONCE)
)
_PARTS = (
    select(_table.c.part, _table.c.bitmap)
    .where(_table.c.shard == bindparam("shard"))
    .where(*(column == bindparam(f"the_{column.name}") for column in _KEY))
)
_DELETE = deleting(UserSet, "shard", *_NAMES, "part")
_INSERT = inserting(UserSet)


async def crowded(session: ReadSession, shard: int) -> list[SetKey]:
    """The sets of a shard that have more than a few parts, a page of them."""
    return [tuple(row) for row in await session.rows(_CROWDED, {"shard": shard})]


async def merge(session: WriteSession, shard: int, keys: list[SetKey]) -> None:
    """Puts each set's parts into one. Readers see the parts or the whole, never both."""
    for key in keys:
        named = {f"the_{column.name}": value for column, value in zip(_KEY, key, strict=True)}
        parts = await session.rows(_PARTS, {"shard": shard, **named})
        whole = BitMap.union(*(BitMap.deserialize(part.bitmap) for part in parts))
        await session.bulk(_DELETE, [(shard, *key, part.part) for part in parts])
        last = max(part.part for part in parts)
        await session.bulk(_INSERT, [(shard, *key, last, whole.serialize())])
