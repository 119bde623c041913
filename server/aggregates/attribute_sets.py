"""User sets of attributes as they are now: who has which value, so that a condition is asked once a value.

Unlike the other sets these shrink. A part takes users away and then adds some; parts hold in their order.
An attribute has sets of its own for its first values, as long as they are short; who has another value is in
the set of its others, of whom nothing more is known. Each shard has its own list of values, which never gets
shorter, so that it is always known in which set a user is.
"""

from collections import OrderedDict, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from secrets import token_hex
from typing import Any, NamedTuple

import orjson
from pyroaring import BitMap
from sqlalchemy import bindparam, func, select

from server.store.among import among
from server.store.bulk import deleting, inserting, table_of
from server.store.sessions import ReadSession, WriteSession
from server.store.tables import AttributeSet, Event

MOST_NAMES = 200
"""Attributes of a project that have sets, in a shard."""
MOST_VALUES = 500
"""Values of an attribute that have a set of their own, in a shard."""
LONGEST_VALUE = 100
LONGEST_NAME = 100
MOST_PROJECTS = 50
"""Whose values a shard's worker remembers."""
MOST_PARTS = 8
_SETS_AT_ONCE = 500

OURS = ""
"""The name of sets that are of no attribute."""
EVERYBODY, MEMBERS, MORE = "user", "member", "more"
"""Of those: all who are nobody else by now; who is known by a user id; who has attributes beyond."""
AHEAD = "ahead/"
"""With a day: of whom on that day something had come in before it had happened, by our clock."""
OTHERS = "(other)"
"""No JSON: who has a value that has no set."""
GONE = "(gone) "
"""No JSON either: keeps the place of a value that nobody has any more, and that is forgotten."""

NO_JSON = "("
"""Begins what is no value."""

SetKey = tuple[int, str, str]
"""Project, name, value."""
Places = frozenset[tuple[str, str]]
"""Name and value of the sets in which a user is."""
UserKey = tuple[int, int]

_sets, _events = table_of(AttributeSet), table_of(Event)
_ADD = inserting(AttributeSet)
_REMOVE = deleting(AttributeSet, "shard", "project_id", "name", "value", "part")
_NAMES = ("project_id", "name", "value")
_KEY = tuple(_sets.c[name] for name in _NAMES)
_HERE = _sets.c.shard == bindparam("shard")
_LISTED = select(_sets.c.name, _sets.c.value).where(_HERE, _sets.c.project_id == bindparam("project_id"))
_CROWDED = select(*_KEY).where(_HERE).group_by(*_KEY).having(func.count() > MOST_PARTS).limit(_SETS_AT_ONCE)
_OF_PROJECT = (
    select(_sets.c.name, _sets.c.value, _sets.c.part, _sets.c.added, _sets.c.removed)
    .where(_HERE, _sets.c.project_id == bindparam("project_id"))
    .where(among(_sets.c.name, "names"), among(_sets.c.value, "of_values"))
    .order_by(_sets.c.name, _sets.c.value, _sets.c.part)
)
_TOLD = select(_events.c.body).where(
    _events.c.shard == bindparam("shard"),
    _events.c.project_id == bindparam("project_id"),
    among(_events.c.user_number, "numbers"),
    _events.c.type == "identify",
)
_PARTS = (
    select(_sets.c.part, _sets.c.added, _sets.c.removed)
    .where(_HERE, *(column == bindparam(f"the_{column.name}") for column in _KEY))
    .order_by(_sets.c.part)
)


class Known(NamedTuple):
    """What of a user decides in which sets they are."""

    attributes: Mapping[str, Any]
    user_id: str | None = None
    is_there: bool = True
    """Nobody else by now."""


NOBODY = Known({}, None, is_there=False)


