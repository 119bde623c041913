"""The people behind a cell: bitmaps first, and then page by page who they are."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Any, NamedTuple

from pyroaring import BitMap
from sqlalchemy import select

from server.errors import BadInput
from server.store.among import among
from server.store.bulk import table_of
from server.store.paging import Page, Slice, sliced
from server.store.sessions import ReadSession
from server.store.tables import User

from . import acts, devices
from .acts import Parts
from .asking import Asker, Gathered
from .counting import Work, cohorts, returns
from .shelf import NOBODY, Shelf
from .words import Metric, Mode, Unit

_users = table_of(User)
_SOME = select(_users).where(
    _users.c.merged_into.is_(None), _users.c.erased_at.is_(None), among(_users.c.number, "numbers")
)
Sets = Mapping[int, BitMap]
"""By shard."""


class Side(StrEnum):
    """Which people of a cell."""

    RETURNED = "returned"
    LOST = "lost"
    COHORT = "cohort"


class Place(NamedTuple):
    """One cell of a report."""

    base: int
    column: int
    value: str | None
    """Of the breakdown."""


def behind(found: Gathered, place: Place, side: Side) -> dict[int, BitMap]:
    """By shard, who that is: units of the report. Some work; without I/O."""
    work = found.work
    told: dict[int, BitMap] = {}
    if place.base >= len(work.places):
        return told
    for shard, shelf in found.shelves.items():
        met = None if found.segments is None else [one.get(shard, NOBODY) for one in found.segments]
        cohort = cohorts(work, shelf, met, place.value)[place.base]
        told[shard] = _side(work, shelf, cohort, place, side) if cohort else NOBODY
    return told


def _side(work: Work, shelf: Shelf, cohort: BitMap, place: Place, side: Side) -> BitMap:
    if side is Side.COHORT:
        return cohort
    later = _back(work, shelf, place.value)[place.base :]
    returned = _HIT[work.asked.mode](cohort, later, *work.asked.columns[place.column], work.asked.counts_from)
    return returned if side is Side.RETURNED else cohort - returned


def _back(work: Work, shelf: Shelf, value: str | None) -> list[BitMap]:
    """Who did what is counted in each period: of a sum those who have a part in it."""
    if work.asked.metric is Metric.PEOPLE:
        return returns(work, shelf, value)
    measured = [one for one in acts.measured(work.asked, work.asked.metric, work.currency, value) if one]
    return [
        BitMap.union(NOBODY, *(_with_amounts(shelf, one, place) for one in measured for place in places))
        for places in work.places
    ]


def _with_amounts(shelf: Shelf, parts: Parts, place: int) -> BitMap:
    return shelf.how_much(parts, place).users


def _on(cohort: BitMap, later: Sequence[BitMap], first: int, last: int, _: int) -> BitMap:
    return cohort & BitMap.union(NOBODY, *later[first : last + 1])


def _after(cohort: BitMap, later: Sequence[BitMap], first: int, last: int, counts_from: int) -> BitMap:
    return _on(cohort, later, first, len(later), counts_from)


def _before(cohort: BitMap, later: Sequence[BitMap], first: int, last: int, counts_from: int) -> BitMap:
    return _on(cohort, later, counts_from, last, counts_from)


def _streak(cohort: BitMap, later: Sequence[BitMap], first: int, last: int, counts_from: int) -> BitMap:
    return BitMap.intersection(cohort, *later[counts_from : last + 1]) if last >= counts_from else cohort


_HIT: dict[Mode, Callable[[BitMap, Sequence[BitMap], int, int, int], BitMap]] = {
    Mode.ON: _on,
    Mode.ON_OR_AFTER: _after,
    Mode.ON_OR_BEFORE: _before,
    Mode.STREAK: _streak,
    Mode.BRACKETS: _on,
}


async def users_of(asker: Asker, unit: Unit, units: Sets) -> dict[int, BitMap]:
    """By shard, the people of these units: of devices those in whose hands they are."""
    if unit is not Unit.DEVICE:
        return dict(units)
    owners = await devices.owners(*asker.where)
    return {shard: owners[shard].users_of(found) for shard, found in units.items()}


async def page(session: ReadSession, project_id: int, sets: Sets, page: Page) -> Slice:
    """One page of these people, by shard and number. Who was erased is nobody's business any more."""
    found: list[Any] = []
    for shard, numbers in _from(sets, page):
        for start in range(0, len(numbers), _AT_ONCE):
            some = numbers[start : start + _AT_ONCE]
            found += await _some(session, project_id, shard, some, backward=page.backward)
            if len(found) > page.limit:
                return sliced(found[: page.limit + 1], page)
    return sliced(found, page)


_AT_ONCE = 200


def _from(sets: Sets, page: Page) -> Iterator[tuple[int, Sequence[int]]]:
    """The numbers of each shard in the order in which they are listed, from the page's place on."""
    place = page.place
    if place is not None and not (len(place) == 2 and all(type(part) is int for part in place)):
        raise BadInput("This is not a cursor of this list; begin anew without it.")
    for shard in sorted(sets, reverse=page.backward):
        numbers = sets[shard]
        if place is not None and shard == place[0]:
            numbers = numbers & _beyond(numbers, place[1], backward=page.backward)
        elif place is not None and (shard < place[0]) is not page.backward:
            continue
        if numbers:
            yield shard, _listed(numbers, backward=page.backward)


def _beyond(numbers: BitMap, number: int, *, backward: bool) -> BitMap:
    """What comes after a number, or before it."""
    highest = numbers.max() if numbers else 0
    begin, end = (0, min(number, highest + 1)) if backward else (max(number + 1, 0), highest + 1)
    return BitMap(range(begin, end)) if begin < end else NOBODY


def _listed(numbers: BitMap, *, backward: bool) -> Sequence[int]:
    listed = numbers.to_array()
    return listed[::-1] if backward else listed


async def _some(
    session: ReadSession, project_id: int, shard: int, numbers: Sequence[int], *, backward: bool
) -> list[Any]:
    here = _SOME.where(_users.c.shard == shard, _users.c.project_id == project_id)
    rows = await session.rows_in(here, "numbers", numbers)
    return sorted(rows, key=lambda row: row.number, reverse=backward)
