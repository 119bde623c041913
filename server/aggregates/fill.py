"""Gathers what a batch counts, and writes it with the batch's facts, in one transaction."""

from collections import defaultdict
from collections.abc import Callable

from pyroaring import BitMap

from server.clock import Instant
from server.store.bulk import adding, inserting
from server.store.sessions import WriteSession
from server.store.tables import Counter, UserSet

from .calendar import day_of, hour_of, levels
from .metrics import Dimension, Metric

CounterKey = tuple[int, int, int, str, str, str, str, str, str, int]
SetKey = tuple[int, str, str, int]

_ADD_COUNTERS = adding(Counter, "n", "amount")
_ADD_SETS = inserting(UserSet)


class Tally:
    """The counts and user sets of one shard's batch."""

    def __init__(self, shard: int, zone_of: Callable[[int], str]) -> None:
        self._shard = shard
        self._zone_of = zone_of
        self.counts: dict[CounterKey, list[int]] = {}
        self.sets: defaultdict[SetKey, set[int]] = defaultdict(set)

    def count(
        self,
        metric: Metric,
        project_id: int,
        journey_id: int,
        version: int,
        step_key: str,
        at: Instant,
        *,
        output: str = "",
        channel: str = "",
        variant: str = "",
        reason: str = "",
        n: int = 1,
        amount: int = 0,
    ) -> None:
        hour = hour_of(at, self._zone_of(project_id))
        which = (step_key, output, channel, variant, metric.value, reason)
        key = (project_id, journey_id, version, *which, hour)
        found = self.counts.get(key)
        if found is None:
            self.counts[key] = [n, amount]
        else:
            found[0] += n
            found[1] += amount

    def include(
        self, dimension: Dimension, project_id: int, value: str, user_number: int, at: Instant
    ) -> None:
        day = day_of(at, self._zone_of(project_id))
        self.sets[project_id, dimension.value, value, day].add(user_number)

    async def write(self, session: WriteSession, part: int) -> None:
        """Adds the counts, and appends the user sets as parts of this number."""
        shard = self._shard
        rows = [(shard, *key, n, amount) for key, (n, amount) in self.counts.items() if n or amount]
        await session.bulk(_ADD_COUNTERS, rows)
        await session.bulk(_ADD_SETS, [(shard, *key, part, bits) for key, bits in self._bitmaps()])

    def _bitmaps(self) -> list[tuple[SetKey, bytes]]:
        wide: defaultdict[SetKey, BitMap] = defaultdict(BitMap)
        for (project_id, dimension, value, day), users in self.sets.items():
            for level in levels(day):
                wide[project_id, dimension, value, level].update(users)
        return [(key, bitmap.serialize()) for key, bitmap in wide.items()]
