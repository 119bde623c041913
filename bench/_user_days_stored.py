"""Puts user-days into a database of the product, as the deed sets that its engine would have written."""

import datetime
from collections.abc import Iterator, Mapping
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from pyroaring import BitMap
from sqlalchemy import text

from bench._user_days import DEVICES, SOURCES, UserDays
from server.aggregates.calendar import ALL_TIME, month_of
from server.aggregates.deed_sets import Of, Row, write_deeds
from server.aggregates.deeds import Deed, Unit
from server.store.database import Database

PROJECT = 1
SCALE = 10_000
"""Money is kept in ten-thousandths."""
_PART = 1
_PAGE_ROWS = 1_000
_BYTES = text("SELECT sum(length(bitmap) + length(amounts)) FROM deed_set")

Amounts = NDArray[np.int64]
Done = Mapping[Of, tuple[NDArray[np.int32], Amounts]]
"""Who did it and how much, by deed; users rising."""


async def store(database: Database, days: UserDays, dates: list[datetime.date], shards: int) -> None:
    """Days, months and all time: a transaction a day."""
    users = int(days.user.max()) + 1
    month, ever = _Sums(users), _Sums(users)
    for number, date in enumerate(dates):
        span = int(f"{date:%Y%m%d}")
        done = _done(days.on(number))
        month.add(done)
        ever.add(done)
        await _write(database, shards, span, done)
        if date == dates[-1] or date.month != dates[number + 1].month:
            await _write(database, shards, month_of(span), month.done())
            month = _Sums(users)
    await _write(database, shards, ALL_TIME, ever.done())


async def stored_bytes(database: Database) -> int:
    async with database.read() as session:
        return int((await session.rows(_BYTES))[0][0])


def _done(day: UserDays) -> Done:
    def of(dimension: Deed, value: str = "") -> Of:
        return Of(Unit.USER.value, dimension.value, value)

    bought = day.where(day.orders > 0)
    found = {of(Deed.VISITED): (day.user, day.visits.astype(np.int64))}
    for dimension, names, column in (
        (Deed.DEVICE, DEVICES, day.device),
        (Deed.SOURCE, SOURCES, day.source),
    ):
        for number, name in enumerate(names):
            chosen = day.where(column == number)
            found[of(dimension, name)] = (chosen.user, chosen.visits.astype(np.int64))
    found[of(Deed.ORDERED)] = (bought.user, bought.orders.astype(np.int64))
    found[of(Deed.SPENT, "KRW")] = (bought.user, bought.spent * SCALE)
    return found


class _Sums:
    """What comes together over days: a place for every user."""

    def __init__(self, users: int) -> None:
        self._users = users
        self._amounts: dict[Of, Amounts] = {}

    def add(self, done: Done) -> None:
        for of, (users, amounts) in done.items():
            sums = self._amounts.setdefault(of, np.zeros(self._users, np.int64))
            sums[users] += amounts

    def done(self) -> Done:
        """Whoever did anything has an amount."""
        found = {of: np.flatnonzero(sums).astype(np.int32) for of, sums in self._amounts.items()}
        return {of: (users, self._amounts[of][users]) for of, users in found.items()}


async def _write(database: Database, shards: int, span: int, done: Done) -> None:
    rows = list(_rows(shards, span, done))
    async with database.write() as session:
        for start in range(0, len(rows), _PAGE_ROWS):
            await write_deeds(session, _PART, rows[start : start + _PAGE_ROWS])


def _rows(shards: int, span: int, done: Done) -> Iterator[Row]:
    """A user's shard and number follow from the number that the user has here."""
    for of, (users, amounts) in done.items():
        shard = users % shards
        order = np.argsort(shard, kind="stable")
        ends = np.searchsorted(shard[order], np.arange(shards + 1))
        for number, (first, last) in enumerate(pairwise(ends)):
            if first < last:
                mine = order[first:last]
                bitmap = BitMap((users[mine] // shards + 1).astype(np.uint32))
                yield Row(number, PROJECT, of, span, bitmap, amounts[mine])
