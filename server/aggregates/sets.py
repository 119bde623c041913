"""Reads user sets, and remembers what they came to.

A set of a long period is the union of many parts, and putting them together is most of the work of a figure.
A part is never changed: every batch appends parts with higher numbers, and merging puts some into one without
another union. So how many parts there are, and the highest of their numbers, tell whether what is remembered
is still true; both stand in the keys alone. Whatever has changed is read anew.
"""

from collections import OrderedDict, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

from pyroaring import BitMap
from sqlalchemy import ColumnElement, Engine, func, select

from server.store.among import among
from server.store.bulk import table_of
from server.store.sessions import ReadSession
from server.store.tables import UserSet

MOST_BYTES = 64 * 1024 * 1024
"""Of unions that are remembered for one database."""

_sets = table_of(UserSet)


class Asked(NamedTuple):
    """Which parts make up the sets: their union is what is wanted."""

    project_id: int
    dimensions: tuple[str, ...]
    clock: int
    spans: tuple[int, ...]
    version: int | None


class Place(NamedTuple):
    """One set of one shard."""

    shard: int
    dimension: str
    value: str


class Stamp(NamedTuple):
    parts: int
    last: int


class _Known(NamedTuple):
    stamp: Stamp
    users: BitMap
    size: int


@dataclass(slots=True)
class Memory:
    """Unions that were put together before: those used last, up to so many bytes."""

    most_bytes: int = MOST_BYTES
    _known: OrderedDict[tuple[Asked, Place], _Known] = field(default_factory=OrderedDict)
    _size: int = 0

    def get(self, asked: Asked, place: Place, stamp: Stamp) -> BitMap | None:
        """The union, if it is still true. Nobody may change it."""
        found = self._known.get((asked, place))
        if found is None or found.stamp != stamp:
            return None
        self._known.move_to_end((asked, place))
        return found.users

    def keep(self, asked: Asked, place: Place, stamp: Stamp, users: BitMap) -> None:
        self._forget((asked, place))
        size = len(users.serialize())
        self._known[asked, place] = _Known(stamp, users, size)
        self._size += size
        while self._size > self.most_bytes and self._known:
            self._forget(next(iter(self._known)))

    def _forget(self, key: tuple[Asked, Place]) -> None:
        known = self._known.pop(key, None)
        self._size -= known.size if known else 0


_memories: WeakKeyDictionary[Engine, Memory] = WeakKeyDictionary()
"""By database."""


async def read(session: ReadSession, asked: Asked, shards: int, values: Iterable[str]) -> dict[Place, BitMap]:
    """The sets of these values that have anybody in them. Nobody may change what is returned."""
    memory = _memory_of(session)
    wanted = sorted(set(values))
    found: dict[Place, BitMap] = {}
    changed: dict[Place, Stamp] = {}
    for place, stamp in (await _stamps(session, asked, shards, wanted)).items():
        users = memory.get(asked, place, stamp)
        if users is None:
            changed[place] = stamp
        else:
            found[place] = users
    for place, users in (await _unions(session, asked, shards, changed)).items():
        memory.keep(asked, place, changed[place], users)
        found[place] = users
    return found


def _memory_of(session: ReadSession) -> Memory:
    bind = session.get_bind()
    engine = bind if isinstance(bind, Engine) else bind.engine
    return _memories.setdefault(engine, Memory())


_PLACE = (_sets.c.shard, _sets.c.dimension, _sets.c.value)


async def _stamps(
    session: ReadSession, asked: Asked, shards: int, values: Sequence[str]
) -> dict[Place, Stamp]:
    counted = (func.count().label("parts"), func.max(_sets.c.part).label("last"))
    statement = select(*_PLACE, *counted).where(*_chosen(asked, shards)).group_by(*_PLACE)
    rows = await session.rows_in(statement, "values", values)
    return {Place(row.shard, row.dimension, row.value): Stamp(row.parts, row.last) for row in rows}


async def _unions(
    session: ReadSession, asked: Asked, shards: int, places: Iterable[Place]
) -> dict[Place, BitMap]:
    """The parts of these sets, put together: no statement if there are none."""
    wanted = set(places)
    statement = select(*_PLACE, _sets.c.bitmap).where(*_chosen(asked, shards))
    parts: defaultdict[Place, list[BitMap]] = defaultdict(list)
    for row in await session.rows_in(statement, "values", sorted({place.value for place in wanted})):
        place = Place(row.shard, row.dimension, row.value)
        if place in wanted:
            parts[place].append(BitMap.deserialize(row.bitmap))
    return {place: BitMap.union(*found) for place, found in parts.items()}


def _chosen(asked: Asked, shards: int) -> list[ColumnElement[bool]]:
    """In the order of the primary key."""
    found: list[Any] = [
        _sets.c.shard.in_(list(range(shards))),
        _sets.c.project_id == asked.project_id,
        _sets.c.dimension.in_(list(asked.dimensions)),
        # Every step of every journey: as parameters they would be more than a statement can have.
        among(_sets.c.value, "values"),
        _sets.c.clock == asked.clock,
        _sets.c.span.in_(list(asked.spans)),
    ]
    if asked.version is not None:
        found.append(_sets.c.version == asked.version)
    return found