@dataclass(slots=True)
class Listed:
    """The values that have sets, by attribute, of a project in a shard. It only grows."""

    values: dict[str, set[str]] = field(default_factory=dict)

    def places(self, known: Known) -> Places:
        """The sets in which such a user is. What is new here is listed from now on, while there is room."""
        if not known.is_there:
            return frozenset()
        found = {(OURS, EVERYBODY)}
        if known.user_id is not None:
            found.add((OURS, MEMBERS))
        found.update(self._place(name, value) for name, value in known.attributes.items())
        return frozenset(found)

    def _place(self, name: str, value: Any) -> tuple[str, str]:
        values = self.values.get(name)
        if values is None:
            if name == OURS or len(name) > LONGEST_NAME or len(self.values) >= MOST_NAMES:
                return OURS, MORE
            values = self.values.setdefault(name, set())
        written = written_as(value)
        if written in values:
            return name, written
        if len(written) > LONGEST_VALUE or len(values) >= MOST_VALUES:
            return name, OTHERS
        values.add(written)
        return name, written


def written_as(value: Any) -> str:
    """The same for values that are equal: 1.0 is 1, and an object's members have an order."""
    if isinstance(value, float) and value.is_integer() and -(2**63) <= value < 2**64:
        # What is larger is read from JSON as a float, and cannot be written as anything else.
        value = int(value)
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()


@dataclass(slots=True)
class Keeper:
    """What a shard's worker remembers of the values that have sets, while it holds the lease."""

    left: set[SetKey] = field(default_factory=set)
    """The sets that somebody has left in the batch that is being written."""
    _listed: OrderedDict[int, Listed] = field(default_factory=OrderedDict)
    """By project, the one that was used last at the end."""

    async def of_project(self, session: ReadSession, shard: int, project_id: int) -> Listed:
        if project_id not in self._listed:
            listed = self._listed[project_id] = Listed()
            for name, value in await session.rows(_LISTED, {"shard": shard, "project_id": project_id}):
                if name != OURS:
                    values = listed.values.setdefault(name, set())
                    if value != OTHERS:
                        values.add(value)
        self._listed.move_to_end(project_id)
        return self._listed[project_id]

    def begin(self) -> None:
        """A batch: only between two of them may be forgotten what is stored."""
        self.left.clear()
        while len(self._listed) > MOST_PROJECTS:
            self._listed.popitem(last=False)

    def forget(self, project_id: int | None = None) -> None:
        """One project, or all: what is remembered is not what is stored."""
        if project_id is None:
            self._listed.clear()
        else:
            self._listed.pop(project_id, None)


Change = tuple[UserKey, Known, Known]
"""A user, with what was known and what is known."""


Ahead = tuple[int, int, int]
"""Project, user and day."""


async def write(
    session: WriteSession,
    shard: int,
    part: int,
    keeper: Keeper,
    changes: Iterable[Change],
    ahead: Iterable[Ahead] = (),
) -> None:
    """Appends what these changes mean as parts of this number, to be written with the users themselves."""
    added: defaultdict[SetKey, BitMap] = defaultdict(BitMap)
    removed: defaultdict[SetKey, BitMap] = defaultdict(BitMap)
    keeper.begin()
    for (project_id, number), was, now in changes:
        listed = await keeper.of_project(session, shard, project_id)
        left, come = _change(listed, was, now)
        for place in come:
            added[project_id, *place].add(number)
        for place in left:
            removed[project_id, *place].add(number)
        if not (was.is_there or now.is_there):
            # Nobody leaves a set; but who was merged before, and is erased now, has left these then.
            told = was.attributes.items()
            keeper.left.update((project_id, name, written_as(value)) for name, value in told)
    keeper.left.update(removed)
    for project_id, number, day in ahead:
        added[project_id, OURS, f"{AHEAD}{day}"].add(number)
    rows = [
        (shard, *key, part, added[key].serialize(), removed[key].serialize())
        for key in sorted({*added, *removed})
    ]
    await session.bulk(_ADD, rows)


def _change(listed: Listed, was: Known, now: Known) -> tuple[Places, Places]:
    """Where the user was and where they are now, as far as that differs."""
    before, after = listed.places(_only(was, now)), listed.places(_only(now, was))
    if (OURS, MORE) in before ^ after:
        # Whoever has one attribute beyond those that have sets may have two.
        before, after = listed.places(was), listed.places(now)
    return before - after, after - before


