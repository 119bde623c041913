"""Reads sets of attributes, and remembers what they came to."""

from collections import OrderedDict, defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

from pyroaring import BitMap
from sqlalchemy import Engine, bindparam, func, select

from server.store.among import among
from server.store.bulk import table_of
from server.store.sessions import ReadSession
from server.store.tables import AttributeSet

from .attribute_sets import folded

MOST_BYTES = 64 * 1024 * 1024

_sets = table_of(AttributeSet)
_PLACE = (_sets.c.shard, _sets.c.name, _sets.c.value)
_WANTED = (
    among(_sets.c.shard, "shards"),
    _sets.c.project_id == bindparam("project_id"),
    among(_sets.c.name, "names"),
)
_LASTS = select(*_PLACE, func.max(_sets.c.part).label("last")).where(*_WANTED).group_by(*_PLACE)
_STORED = (
    select(*_PLACE, _sets.c.added, _sets.c.removed)
    .where(*_WANTED, among(_sets.c.value, "of_values"))
    .order_by(*_PLACE, _sets.c.part)
)


class Place(NamedTuple):
    shard: int
    name: str
    value: str


class _Remembered(NamedTuple):
    last: int
    users: BitMap
    size: int


@dataclass(slots=True)
class Memory:
    """Sets that were put together before: those used last, up to so many bytes."""

    _known: OrderedDict[tuple[int, Place], _Remembered] = field(default_factory=OrderedDict)
    _size: int = 0

    def get(self, key: tuple[int, Place], last: int) -> BitMap | None:
        found = self._known.get(key)
        if found is None or found.last != last:
            return None
        self._known.move_to_end(key)
        return found.users

    def keep(self, key: tuple[int, Place], last: int, users: BitMap) -> None:
        self._forget(key)
        self._known[key] = _Remembered(last, users, len(users.serialize()) + 200)
        self._size += self._known[key].size
        while self._size > MOST_BYTES and self._known:
            self._forget(next(iter(self._known)))

    def _forget(self, key: tuple[int, Place]) -> None:
        known = self._known.pop(key, None)
        self._size -= known.size if known else 0


_memories: WeakKeyDictionary[Engine, Memory] = WeakKeyDictionary()
"""By database."""


async def read(
    session: ReadSession, project_id: int, shards: int, names: Collection[str]
) -> dict[Place, BitMap]:
    """All sets of these attributes. Nobody may change what is returned. A part is never changed."""
    memory = _memory_of(session)
    about = {"shards": list(range(shards)), "project_id": project_id, "names": sorted(names)}
    found: dict[Place, BitMap] = {}
    changed: dict[Place, int] = {}
    for shard, name, value, last in await session.rows(_LASTS, about):
        place = Place(shard, name, value)
        users = memory.get((project_id, place), last)
        if users is None:
            changed[place] = last
        else:
            found[place] = users
    anew = await _stored(session, project_id, changed)
    for place, last in changed.items():
        found[place] = anew.get(place, BitMap())
        memory.keep((project_id, place), last, found[place])
    return found


def _memory_of(session: ReadSession) -> Memory:
    bind = session.get_bind()
    engine = bind if isinstance(bind, Engine) else bind.engine
    return _memories.setdefault(engine, Memory())


async def _stored(session: ReadSession, project_id: int, places: Iterable[Place]) -> dict[Place, BitMap]:
    listed = set(places)
    if not listed:
        return {}
    about = {
        "shards": sorted({one.shard for one in listed}),
        "names": sorted({one.name for one in listed}),
        "project_id": project_id,
    }
    parts: defaultdict[Place, list[Any]] = defaultdict(list)
    values = sorted({one.value for one in listed})
    for row in await session.rows_in(_STORED, "of_values", values, about):
        if (place := Place(row.shard, row.name, row.value)) in listed:
            parts[place].append(row)
    return {place: folded(found) for place, found in parts.items()}
