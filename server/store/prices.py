"""What a project pays for messages: its price list, and which entry of it holds at an instant.

Entries never overlap within one slot (channel, connection, kind), and none that anything can have been
booked by is ever changed but for when it ends: `docs/costs.md`.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from sqlalchemy import delete, insert, select, update

from server.clock import Instant
from server.errors import Conflict, NotFound

from . import paging
from .bulk import table_of
from .paging import Page, Slice
from .sessions import ReadSession, WriteSession
from .setup import touch_catalog
from .tables import PriceEntry

_table = table_of(PriceEntry)
_KEYS = (_table.c.channel, _table.c.id)
VAT_SCALE = 10_000
"""A rate of VAT is kept in hundredths of a per cent."""


class ListPrice(NamedTuple):
    """An entry of a price list."""

    id: int
    project_id: int
    channel: str
    connection_id: int | None
    kind: str
    amount: int
    """Without VAT, in ten-thousandths of the currency's unit."""
    currency: str
    vat_rate: int
    valid_from: Instant
    valid_until: Instant | None
    created_at: Instant

    @property
    def slot(self) -> "Slot":
        return Slot(self.channel, self.connection_id, self.kind)

    def holds_at(self, at: Instant) -> bool:
        return self.valid_from <= at and (self.valid_until is None or at < self.valid_until)


class Slot(NamedTuple):
    """What a price is for. At any instant there is at most one for each slot."""

    channel: str
    connection_id: int | None
    kind: str


class Wanted(NamedTuple):
    """A message of which the price is wanted."""

    channel: str
    connection_id: int | None
    kind: str
    at: Instant

    @property
    def slots(self) -> tuple[Slot, ...]:
        """Where its price may stand, the most specific first: a contract of a connection before its kind."""
        anywhere = (Slot(self.channel, None, self.kind), Slot(self.channel, None, ""))
        if self.connection_id is None:
            return anywhere
        here = (Slot(self.channel, self.connection_id, kind) for kind in (self.kind, ""))
        return (*here, *anywhere)


@dataclass(frozen=True, slots=True)
class PriceList:
    """Price lists in memory: those of one project, or of all."""

    _entries: dict[tuple[int, Slot], list[ListPrice]] = field(default_factory=dict)
    by_id: dict[int, ListPrice] = field(default_factory=dict)

    @classmethod
    def of(cls, entries: Iterable[ListPrice]) -> "PriceList":
        found: defaultdict[tuple[int, Slot], list[ListPrice]] = defaultdict(list)
        by_id = {one.id: one for one in entries}
        for one in by_id.values():
            found[one.project_id, one.slot].append(one)
        return cls(dict(found), by_id)

    def at(self, project_id: int, wanted: Wanted) -> ListPrice | None:
        """The most specific entry that holds at the instant; none if there is none."""
        for slot in wanted.slots:
            for entry in self._entries.get((project_id, slot), ()):
                if entry.holds_at(wanted.at):
                    return entry
        return None


async def of_everybody(session: ReadSession) -> PriceList:
    """The price lists of all projects: a few lines each."""
    return PriceList.of([ListPrice(*row) for row in await session.rows(select(_table))])


async def of_project(session: ReadSession, project_id: int) -> PriceList:
    rows = await session.rows(select(_table).where(_table.c.project_id == project_id))
    return PriceList.of([ListPrice(*row) for row in rows])


async def price_at(
    session: ReadSession, project_id: int, channel: str, connection_id: int | None, kind: str, at: Instant
) -> ListPrice | None:
    """What such a message costs then, by the price list; none if it says nothing of it."""
    wanted = Wanted(channel, connection_id, kind, at)
    return (await prices_for(session, project_id, (wanted,)))[wanted]


async def prices_for(
    session: ReadSession, project_id: int, wanted: Collection[Wanted]
) -> dict[Wanted, ListPrice | None]:
    """The same for many, in one statement."""
    listed = await of_project(session, project_id)
    return {one: listed.at(project_id, one) for one in wanted}


async def page(session: ReadSession, project_id: int, channel: str | None, page: Page) -> Slice:
    """The entries of a project, by channel."""
    statement = select(_table).where(_table.c.project_id == project_id)
    if channel is not None:
        statement = statement.where(_table.c.channel == channel)
    return paging.sliced(await session.rows(paging.within(statement, _KEYS, page)), page)


async def put(
    session: WriteSession, project_id: int, slot: Slot, price: tuple[int, str, int], at: Instant, now: Instant
) -> ListPrice:
    """A price (amount, currency, rate of VAT) of this slot from an instant on; the former one ends there.

    Raises Conflict if an entry holds already in the past that this would change, or begins at that instant.
    """
    await touch_catalog(session)  # Also what lets one after the other change prices.
    entries = await _of_slot(session, project_id, slot)
    former = next((one for one in entries if one.holds_at(at)), None)
    if former is not None and former.valid_from == at:
        raise Conflict("A price of this begins at that instant already: remove it first.")
    if former is not None and at < now:
        raise Conflict(
            "A price of this holds then, and messages may be booked by it: it can end from now on."
        )
    if former is not None:
        await session.run(update(_table).where(_table.c.id == former.id).values(valid_until=at))
    later = min((one.valid_from for one in entries if one.valid_from > at), default=None)
    values = {**slot._asdict(), "project_id": project_id, "valid_from": at, "valid_until": later}
    amount, currency, vat_rate = price
    values |= {"amount": amount, "currency": currency, "vat_rate": vat_rate, "created_at": now}
    rows = await session.rows(insert(_table).values(values).returning(_table))
    return ListPrice(*rows[0])


async def remove(session: WriteSession, project_id: int, entry_id: int, now: Instant) -> ListPrice:
    """Takes back a price that does not hold yet; the former one of its slot then goes on.

    Raises NotFound, and Conflict for one by which messages may be booked.
    """
    await touch_catalog(session)
    entry = await by_id(session, project_id, entry_id)
    if entry is None:
        raise NotFound("There is no such price in this project.")
    if entry.valid_from <= now:
        raise Conflict("It holds already, and messages may be booked by it: set the price that follows it.")
    await session.run(delete(_table).where(_table.c.id == entry.id))
    for former in await _of_slot(session, project_id, entry.slot):
        if former.valid_until == entry.valid_from:
            statement = update(_table).where(_table.c.id == former.id)
            await session.run(statement.values(valid_until=entry.valid_until))
    return entry


async def by_id(session: ReadSession, project_id: int, entry_id: int) -> ListPrice | None:
    statement = select(_table).where(_table.c.project_id == project_id, _table.c.id == entry_id)
    rows = await session.rows(statement)
    return ListPrice(*rows[0]) if rows else None


async def _of_slot(session: ReadSession, project_id: int, slot: Slot) -> Sequence[ListPrice]:
    statement = (
        select(_table)
        .where(_table.c.project_id == project_id, _table.c.channel == slot.channel)
        .where(_table.c.kind == slot.kind, _table.c.connection_id.is_not_distinct_from(slot.connection_id))
    )
    return [ListPrice(*row) for row in await session.rows(statement)]


def vat_of(amount: int, vat_rate: int) -> int:
    """The VAT on an amount, in the same ten-thousandths, rounded to the nearest."""
    return (amount * vat_rate + VAT_SCALE // 2) // VAT_SCALE
