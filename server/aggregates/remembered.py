"""Deed sets that were put together before, for as long as there is room."""

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import NamedTuple

from .held import Held, Of

MOST_BYTES = 128 * 1024 * 1024
"""Of sets that are remembered for one database."""
Place = tuple[int, Of, int]
"""Shard, deed, span."""
Mark = Hashable
"""Tells one state of a set from a later one: the highest number of a part, of all shards that of each."""


class Key(NamedTuple):
    project_id: int
    place: Place
    has_amounts: bool


@dataclass(slots=True)
class Known:
    checked: Mark
    """Of its month, or of itself if it is not a day: as long as it is this, nothing has changed."""
    own: Mark
    held: Held
    size: int
    masked_by: Mark
    """Of the mask by which `shown` was made."""
    shown: Held


@dataclass(slots=True)
class Memory:
    """Those used last, up to so many bytes."""

    most_bytes: int = MOST_BYTES
    _known: OrderedDict[Key, Known] = field(default_factory=OrderedDict)
    _size: int = 0

    def get(self, key: Key) -> Known | None:
        """What is known of the set: whether it is still true is for the asker to see."""
        found = self._known.get(key)
        if found is not None:
            self._known.move_to_end(key)
        return found

    def keep(self, key: Key, known: Known) -> None:
        self._forget(key)
        self._known[key] = known
        self._size += known.size
        while self._size > self.most_bytes and self._known:
            self._forget(next(iter(self._known)))

    def _forget(self, key: Key) -> None:
        known = self._known.pop(key, None)
        self._size -= known.size if known else 0
