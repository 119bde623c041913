"""Merges the parts of user sets, so that a question reads few rows however many batches wrote them."""

from pyroaring import BitMap
from sqlalchemy import bindparam, func, select

from server.store.bulk import deleting, inserting, table_of
from server.store.sessions import ReadSession, WriteSession
from server.store.tables import SettledSet, UserSet

from .fill import SetKey

MOST_PARTS = 8
_SETS_AT_ONCE = 500

_NAMES = ("project_id", "dimension", "value", "clock", "span", "version")


class Sets:
    """A table of user sets in parts, and the statements that look after it."""

    def __init__(self, model: type[UserSet] | type[SettledSet]) -> None:
        table = table_of(model)
        self.key = key = tuple(table.c[name] for name in _NAMES)
        here = table.c.shard == bindparam("shard")
        crowded = select(*key).where(here).group_by(*key).having(func.count() > MOST_PARTS)
        self.crowded = crowded.limit(_SETS_AT_ONCE)
        named = (column == bindparam(f"the_{column.name}") for column in key)
        self.parts = select(table.c.part, table.c.bitmap).where(here, *named)
        self.delete = deleting(model, "shard", *_NAMES, "part")
        self.insert = inserting(model)


USER_SETS, SETTLED_SETS = Sets(UserSet), Sets(SettledSet)


async def crowded(session: ReadSession, shard: int, sets: Sets = USER_SETS) -> list[SetKey]:
    """The sets of a shard that have more than a few parts, a page of them."""
    return [tuple(row) for row in await session.rows(sets.crowded, {"shard": shard})]


async def merge(session: WriteSession, shard: int, keys: list[SetKey], sets: Sets = USER_SETS) -> None:
    """Puts each set's parts into one. Readers see the parts or the whole, never both."""
    for key in keys:
        named = {f"the_{column.name}": value for column, value in zip(sets.key, key, strict=True)}
        parts = await session.rows(sets.parts, {"shard": shard, **named})
        whole = BitMap.union(*(BitMap.deserialize(part.bitmap) for part in parts))
        await session.bulk(sets.delete, [(shard, *key, part.part) for part in parts])
        last = max(part.part for part in parts)
        await session.bulk(sets.insert, [(shard, *key, last, whole.serialize())])
