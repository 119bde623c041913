"""Reads deed sets, and remembers what they came to.

A part is never changed: every batch appends parts with higher numbers, and merging puts some into one without
another union or sum. So the highest number of a set's parts tells whether what is remembered of it is still
true. Users who turned out to be others are left out of every answer: what they did counts for the others.
"""

from collections import OrderedDict, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray
from pyroaring import BitMap
from sqlalchemy import Engine, Select, func, select, union_all

from server.store.among import among_these
from server.store.bulk import inserting, table_of
from server.store.sessions import CHUNK, ReadSession, WriteSession
from server.store.tables import DeedSet

from .calendar import ALL_TIME, LAST_MONTH
from .deeds import Deed

MOST_BYTES = 128 * 1024 * 1024
"""Of sets that are remembered for one database."""

Amounts = NDArray[np.int64]
_sets = table_of(DeedSet)
ADD = inserting(DeedSet)
_WIDTHS = ("<i1", "<i2", "<i4", "<i8")


class Of(NamedTuple):
    """Which deed, of users or of devices."""

    unit: str
    dimension: str
    value: str


class Held(NamedTuple):
    """Who did it, and how much. Nobody may change either."""

    users: BitMap
    amounts: Amounts | None
    """One for each user, in rising order of their numbers; none if all are 0."""


Place = tuple[int, Of, int]
"""Shard, deed, span."""
EMPTY = Held(BitMap(), None)


class Row(NamedTuple):
    """A part as it is written."""

    shard: int
    project_id: int
    of: Of
    span: int
    users: BitMap
    amounts: Amounts | None = None


async def write_deeds(session: WriteSession, part: int, rows: Iterable[Row]) -> None:
    """Appends parts of this number as they are: the caller says the spans (`deeds.spread`)."""
    await session.bulk(
        ADD,
        [
            (row.shard, row.project_id, *row.of, row.span, part, row.users.serialize(), pack(row.amounts))
            for row in rows
        ],
    )


def pack(amounts: Amounts | None) -> bytes:
    """As it is stored: the width of a number in bytes, then the numbers, the lowest byte of each first."""
    if amounts is None or not amounts.any():
        return b""
    low, high = int(amounts.min()), int(amounts.max())
    width = next(one for one in _WIDTHS if np.iinfo(one).min <= low and high <= np.iinfo(one).max)
    return bytes((np.dtype(width).itemsize,)) + amounts.astype(width).tobytes()


def unpack(stored: bytes) -> Amounts | None:
    if not stored:
        return None
    return np.frombuffer(stored, dtype=f"<i{stored[0]}", offset=1).astype(np.int64)


def numbers_of(users: BitMap) -> NDArray[np.uint32]:
    """The numbers of a bitmap, rising."""
    return np.asarray(users.to_array(), dtype=np.uint32)


def put_together(parts: Sequence[Held]) -> Held:
    """The union of the users, the sum of the amounts."""
    if len(parts) == 1:
        return parts[0]
    users = BitMap.union(*(part.users for part in parts))
    if all(part.amounts is None for part in parts):
        return Held(users, None)
    everybody = numbers_of(users)
    sums: Amounts = np.zeros(len(everybody), dtype=np.int64)
    for part in parts:
        if part.amounts is not None:
            sums[np.searchsorted(everybody, numbers_of(part.users))] += part.amounts
    return Held(users, sums)


def without(held: Held, masked: BitMap) -> Held:
    """As if these had never been."""
    if not held.users.intersect(masked):
        return held
    if held.amounts is None:
        return Held(held.users - masked, None)
    stays = ~np.isin(numbers_of(held.users), numbers_of(held.users & masked), assume_unique=True)
    return Held(held.users - masked, held.amounts[stays])


class _Key(NamedTuple):
    project_id: int
    place: Place
    has_amounts: bool


@dataclass(slots=True)
class _Known:
    last: int
    """The highest number of a part."""
    held: Held
    masked_by: int
    """The highest number of a part of the mask by which `shown` was made."""
    shown: Held
    size: int


@dataclass(slots=True)
class Memory:
    """Sets that were put together before: those used last, up to so many bytes."""

    most_bytes: int = MOST_BYTES
    _known: OrderedDict[_Key, _Known] = field(default_factory=OrderedDict)
    _size: int = 0

    def get(self, key: _Key, last: int) -> _Known | None:
        """What is known of the set, if it is still true."""
        found = self._known.get(key)
        if found is None or found.last != last:
            return None
        self._known.move_to_end(key)
        return found

    def keep(self, key: _Key, known: _Known) -> None:
        self._forget(key)
        self._known[key] = known
        self._size += known.size
        while self._size > self.most_bytes and self._known:
            self._forget(next(iter(self._known)))

    def _forget(self, key: _Key) -> None:
        known = self._known.pop(key, None)
        self._size -= known.size if known else 0


_memories: WeakKeyDictionary[Engine, Memory] = WeakKeyDictionary()
"""By database."""


async def read(
    session: ReadSession,
    project_id: int,
    shards: int,
    wanted: Sequence[Of],
    spans: Sequence[int],
    *,
    with_amounts: bool = True,
) -> dict[Place, Held]:
    """The sets by shard, deed and span, without those who turned out to be others. Absent is empty.

    Whoever asks for no amounts gets none, and spares reading them: they are the most of what is stored.
    """
    if not wanted or not spans:
        return {}
    asked = _Asked(project_id, shards, with_amounts)
    masks = await _masks(session, asked, sorted({of.unit for of in wanted}))
    known = await _known(session, asked, wanted, spans)
    return {
        place: _shown(one, *masks.get((place[0], place[1].unit), _NO_MASK)) for place, one in known.items()
    }


_NO_MASK = (BitMap(), 0)


