"""Reads deed sets, and remembers what they came to.

A part is never changed: every batch appends parts with higher numbers, and merging puts some into one without
another union or sum. What a batch adds to a day it adds to the day's month, in a part of the same number. So
the highest numbers of the months tell whether what is remembered of their days is still true: that is asked
first, and of single days only in months that have changed.
Users who turned out to be others are left out of every answer: what they did counts for the others.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

from pyroaring import BitMap
from sqlalchemy import Engine, Select, func, select, union_all

from server.store.among import among_these
from server.store.bulk import inserting, table_of
from server.store.sessions import CHUNK, ReadSession, WriteSession
from server.store.tables import DeedSet

from .calendar import ALL_TIME, LAST_MONTH, month_of
from .deeds import Deed
from .held import EMPTY, Amounts, Held, Of, at_once, numbers_of, pack, put_together, unpack, without
from .remembered import Key, Known, Mark, Memory, Place

ALL_SHARDS = -1
"""In the place of a shard: what all of them hold, in one set."""
_sets = table_of(DeedSet)
ADD = inserting(DeedSet)


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
    in_one: bool = False,
) -> dict[Place, Held]:
    """The sets by shard, deed and span, without those who turned out to be others. Absent is empty.

    Whoever asks for no amounts gets none, and spares reading them: they are the most of what is stored.
    `in_one` gives one set for ALL_SHARDS, in which each shard's numbers are moved (`held.users_at_once`): for
    whoever wants to know how many, and not who.
    """
    if not wanted or not spans:
        return {}
    asked = _Asked(project_id, shards, with_amounts, in_one)
    masks = await _masks(session, asked, sorted({of.unit for of in wanted}))
    known = await _known(session, asked, wanted, spans)
    return {
        place: _shown(one, *masks.get((place[0], place[1].unit), _NO_MASK))
        for place, one in known.items()
        if one.held.users
    }


_NO_MASK = (BitMap(), 0)


def _shown(known: Known, masked: BitMap, masked_by: Mark) -> Held:
    """Masking again only when somebody else has turned out to be another since."""
    if known.masked_by != masked_by:
        known.masked_by, known.shown = masked_by, without(known.held, masked)
    return known.shown


class _Asked(NamedTuple):
    project_id: int
    shards: int
    has_amounts: bool
    in_one: bool

    def key(self, place: Place) -> Key:
        return Key(self.project_id, place, self.has_amounts)


async def _masks(
    session: ReadSession, asked: _Asked, units: Sequence[str]
) -> dict[tuple[int, str], tuple[BitMap, Mark]]:
    """By shard and unit: who is left out, and the mark of that."""
    wanted = [Of(unit, Deed.MASKED.value, "") for unit in units]
    found = await _known(session, asked._replace(has_amounts=False), wanted, [ALL_TIME])
    return {(shard, of.unit): (one.held.users, one.own) for (shard, of, _), one in found.items()}


async def _known(
    session: ReadSession, asked: _Asked, wanted: Sequence[Of], spans: Sequence[int]
) -> dict[Place, Known]:
    """As stored. What has changed is read anew, and nothing if nothing has."""
    marks = await _marks(session, asked, wanted, sorted({_checked(span) for span in spans}))
    memory = _memory_of(session)
    found: dict[Place, Known] = {}
    doubtful: dict[Place, Known] = {}
    missing: list[Place] = []
    for place in _places(marks, spans):
        known = memory.get(asked.key(place))
        if known is None:
            missing.append(place)
        elif known.checked == marks[_check(place)]:
            found[place] = known
        else:
            doubtful[place] = known
    own = await _marks_of_days(session, asked, doubtful)
    for place, known in doubtful.items():
        if known.own == own.get(place):
            known.checked = marks[_check(place)]
            found[place] = known
        else:
            missing.append(place)
    for place, (mark, held, size) in (await _stored(session, asked, missing)).items():
        found[place] = Known(marks[_check(place)], mark, held, size, 0, held)
        memory.keep(asked.key(place), found[place])
    return found


def _memory_of(session: ReadSession) -> Memory:
    bind = session.get_bind()
    engine = bind if isinstance(bind, Engine) else bind.engine
    return _memories.setdefault(engine, Memory())


def _checked(span: int) -> int:
    """The span whose mark changes whenever this one's does."""
    return month_of(span) if span > LAST_MONTH else span


def _check(place: Place) -> Place:
    return (place[0], place[1], _checked(place[2]))


def _places(marks: Iterable[Place], spans: Iterable[int]) -> Iterable[Place]:
    """All of these spans that there may be sets of."""
    within: defaultdict[int, list[int]] = defaultdict(list)
    for span in spans:
        within[_checked(span)].append(span)
    return [(shard, of, span) for shard, of, checked in marks for span in within[checked]]


