"""Gathers what a batch counts, and writes it with the batch's facts, in one transaction."""

from collections import defaultdict
from collections.abc import Callable
from functools import lru_cache

from pyroaring import BitMap

from server.clock import Instant
from server.store.bulk import adding, inserting
from server.store.sessions import WriteSession
from server.store.tables import Counter, UserSet

from .calendar import QUARTER, day_of, hour_of, spans, spans_of_hours
from .metrics import Dimension, Metric

_Place = tuple[int, str, str, str, str, str, str]
"""Version, step, output, channel, variant, metric, reason."""
_CountKey = tuple[int, int, _Place, int, int]
"""Project, journey, place, quarter of an hour, that of the entry: which hour it is part of is told once."""
_SetKey = tuple[int, str, str, int, int, int]
"""Project, dimension, value, version, quarter of an hour, that of the entry."""
CounterKey = tuple[int, int, int, int, int, str, str, str, str, str, str]
"""Project, journey, clock, span, version, step, output, channel, variant, metric, reason."""
SetKey = tuple[int, str, str, int, int, int]
"""Project, dimension, value, clock, span, version."""

_ADD_COUNTERS = adding(Counter, "n", "amount")
_ADD_SETS = inserting(UserSet)


@lru_cache(maxsize=16_384)
def _spans_of_hours(quarter: int, entered: int, zone: str) -> tuple[tuple[int, int], ...]:
    hours = hour_of(quarter * QUARTER, zone), hour_of(entered * QUARTER, zone)
    return spans_of_hours(*hours, zone)


@lru_cache(maxsize=16_384)
def _spans(quarter: int, entered: int, zone: str) -> tuple[tuple[int, int], ...]:
    return spans(day_of(quarter * QUARTER, zone), day_of(entered * QUARTER, zone))


class Tally:
    """The counts and user sets of one shard's batch."""

    def __init__(self, shard: int, zone_of: Callable[[int], str]) -> None:
        self._shard = shard
        self._zone_of = zone_of
        self._counts: dict[_CountKey, list[int]] = {}
        self._sets: defaultdict[_SetKey, set[int]] = defaultdict(set)

    def count(
        self,
        metric: Metric,
        project_id: int,
        journey_id: int,
        version: int,
        step_key: str,
        at: Instant,
        entered: Instant,
        *,
        output: str = "",
        channel: str = "",
        variant: str = "",
        reason: str = "",
        n: int = 1,
        amount: int = 0,
    ) -> None:
        """`entered` is when the run entered of which it is told."""
        place = (version, step_key, output, channel, variant, metric.value, reason)
        key = (project_id, journey_id, place, at // QUARTER, entered // QUARTER)
        found = self._counts.get(key)
        if found is None:
            self._counts[key] = [n, amount]
        else:
            found[0] += n
            found[1] += amount

    def include(
        self,
        dimension: Dimension,
        project_id: int,
        version: int,
        value: str,
        user_number: int,
        at: Instant,
        entered: Instant,
    ) -> None:
        key = (project_id, dimension.value, value, version, at // QUARTER, entered // QUARTER)
        self._sets[key].add(user_number)

    @property
    def journeys(self) -> set[tuple[int, int]]:
        """Project and journey of everything that was counted."""
        return {(key[0], key[1]) for key in self._counts}

    async def write(self, session: WriteSession, part: int) -> None:
        """Adds the counts, and appends the user sets as parts of this number."""
        shard = self._shard
        rows = [(shard, *key, n, amount) for key, (n, amount) in self.counters().items() if n or amount]
        await session.bulk(_ADD_COUNTERS, rows)
        await session.bulk(_ADD_SETS, [(shard, *key, part, bits) for key, bits in self._bitmaps()])

    def counters(self) -> dict[CounterKey, list[int]]:
        """The counts of every span of both clocks."""
        found: dict[CounterKey, list[int]] = {}
        for (project_id, journey_id, place, at, entered), (n, amount) in self._counts.items():
            for clock, span in _spans_of_hours(at, entered, self._zone_of(project_id)):
                key: CounterKey = (project_id, journey_id, clock, span, *place)
                sums = found.setdefault(key, [0, 0])
                sums[0] += n
                sums[1] += amount
        return found

    def _bitmaps(self) -> list[tuple[SetKey, bytes]]:
        wide: defaultdict[SetKey, BitMap] = defaultdict(BitMap)
        for (project_id, dimension, value, version, at, entered), users in self._sets.items():
            for clock, span in _spans(at, entered, self._zone_of(project_id)):
                wide[project_id, dimension, value, clock, span, version].update(users)
        return [(key, bitmap.serialize()) for key, bitmap in wide.items()]
