"""Reads user sets, and remembers what they came to.

A set of a long period is the union of many parts, and putting them together is most of the work of a figure.
A part is never changed: every batch appends parts with higher numbers, and merging puts some into one without
another union. What a batch adds to a day it adds to the month, in a part of the same number. So the highest
number in the months of a period tells whether what is remembered is still true, and whatever has changed is
read anew.
"""

from collections import OrderedDict, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

from pyroaring import BitMap
from sqlalchemy import Engine, func, select, union_all

from server.store.among import among
from server.store.bulk import table_of
from server.store.sessions import CHUNK, ReadSession
from server.store.tables import UserSet

from .calendar import LAST_MONTH, month_of

MOST_BYTES = 64 * 1024 * 1024
"""Of unions that are remembered for one database."""

_sets = table_of(UserSet)


class Asked(NamedTuple):
    """Which parts make up the sets: their union is what is wanted."""

    project_id: int
    clock: int
    spans: tuple[int, ...]
    version: int | None


class Place(NamedTuple):
    """One set of one shard."""

    shard: int
    dimension: str
    value: str


Wanted = Mapping[tuple[str, ...], Sequence[str]]
"""By dimensions: the values of which there may be sets."""


class _Known(NamedTuple):
    last: int
    """The highest number of a part."""
    users: BitMap
    size: int


@dataclass(slots=True)
class Memory:
    """Unions that were put together before: those used last, up to so many bytes."""

    most_bytes: int = MOST_BYTES
    _known: OrderedDict[tuple[Asked, Place], _Known] = field(default_factory=OrderedDict)
    _size: int = 0

    def get(self, asked: Asked, place: Place, last: int) -> BitMap | None:
        """The union, if it is still true. Nobody may change it."""
        found = self._known.get((asked, place))
        if found is None or found.last != last:
            return None
        self._known.move_to_end((asked, place))
        return found.users

    def keep(self, asked: Asked, place: Place, last: int, users: BitMap) -> None:
        self._forget((asked, place))
        size = len(users.serialize())
        self._known[asked, place] = _Known(last, users, size)
        self._size += size
        while self._size > self.most_bytes and self._known:
            self._forget(next(iter(self._known)))

    def _forget(self, key: tuple[Asked, Place]) -> None:
        known = self._known.pop(key, None)
        self._size -= known.size if known else 0


_memories: WeakKeyDictionary[Engine, Memory] = WeakKeyDictionary()
"""By database."""


async def read(session: ReadSession, asked: Asked, shards: int, wanted: Wanted) -> dict[Place, BitMap]:
    """The sets of these values. Nobody may change what is returned."""
    if not asked.spans:
        return {}  # A period before everything, or beyond: it is stored as no span at all.
    memory = _memory_of(session)
    found: dict[Place, BitMap] = {}
    changed: dict[Place, int] = {}
    for place, last in (await _lasts(session, asked, shards, wanted)).items():
        users = memory.get(asked, place, last)
        if users is None:
            changed[place] = last
        else:
            found[place] = users
    read_anew = await _unions(session, asked, shards, _only(wanted, changed))
    for place, last in changed.items():
        found[place] = read_anew.get(place, BitMap())
        memory.keep(asked, place, last, found[place])
    return found


def _memory_of(session: ReadSession) -> Memory:
    bind = session.get_bind()
    engine = bind if isinstance(bind, Engine) else bind.engine
    return _memories.setdefault(engine, Memory())


def _only(wanted: Wanted, places: Iterable[Place]) -> Wanted:
    values = {(place.dimension, place.value) for place in places}
    kept = {
        dimensions: [value for value in listed if any((one, value) in values for one in dimensions)]
        for dimensions, listed in wanted.items()
    }
    return {dimensions: listed for dimensions, listed in kept.items() if listed}


_PLACE = (_sets.c.shard, _sets.c.dimension, _sets.c.value)


async def _lasts(session: ReadSession, asked: Asked, shards: int, wanted: Wanted) -> dict[Place, int]:
    """The highest number of a part in the months of the period, of all sets that have any."""
    spans = sorted({month_of(span) if span > LAST_MONTH else span for span in asked.spans})
    columns = (*_PLACE, func.max(_sets.c.part).label("last"))
    rows = await _rows(session, asked._replace(spans=tuple(spans)), shards, wanted, columns, _PLACE)
    return {Place(row.shard, row.dimension, row.value): row.last for row in rows}


async def _unions(session: ReadSession, asked: Asked, shards: int, wanted: Wanted) -> dict[Place, BitMap]:
    """The parts of these sets, put together: no statement if there are none."""
    parts: defaultdict[Place, list[BitMap]] = defaultdict(list)
    for row in await _rows(session, asked, shards, wanted, (*_PLACE, _sets.c.bitmap), ()):
        parts[Place(row.shard, row.dimension, row.value)].append(BitMap.deserialize(row.bitmap))
    return {place: BitMap.union(*found) for place, found in parts.items()}


async def _rows(
    session: ReadSession,
    asked: Asked,
    shards: int,
    wanted: Wanted,
    columns: Sequence[Any],
    by: Sequence[Any],
) -> list[Any]:
    """In one statement, unless there are more values than a statement can have."""
    found: list[Any] = []
    most = max(map(len, wanted.values()), default=0)
    for start in range(0, most, CHUNK):
        page = {key: listed[start : start + CHUNK] for key, listed in wanted.items() if listed[start:]}
        named = {f"values_{number}": listed for number, listed in enumerate(page.values())}
        chosen = [
            select(*columns).where(*_chosen(asked, shards, dimensions, name)).group_by(*by)
            for dimensions, name in zip(page, named, strict=True)
        ]
        found += await session.rows(union_all(*chosen), named)
    return found


def _chosen(asked: Asked, shards: int, dimensions: Sequence[str], values: str) -> list[Any]:
    """In the order of the primary key, and only values of the dimension's own: each is one look-up."""
    found: list[Any] = [
        _sets.c.shard.in_(list(range(shards))),
        _sets.c.project_id == asked.project_id,
        _sets.c.dimension.in_(list(dimensions)),
        # Every step of every journey: as parameters they would be more than a statement can have.
        among(_sets.c.value, values),
        _sets.c.clock == asked.clock,
        # SQLite looks up from where to where, and not one by one.
        _sets.c.span.between(min(asked.spans), max(asked.spans)),
        _sets.c.span.in_(list(asked.spans)),
    ]
    if asked.version is not None:
        found.append(_sets.c.version == asked.version)
    return found