async def _marks_of_days(session: ReadSession, asked: _Asked, places: Iterable[Place]) -> dict[Place, Mark]:
    """Of days, whose months have changed. Whatever is no day has been asked already: it has changed."""
    days = [place for place in places if place[2] > LAST_MONTH]
    if not days:
        return {}
    wanted, spans = sorted({of for _, of, _ in days}), sorted({span for *_, span in days})
    return await _marks(session, asked, wanted, spans)


async def _marks(
    session: ReadSession, asked: _Asked, wanted: Sequence[Of], spans: Sequence[int]
) -> dict[Place, Mark]:
    """The highest numbers of parts, of all sets that have any: told by the key's index alone."""
    columns = (*_PLACE, func.max(_sets.c.part).label("last"))
    rows = await _rows(session, asked, wanted, spans, columns, _PLACE)
    return _by_place(asked, {_place(row): row.last for row in rows})


_PLACE = (_sets.c.shard, _sets.c.unit, _sets.c.dimension, _sets.c.value, _sets.c.span)


def _place(row: Any) -> Place:
    return row.shard, Of(row.unit, row.dimension, row.value), row.span


def _by_place(asked: _Asked, lasts: Mapping[Place, int]) -> dict[Place, Mark]:
    if not asked.in_one:
        return dict(lasts)
    together: defaultdict[Place, list[tuple[int, int]]] = defaultdict(list)
    for (shard, of, span), last in lasts.items():
        together[ALL_SHARDS, of, span].append((shard, last))
    return {place: tuple(sorted(each)) for place, each in together.items()}


_Stored = tuple[Mark, Held, int]
"""With how many bytes it takes."""


async def _stored(session: ReadSession, asked: _Asked, places: Iterable[Place]) -> dict[Place, _Stored]:
    """These sets, also those of which there turn out to be none: no statement if none are wanted."""
    listed = set(places)
    if not listed:
        return {}
    wanted, spans = sorted({of for _, of, _ in listed}), sorted({span for *_, span in listed})
    columns = (*_PLACE, _sets.c.part, _sets.c.bitmap, *([_sets.c.amounts] if asked.has_amounts else []))
    parts: defaultdict[Place, list[Held]] = defaultdict(list)
    lasts: dict[Place, int] = {}
    for row in await _rows(session, asked, wanted, spans, columns, ()):
        place = _place(row)
        if (ALL_SHARDS if asked.in_one else row.shard, *place[1:]) in listed:
            amounts = unpack(row.amounts) if asked.has_amounts else None
            parts[place].append(Held(BitMap.deserialize(row.bitmap), amounts))
            # Also below 0: what was counted anew has such numbers.
            lasts[place] = max(lasts.get(place, row.part), row.part)
    marks = _by_place(asked, lasts)
    held = _held_by_place(asked, {place: put_together(found) for place, found in parts.items()})
    return {
        place: (marks.get(place), one, _size(one))
        for place, one in ((place, held.get(place, EMPTY)) for place in listed)
    }


def _held_by_place(asked: _Asked, by_shard: Mapping[Place, Held]) -> dict[Place, Held]:
    if not asked.in_one:
        return dict(by_shard)
    together: defaultdict[Place, dict[int, Held]] = defaultdict(dict)
    for (shard, of, span), one in by_shard.items():
        together[ALL_SHARDS, of, span][shard] = one
    return {place: at_once(each, asked.shards) for place, each in together.items()}


def _size(held: Held) -> int:
    """In bytes, about: also of nothing it takes some to know it."""
    return 200 + len(held.users.serialize()) + (0 if held.amounts is None else held.amounts.nbytes)


async def _rows(
    session: ReadSession,
    asked: _Asked,
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
                selects.append(select(*columns).where(*_chosen(asked, *of, near)).group_by(*by))
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
    asked: _Asked, unit: str, dimension: str, values: Sequence[str], spans: Sequence[int]
) -> list[Any]:
    """In the order of the primary key: each set is one look-up."""
    return [
        _sets.c.shard.in_(list(range(asked.shards))),
        _sets.c.project_id == asked.project_id,
        _sets.c.unit == unit,
        _sets.c.dimension == dimension,
        among_these(_sets.c.value, values),
        _sets.c.span.between(spans[0], spans[-1]),
        _sets.c.span.in_(list(spans)),
    ]


__all__ = [
    "ADD",
    "ALL_SHARDS",
    "EMPTY",
    "Amounts",
    "Held",
    "Of",
    "Place",
    "Row",
    "numbers_of",
    "pack",
    "put_together",
    "read",
    "unpack",
    "without",
    "write_deeds",
]
