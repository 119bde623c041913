"""What one shard has of everything that a report looks at: sets span by span, ready to be put together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from pyroaring import BitMap

from server.aggregates.deed_sets import EMPTY, Held, Of, numbers_of, put_together

from .acts import JourneySets, Parts, Source, Turn

Span = int
"""20240313 for a day, 202403 for a month."""
NOBODY = BitMap()


@dataclass(slots=True)
class Shelf:
    """One shard. What is handed out may be shared: nobody may change it."""

    spans: Sequence[Span]
    """Those from the first base date on that have begun, in order."""
    before: Sequence[Span]
    """Those that make up all the time before them."""
    held: Mapping[tuple[Of, Span], Held]
    journeys: Mapping[tuple[JourneySets, Span], BitMap]
    _sets: dict[Source, list[BitMap]] = field(default_factory=dict)

    def who(self, parts: Parts, place: int) -> BitMap:
        """Who did all of it in that span."""
        found = self._of(parts.act)[place]
        for source in parts.beside:
            found = found & self._of(source)[place]
        return found

    def how_much(self, parts: Parts, place: int) -> Held:
        """The same with the amounts of the act."""
        every = [self.held.get((of, self.spans[place]), EMPTY) for of in parts.act.ofs]
        found = put_together(every)
        for source in parts.beside:
            found = _only(found, self._of(source)[place])
        return found

    def _of(self, source: Source) -> list[BitMap]:
        found = self._sets.get(source)
        if found is None:
            found = self._sets[source] = self._turned(source)
        return found

    def _turned(self, source: Source) -> list[BitMap]:
        days = [self._kept(source, span) for span in self.spans]
        if source.turn is Turn.ANY:
            return days
        earlier = BitMap.union(NOBODY, *(self._kept(source, span) for span in self.before))
        found = []
        for did in days:
            so_far = earlier | did
            found.append(_turn(source.turn, did, earlier, so_far))
            earlier = so_far
        return found

    def _kept(self, source: Source, span: Span) -> BitMap:
        if source.journey is not None:
            return self.journeys.get((source.journey, span), NOBODY)
        sets = [self.held.get((of, span), EMPTY).users for of in source.ofs]
        return sets[0] if len(sets) == 1 else BitMap.union(*sets)


def _turn(turn: Turn, did: BitMap, earlier: BitMap, so_far: BitMap) -> BitMap:
    if turn is Turn.SO_FAR:
        return so_far
    return did - earlier if turn is Turn.FIRST else did & earlier


def _only(held: Held, users: BitMap) -> Held:
    both = held.users & users
    if held.amounts is None or len(both) == len(held.users):
        return Held(both, held.amounts)
    places = np.searchsorted(numbers_of(held.users), numbers_of(both))
    return Held(both, held.amounts[places])


def less(held: Held, taken: Held) -> Held:
    """With these amounts taken away: of money, what was given back."""
    if taken.amounts is None:
        return held
    return put_together([held, Held(taken.users, -taken.amounts.astype(np.int64))])