def _shown(known: _Known, masked: BitMap, masked_by: int) -> Held:
    """Masking again only when somebody else has turned out to be another since."""
    if known.masked_by != masked_by:
        known.masked_by, known.shown = masked_by, without(known.held, masked)
    return known.shown


class _Asked(NamedTuple):
    project_id: int
    shards: int
    has_amounts: bool


async def _masks(
    session: ReadSession, asked: _Asked, units: Sequence[str]
) -> dict[tuple[int, str], tuple[BitMap, int]]:
    """By shard and unit: who is left out, and the highest number of a part."""
    wanted = [Of(unit, Deed.MASKED.value, "") for unit in units]
    found = await _known(session, asked._replace(has_amounts=False), wanted, [ALL_TIME])
    return {(shard, of.unit): (one.held.users, one.last) for (shard, of, _), one in found.items()}


async def _known(
    session: ReadSession, asked: _Asked, wanted: Sequence[Of], spans: Sequence[int]
) -> dict[Place, _Known]:
    """As stored. What has changed is read anew, and nothing if nothing has."""
    memory = _memory_of(session)
    found: dict[Place, _Known] = {}
    changed: dict[Place, int] = {}
    for place, last in (await _lasts(session, asked, wanted, spans)).items():
        known = memory.get(_Key(asked.project_id, place, asked.has_amounts), last)
        if known is None:
            changed[place] = last
        else:
            found[place] = known
    stored = await _stored(session, asked, changed)
    for place, last in changed.items():
        held, size = stored.get(place, (EMPTY, 0))
        found[place] = _Known(last, held, 0, held, size)
        memory.keep(_Key(asked.project_id, place, asked.has_amounts), found[place])
    return found


def _memory_of(session: ReadSession) -> Memory:
    bind = session.get_bind()
    engine = bind if isinstance(bind, Engine) else bind.engine
    return _memories.setdefault(engine, Memory())


_PLACE = (_sets.c.shard, _sets.c.unit, _sets.c.dimension, _sets.c.value, _sets.c.span)


def _place(row: Any) -> Place:
    return row.shard, Of(row.unit, row.dimension, row.value), row.span


async def _lasts(
    session: ReadSession, asked: _Asked, wanted: Sequence[Of], spans: Sequence[int]
) -> dict[Place, int]:
    """The highest number of a part, of all sets that have any: told by the key's index alone."""
    columns = (*_PLACE, func.max(_sets.c.part).label("last"))
    shards = range(asked.shards)
    rows = await _rows(session, asked.project_id, shards, wanted, spans, columns, _PLACE)
    return {_place(row): row.last for row in rows}


async def _stored(
    session: ReadSession, asked: _Asked, places: Iterable[Place]
) -> dict[Place, tuple[Held, int]]:
    """These sets, with how many bytes they take: no statement if there are none."""
    listed = set(places)
    if not listed:
        return {}
    columns = (*_PLACE, _sets.c.bitmap, *([_sets.c.amounts] if asked.has_amounts else []))
    shards, wanted = sorted({one[0] for one in listed}), sorted({one[1] for one in listed})
    spans = sorted({one[2] for one in listed})
    parts: defaultdict[Place, list[Held]] = defaultdict(list)
    sizes: defaultdict[Place, int] = defaultdict(int)
    for row in await _rows(session, asked.project_id, shards, wanted, spans, columns, ()):
        if (place := _place(row)) in listed:
            amounts = unpack(row.amounts) if asked.has_amounts else None
            parts[place].append(Held(BitMap.deserialize(row.bitmap), amounts))
            sizes[place] += len(row.bitmap) + (amounts.nbytes if amounts is not None else 0)
    return {place: (put_together(found), sizes[place]) for place, found in parts.items()}


async def _rows(
    session: ReadSession,
    project_id: int,
    shards: Sequence[int],
    wanted: Sequence[Of],
    spans: Sequence[int],
    columns: Sequence[Any],
    by: Sequence[Any],
) -> list[Any]:
    """In one statement, unless there are more values than a statement can have."""
    values: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for unit, dimension, value in sorted(set(wanted)):
        values[unit, dimension].append(value)
    selects: list[Select[Any]] = []
    for (unit, dimension), listed in values.items():
        for start in range(0, len(listed), CHUNK):
            of = (unit, dimension, listed[start : start + CHUNK])
            for near in _near(spans):
                where = _chosen(project_id, shards, *of, near)
                selects.append(select(*columns).where(*where).group_by(*by))
    found: list[Any] = []
    for start in range(0, len(selects), _MOST_SELECTS):
        found += await session.rows(union_all(*selects[start : start + _MOST_SELECTS]))
    return found


_MOST_SELECTS = 100
"""In one statement: SQLite takes 500."""


def _near(spans: Sequence[int]) -> list[list[int]]:
    """Days apart from months, and all time from both: each is looked up from the lowest to the highest."""
    wide = [span for span in spans if span == ALL_TIME]
    months = [span for span in spans if ALL_TIME < span <= LAST_MONTH]
    days = [span for span in spans if span > LAST_MONTH]
    return [sorted(set(one)) for one in (wide, months, days) if one]


def _chosen(
    project_id: int,
    shards: Sequence[int],
    unit: str,
    dimension: str,
    values: Sequence[str],
    spans: Sequence[int],
) -> list[Any]:
    """In the order of the primary key: each set is one look-up."""
    return [
        _sets.c.shard.in_(list(shards)),
        _sets.c.project_id == project_id,
        _sets.c.unit == unit,
        _sets.c.dimension == dimension,
        among_these(_sets.c.value, values),
        _sets.c.span.between(spans[0], spans[-1]),
        _sets.c.span.in_(list(spans)),
    ]
