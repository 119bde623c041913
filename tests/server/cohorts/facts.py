"""Histories, and what the shards would have of them."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date
from typing import NamedTuple

import numpy as np
from hypothesis import strategies as st
from pyroaring import BitMap

from server.aggregates.calendar import ALL_TIME, covering, day_of, month_of
from server.aggregates.deed_sets import Held, Of, Row
from server.cohorts.shelf import Shelf
from server.cohorts.words import Unit

from .brute import Fact

HOUR = 3_600_000
SPOTS = {
    "America/New_York": 1_709_956_800_000,  # 2024-03-09 04:00 UTC: clocks go forward on the 10th
    "Europe/Berlin": 1_729_814_400_000,  # 2024-10-25: clocks go back on the 27th
    "Asia/Seoul": 1_709_251_200_000,  # 2024-03-01: a month has just begun, in Seoul nine hours before
    "Pacific/Tongatapu": 1_706_572_800_000,  # 2024-01-30, thirteen hours ahead of UTC
}
"""By zone: the beginning of a time in which something happens with days."""
DAYS = 12
CLASSES = ("pc_web", "mobile_web", "app", "hybrid_app")
SOURCES = ("search", "direct")


def moments(start: int) -> st.SearchStrategy[int]:
    """Whole hours, among which are midnights, and the last millisecond before them."""
    return st.builds(
        lambda hour, early: start + hour * HOUR - early, st.integers(0, DAYS * 24), st.integers(0, 1)
    )


@st.composite
def histories(draw: st.DrawFn, start: int, people: int = 5) -> list[Fact]:
    """What a few people did in a few days."""
    found: list[Fact] = []
    for who in range(people):
        for at in draw(st.lists(moments(start), max_size=6)):
            found += draw(_visit(who, at))
        for at in draw(st.lists(moments(start), max_size=2)):
            found += draw(_order(who, at, start))
        for at in draw(st.lists(moments(start), max_size=2)):
            found.append(Fact(who, at, "did", "read", 1))
    return found


@st.composite
def _visit(draw: st.DrawFn, who: int, at: int) -> list[Fact]:
    sessions = draw(st.integers(0, 3))
    found = [
        Fact(who, at, "visited", "", sessions),
        Fact(who, at, "device", draw(st.sampled_from(CLASSES)), sessions),
        Fact(who, at, "source", draw(st.sampled_from(SOURCES)), sessions),
    ]
    return [*found, Fact(who, at, "member")] if draw(st.booleans()) else found


@st.composite
def _order(draw: st.DrawFn, who: int, at: int, start: int) -> list[Fact]:
    amount = draw(st.sampled_from([10_000, 299_000_000, 5]))
    found = [Fact(who, at, "ordered", "", 1), Fact(who, at, "spent", "KRW", amount), Fact(who, at, "member")]
    if draw(st.booleans()):
        found.append(Fact(who, draw(moments(start)), "refunded", "KRW", amount))
    return found


class Place(NamedTuple):
    shard: int
    of: Of
    span: int


def sets_of(facts: Iterable[Fact], zone: str, shards: int, unit: str = "user") -> dict[Place, Held]:
    """As they are kept: by day, by month, and over all time."""
    sums: defaultdict[Place, defaultdict[int, int]] = defaultdict(lambda: defaultdict(int))
    for one in facts:
        day = day_of(one.at, zone)
        for span in (day, month_of(day), ALL_TIME):
            place = Place(one.who % shards, Of(unit, one.deed, one.value), span)
            sums[place][one.who // shards] += one.amount
    return {place: _held(found) for place, found in sums.items()}


def _held(sums: dict[int, int]) -> Held:
    amounts = np.array([sums[number] for number in sorted(sums)], dtype=np.int64)
    return Held(BitMap(sums), amounts if amounts.any() else None)


def rows_of(facts: Iterable[Fact], zone: str, shards: int, project_id: int, unit: str = "user") -> list[Row]:
    """The same as the store takes them."""
    return [
        Row(place.shard, project_id, place.of, place.span, *held)
        for place, held in sets_of(facts, zone, shards, unit).items()
    ]


def shelves_of(
    facts: Iterable[Fact], zone: str, shards: int, spans: Sequence[int], first: date
) -> dict[int, Shelf]:
    before = covering(date(2000, 1, 1), first)
    found: dict[int, dict[tuple[Of, int], Held]] = {shard: {} for shard in range(shards)}
    for place, held in sets_of(facts, zone, shards).items():
        found[place.shard][place.of, place.span] = held
    return {shard: Shelf(spans, before, held, {}) for shard, held in found.items()}


UNITS = st.sampled_from([Unit.USER, Unit.MEMBER])
