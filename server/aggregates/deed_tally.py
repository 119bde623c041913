"""Gathers what a batch tells of people's deeds, and writes it with the batch's facts, in one transaction."""

from collections import defaultdict

import numpy as np
from pyroaring import BitMap

from server.clock import Instant
from server.commerce.amounts import MOST
from server.store.sessions import WriteSession

from .calendar import ALL_TIME
from .deed_sets import ADD, pack
from .deed_values import Value, Values
from .deeds import Deed, spread

DeedKey = tuple[int, str, str, str, int]
"""Project, unit, dimension, value, span."""
_Set = tuple[int, str, str, str]


class DeedTally:
    """The deeds of one shard's batch."""

    def __init__(self, shard: int) -> None:
        self._shard = shard
        self._days: dict[DeedKey, dict[int, int]] = {}

    def add(
        self, project_id: int, unit: str, deed: str, value: str, number: int, day: int, amount: int = 0
    ) -> None:
        key = (project_id, unit, deed, value, day)
        found = self._days.get(key)
        if found is None:
            self._days[key] = {number: amount}
        else:
            found[number] = found.get(number, 0) + amount

    def mask(self, project_id: int, unit: str, number: int) -> None:
        """From now on this one is left out of every answer."""
        self.add(project_id, unit, Deed.MASKED.value, "", number, ALL_TIME)

    async def write(self, session: WriteSession, part: int, values: Values, now: Instant) -> list[DeedKey]:
        """Appends parts of this number. Returns to which sets."""
        if not self._days:
            return []
        await values.admit(session, (Value(key[0], key[2], key[3]) for key in self._days), now)
        rows = list(self._rows(part, values))
        await session.bulk(ADD, rows)
        return [row[1:6] for row in rows]

    def _rows(
        self, part: int, values: Values
    ) -> list[tuple[int, int, str, str, str, int, int, bytes, bytes]]:
        sets: defaultdict[_Set, list[tuple[int, dict[int, int]]]] = defaultdict(list)
        for (project_id, unit, deed, value, day), amounts in self._days.items():
            shown = values.shown(Value(project_id, deed, value))
            sets[project_id, unit, deed, shown].append((day, amounts))
        rows = []
        for of, days in sets.items():
            for span, stored in _spans(days).items():
                rows.append((self._shard, *of, span, part, *stored))
        return rows


def _spans(days: list[tuple[int, dict[int, int]]]) -> dict[int, tuple[bytes, bytes]]:
    """By span. Mostly all is of one day, and then its month and all time hold the same."""
    if len(days) == 1:
        day, amounts = days[0]
        stored = _stored(amounts)
        return dict.fromkeys(spread(day) if day != ALL_TIME else (ALL_TIME,), stored)
    sums: defaultdict[int, dict[int, int]] = defaultdict(dict)
    for day, amounts in days:
        for span in set(spread(day)):
            found = sums[span]
            for number, amount in amounts.items():
                found[number] = found.get(number, 0) + amount
    return {span: _stored(amounts) for span, amounts in sums.items()}


def _stored(amounts: dict[int, int]) -> tuple[bytes, bytes]:
    numbers = sorted(amounts)
    listed = [amounts[number] for number in numbers]
    if not any(listed):
        return BitMap(numbers).serialize(), b""
    if min(listed) >= 0 and max(listed) < 128:
        # Nearly always, and many times faster than by an array: a byte is what it would come to.
        return BitMap(numbers).serialize(), b"\x01" + bytes(listed)
    within = [min(one, MOST) for one in listed]
    return BitMap(numbers).serialize(), pack(np.array(within, dtype=np.int64))
