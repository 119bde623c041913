"""What a batch has noted so far, by user: looked through once, however often it is asked."""

from collections import defaultdict, namedtuple
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlmodel import SQLModel

from server.store.bulk import table_of
from server.store.tables import Conversion, Visit


def _names(model: type[SQLModel]) -> list[str]:
    return list(table_of(model).columns.keys())


# The tables say the names, which a type checker cannot know.
_tuple_of: Any = namedtuple
_Visit = _tuple_of("_Visit", _names(Visit))
_Conversion = _tuple_of("_Conversion", _names(Conversion))
UserKey = tuple[int, int]


@dataclass(slots=True)
class Noted:
    _visits: defaultdict[UserKey, list[Any]] = field(default_factory=lambda: defaultdict(list))
    _hits: defaultdict[UserKey, list[Any]] = field(default_factory=lambda: defaultdict(list))
    _messages: defaultdict[UserKey, list[Any]] = field(default_factory=lambda: defaultdict(list))
    _devices: defaultdict[UserKey, list[Any]] = field(default_factory=lambda: defaultdict(list))
    _seen: list[int] = field(default_factory=lambda: [0, 0, 0, 0])

    def visits(self, rows: Sequence[tuple[Any, ...]], key: UserKey) -> Sequence[Any]:
        self._read(self._visits, [_Visit(*row) for row in rows[self._seen[0] :]], 0)
        return self._visits.get(key, ())

    def hits(self, rows: Sequence[tuple[Any, ...]], key: UserKey) -> Sequence[Any]:
        self._read(self._hits, [_Conversion(*row) for row in rows[self._seen[1] :]], 1)
        return self._hits.get(key, ())

    def messages(self, states: Collection[Any], key: UserKey) -> Sequence[Any]:
        """Messages are only read at the beginning; what is heard of them changes the states themselves."""
        if len(states) != self._seen[2]:
            self._messages.clear()
            self._seen[2] = 0
            self._read(self._messages, list(states), 2)
        return self._messages.get(key, ())

    def devices(self, states: Mapping[tuple[int, int, str], Any], key: UserKey) -> Sequence[Any]:
        """Those in use: what a session has become is seen in the states themselves."""
        if len(states) != self._seen[3]:
            self._devices.clear()
            for (project_id, number, _), device in states.items():
                self._devices[project_id, number].append(device)
            self._seen[3] = len(states)
        return [one for one in self._devices.get(key, ()) if not one.moved]

    def _read(self, index: defaultdict[UserKey, list[Any]], more: Sequence[Any], which: int) -> None:
        for row in more:
            index[row.project_id, row.user_number].append(row)
        self._seen[which] += len(more)
