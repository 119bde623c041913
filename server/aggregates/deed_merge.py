"""Merges the parts of deed sets, so that a question reads few rows however many batches wrote them.

A set of everybody is half a megabyte and more, and a batch adds some hundred people to it: to write it whole
every few batches would be most of what the disk does. So only the smallest parts are put together, and a
large one again only when as much has come together beside it. A set then has a few parts, each some times
larger than the one before, and a person's bit is written again as often as there are sizes.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from pyroaring import BitMap
from sqlalchemy import bindparam, func, select

from server.store.among import among
from server.store.bulk import deleting, table_of
from server.store.sessions import ReadSession, WriteSession
from server.store.tables import DeedSet

from .deed_sets import ADD, Held, pack, put_together, unpack
from .deed_tally import DeedKey

MOST_PARTS = 8
AT_ONCE = 500
"""Sets that one transaction merges."""
MOST_REMEMBERED = 200_000
"""Sets whose parts a process counts, if all shards are its own."""
TIMES = 2
"""A part is put together with smaller ones that come to half of it, and more."""

_sets = table_of(DeedSet)
_KEY = (_sets.c.project_id, _sets.c.unit, _sets.c.dimension, _sets.c.value, _sets.c.span)
_SIZE = func.length(_sets.c.bitmap) + func.length(_sets.c.amounts)
_HERE = (
    _sets.c.shard == bindparam("shard"),
    _sets.c.project_id == bindparam("project_id"),
    _sets.c.unit == bindparam("unit"),
    _sets.c.dimension == bindparam("dimension"),
    among(_sets.c.value, "of_values"),
    among(_sets.c.span, "spans"),
)
_CROWDED = (
    select(*_KEY).where(_sets.c.shard == bindparam("shard")).group_by(*_KEY).having(func.count() > MOST_PARTS)
)
_SIZES = select(_sets.c.value, _sets.c.span, _sets.c.part, _SIZE.label("size")).where(*_HERE)
_PARTS = select(_sets.c.value, _sets.c.span, _sets.c.part, _sets.c.bitmap, _sets.c.amounts).where(
    *_HERE, among(_sets.c.part, "parts"), bindparam("largest") >= _SIZE
)
_DELETE = deleting(DeedSet, "shard", "project_id", "unit", "dimension", "value", "span", "part")


class _Part(NamedTuple):
    size: int
    number: int


@dataclass(slots=True)
class Crowded:
    """Which sets of a shard have many parts. Told by what is appended; asked for only at the beginning."""

    shards: int = 1
    """That share what may be remembered."""
    _appended: Counter[DeedKey] = field(default_factory=Counter)
    _knows: bool = False
    """Whether the parts are known that were there before."""
    _found: set[DeedKey] = field(default_factory=set)
    """Those that have many of these, and are still to be merged."""

    def note(self, keys: Iterable[DeedKey]) -> None:
        self._appended.update(keys)
        if len(self._appended) > MOST_REMEMBERED // self.shards:
            self._appended.clear()
            self._found.clear()
            self._knows = False

    async def take(self, session: ReadSession, shard: int) -> list[DeedKey]:
        """The sets to be merged now. They count as merged when it is said that they are."""
        found = {key for key, n in self._appended.items() if n >= MOST_PARTS}
        if not self._knows:
            rows = await session.rows(_CROWDED, {"shard": shard})
            self._found = {(row[0], row[1], row[2], row[3], row[4]) for row in rows}
            self._knows = True
        return sorted(found | self._found)

    def merged(self, keys: Iterable[DeedKey]) -> None:
        """These are, and it is written."""
        for key in keys:
            self._appended.pop(key, None)
            self._found.discard(key)


async def merge(session: WriteSession, shard: int, keys: Sequence[DeedKey]) -> None:
    """Puts each set's smallest parts into one. Readers see the parts or the whole, never both."""
    grouped: defaultdict[tuple[int, str, str], list[DeedKey]] = defaultdict(list)
    for key in keys:
        grouped[key[:3]].append(key)
    for of, sets in grouped.items():
        await _merge(session, shard, of, sets)


async def _merge(
    session: WriteSession, shard: int, of: tuple[int, str, str], keys: Sequence[DeedKey]
) -> None:
    about = dict(zip(("project_id", "unit", "dimension"), of, strict=True))
    listed = {"of_values": sorted({key[3] for key in keys}), "spans": sorted({key[4] for key in keys})}
    where = {"shard": shard, **about, **listed}
    sizes: defaultdict[DeedKey, list[_Part]] = defaultdict(list)
    for row in await session.rows(_SIZES, where):
        sizes[*of, row.value, row.span].append(_Part(row.size, row.part))
    chosen = {key: small for key in keys if len(small := smallest(sizes[key])) > 1}
    if not chosen:
        return
    taken = {(*key, part.number) for key, parts in chosen.items() for part in parts}
    named = {
        "parts": sorted({one[-1] for one in taken}),
        "largest": max(part.size for parts in chosen.values() for part in parts),
    }
    held: defaultdict[DeedKey, list[Held]] = defaultdict(list)
    for row in await session.rows(_PARTS, {**where, **named}):
        if (*of, row.value, row.span, row.part) in taken:
            found = Held(BitMap.deserialize(row.bitmap), unpack(row.amounts))
            held[*of, row.value, row.span].append(found)
    await session.bulk(_DELETE, [(shard, *one) for one in sorted(taken)])
    await session.bulk(ADD, [_row(shard, key, chosen[key], found) for key, found in held.items()])


def smallest(parts: Sequence[_Part]) -> list[_Part]:
    """Those that are put together: at least half of as many as there may be, and what is not much larger."""
    found: list[_Part] = []
    size = 0
    for part in sorted(parts):
        if len(found) >= MOST_PARTS // 2 and part.size > TIMES * size:
            break
        found.append(part)
        size += part.size
    return found


def _row(shard: int, key: DeedKey, parts: Sequence[_Part], held: Sequence[Held]) -> tuple[Any, ...]:
    """Under the highest number: what is remembered of the set stays true."""
    whole = put_together(held)
    number = max(part.number for part in parts)
    return (shard, *key, number, whole.users.serialize(), pack(whole.amounts))