_LACKING = object()


def _only(known: Known, other: Known) -> Known:
    """Without the attributes that are the same in both: most are, and need no looking at."""
    if not (known.is_there and other.is_there):
        return known
    kept = {
        name: value
        for name, value in known.attributes.items()
        if isinstance(value, dict | list)
        or type(there := other.attributes.get(name, _LACKING)) is not type(value)
        or there != value
    }
    return known._replace(attributes=kept)


async def forget_values(
    session: WriteSession, shard: int, project_id: int, numbers: Collection[int], keeper: Keeper
) -> None:
    """Forgets the values that nobody has any more of those that these users, who are erased, have ever had.

    To be called when the batch's sets are written and before what the users told is forgotten.
    """
    left = {key for key in keeper.left if key[0] == project_id}
    keeper.left -= left
    told = await _told_by(session, shard, project_id, numbers)
    had = {place for place in {key[1:] for key in left} | told if _is_forgettable(place)}
    parts: defaultdict[tuple[str, str], list[Any]] = defaultdict(list)
    about = {"shard": shard, "project_id": project_id, "names": sorted({name for name, _ in had})}
    for row in await session.rows_in(_OF_PROJECT, "of_values", sorted({value for _, value in had}), about):
        parts[row.name, row.value].append(row)
    gone = {place: rows[-1].part for place, rows in parts.items() if place in had and not folded(rows)}
    taken = [(shard, project_id, *place, row.part) for place in gone for row in parts[place]]
    await session.bulk(_REMOVE, taken)
    nobody = BitMap().serialize()
    places = [(name, f"{GONE}{token_hex(8)}", part) for (name, _), part in gone.items()]
    await session.bulk(_ADD, [(shard, project_id, *place, nobody, nobody) for place in places])
    if gone:
        keeper.forget(project_id)


def _is_forgettable(place: tuple[str, str]) -> bool:
    return place[0] != OURS and not place[1].startswith(NO_JSON)


async def _told_by(
    session: ReadSession, shard: int, project_id: int, numbers: Collection[int]
) -> set[tuple[str, str]]:
    """What the users' own events say that they have, or had before."""
    about = {"shard": shard, "project_id": project_id}
    rows = await session.rows_in(_TOLD, "numbers", sorted(numbers), about)
    return {(name, written_as(value)) for row in rows for name, value in orjson.loads(row.body).items()}


async def crowded(session: ReadSession, shard: int) -> list[SetKey]:
    """The sets of a shard that have more than a few parts, a page of them."""
    return [(row[0], row[1], row[2]) for row in await session.rows(_CROWDED, {"shard": shard})]


async def merge(session: WriteSession, shard: int, keys: Iterable[SetKey]) -> None:
    """Puts each set's parts into one, which stays also if it is empty: its value stays listed."""
    for key in keys:
        about = {f"the_{name}": value for name, value in zip(_NAMES, key, strict=True)}
        parts = await session.rows(_PARTS, {"shard": shard, **about})
        whole = folded(parts)
        await session.bulk(_REMOVE, [(shard, *key, part.part) for part in parts])
        await session.bulk(_ADD, [(shard, *key, parts[-1].part, whole.serialize(), BitMap().serialize())])


def folded(parts: Iterable[Any]) -> BitMap:
    """Parts in their order."""
    users = BitMap()
    for part in parts:
        users -= BitMap.deserialize(part.removed)
        users |= BitMap.deserialize(part.added)
    return users


def spread(users: Iterable[tuple[int, Known]], listed: Listed) -> Iterator[tuple[tuple[str, str], BitMap]]:
    """The sets of these users, from nothing."""
    found: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
    for number, known in users:
        for place in listed.places(known):
            found[place].append(number)
    for place, numbers in found.items():
        yield place, BitMap(numbers)
