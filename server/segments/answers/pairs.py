"""Who surely meets a condition, and who perhaps does: by shard, as bitmaps. Who is in neither does not."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from pyroaring import BitMap

from server.clock import Instant
from server.store.sessions import ReadSession

Sets = Mapping[int, BitMap]
"""By shard. Nobody may change what is in it."""


class Pair(NamedTuple):
    """In one shard. All who surely do are among those who perhaps do."""

    surely: BitMap
    perhaps: BitMap

    @property
    def open(self) -> BitMap:
        """Of whom it is not decided."""
        return self.perhaps - self.surely


Pairs = Mapping[int, Pair]


@dataclass(slots=True)
class Asking:
    """What is asked, of whom, as of when."""

    session: ReadSession
    project_id: int
    shards: int
    zone: str
    lists: Mapping[str, int]
    at: Instant
    is_now: bool
    """Whether everything that we know had come in by then: sets of whole days hold, but for `ahead`."""
    everybody: dict[int, BitMap]
    known: Mapping[tuple[int, str, str], BitMap]
    """Sets of our own: by shard, name and value."""
    ahead: dict[int, BitMap]
    """Of whom something has come in that had not happened by then."""
    is_pruned: bool = False
    """Whether facts of journeys may be gone."""

    def unknown(self) -> Pairs:
        nobody = BitMap()
        return {shard: Pair(nobody, users) for shard, users in self.everybody.items()}

    def nobody(self) -> Pairs:
        return self.exactly({})

    def exactly(self, users: Sets) -> Pairs:
        """These, and nobody else."""
        return self.each(lambda shard, all: _both(users.get(shard, BitMap())))

    def between(self, surely: Sets, perhaps: Sets) -> Pairs:
        nobody = BitMap()
        return self.each(lambda n, _: Pair(surely.get(n, nobody), perhaps.get(n, nobody)))

    def each(self, pair_of: Callable[[int, BitMap], Pair]) -> Pairs:
        """Of everybody: who is nobody else by now, and not erased."""
        return {shard: _among(all, pair_of(shard, all)) for shard, all in self.everybody.items()}


def _among(all: BitMap, pair: Pair) -> Pair:
    surely = pair.surely & all
    return Pair(surely, (pair.perhaps & all) | surely)


def _both(users: BitMap) -> Pair:
    return Pair(users, users)


def both(one: Pairs, other: Pairs) -> Pairs:
    return {n: Pair(a.surely & other[n].surely, a.perhaps & other[n].perhaps) for n, a in one.items()}


def either(one: Pairs, other: Pairs) -> Pairs:
    return {n: Pair(a.surely | other[n].surely, a.perhaps | other[n].perhaps) for n, a in one.items()}


def turned(asking: Asking, one: Pairs) -> Pairs:
    """Who does not meet it."""
    return asking.each(lambda n, all: Pair(all - one[n].perhaps, all - one[n].surely))


def united(sets: Iterable[BitMap]) -> BitMap:
    listed = list(sets)
    return BitMap.union(*listed) if listed else BitMap()
