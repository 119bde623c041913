"""Who did on a day what a journey brought about, from the user sets of figures.

Those sets keep the number of their time. Whoever turned out to be another since is told as the other, as
everywhere in a report: else somebody would come in under one number and come back under another.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pyroaring import BitMap
from sqlalchemy import ColumnElement, bindparam, select

from server.aggregates.calendar import ALL_TIME, HAPPENED
from server.aggregates.deeds import Deed, Unit
from server.aggregates.metrics import Dimension
from server.store.among import among, among_these
from server.store.bulk import table_of
from server.store.sessions import ReadSession
from server.store.tables import DeedSet, User, UserSet
from server.store.users import MOST_HOPS, UserKey, key_in

from .acts import JourneySets
from .shelf import Span

Sets = dict[tuple[JourneySets, Span], BitMap]
"""Of one shard."""
_user_sets, _deed_sets, _users = table_of(UserSet), table_of(DeedSet), table_of(User)
_NOBODY = BitMap()
_INTO = (
    select(_users.c.number, _users.c.merged_into)
    .where(_users.c.shard == bindparam("shard"), _users.c.project_id == bindparam("project_id"))
    .where(among(_users.c.number, "numbers"), _users.c.merged_into.is_not(None))
)


async def read(
    session: ReadSession, project_id: int, shards: int, wanted: Iterable[JourneySets], spans: Sequence[Span]
) -> dict[int, Sets]:
    """By shard. What was brought about by steps and journeys that are gone is there, too."""
    found: dict[int, Sets] = {shard: {} for shard in range(shards)}
    for journey in wanted:
        parts: defaultdict[tuple[int, Span], list[BitMap]] = defaultdict(list)
        for row in await session.rows(_statement(project_id, shards, journey, spans)):
            parts[row.shard, row.span].append(BitMap.deserialize(row.bitmap))
        for (shard, span), sets in parts.items():
            found[shard][journey, span] = BitMap.union(*sets)
    return await _as_they_are_now(session, project_id, found)


def _statement(project_id: int, shards: int, journey: JourneySets, spans: Sequence[Span]) -> Any:
    return select(_user_sets.c.shard, _user_sets.c.span, _user_sets.c.bitmap).where(
        _user_sets.c.shard.in_(list(range(shards))),
        _user_sets.c.project_id == project_id,
        _user_sets.c.dimension == journey.dimension,
        _value(journey),
        _user_sets.c.clock == HAPPENED,
        among_these(_user_sets.c.span, spans),
    )


def _value(journey: JourneySets) -> ColumnElement[bool]:
    value = _user_sets.c.value
    if journey.dimension == Dimension.ENTERED:
        return value == str(journey.journey_id)
    if journey.step:
        return value == f"{journey.journey_id}/{journey.step}"
    return value.like(f"{journey.journey_id}/%")


async def _as_they_are_now(session: ReadSession, project_id: int, found: dict[int, Sets]) -> dict[int, Sets]:
    masks = await _masks(session, project_id, [shard for shard, sets in found.items() if sets])
    former = {
        (shard, number)
        for shard, masked in masks.items()
        for number in BitMap.union(BitMap(), *found[shard].values()) & masked
    }
    if not former:
        return found
    now = await _finals(session, project_id, former)
    told: dict[int, Sets] = {
        shard: {key: users - masks.get(shard, _NOBODY) for key, users in sets.items()}
        for shard, sets in found.items()
    }
    for shard, masked in masks.items():
        for key, users in found[shard].items():
            for number in users & masked:
                home, final = now[shard, number]
                told[home].setdefault(key, BitMap()).add(final)
    return told


async def _masks(session: ReadSession, project_id: int, shards: Sequence[int]) -> dict[int, BitMap]:
    """By shard: who turned out to be another."""
    rows = await session.rows(
        select(_deed_sets.c.shard, _deed_sets.c.bitmap).where(
            _deed_sets.c.shard.in_(list(shards)),
            _deed_sets.c.project_id == project_id,
            _deed_sets.c.unit == Unit.USER.value,
            _deed_sets.c.dimension == Deed.MASKED.value,
            _deed_sets.c.value == "",
            _deed_sets.c.span == ALL_TIME,
        )
    )
    found: dict[int, BitMap] = {}
    for row in rows:
        found[row.shard] = found.get(row.shard, BitMap()) | BitMap.deserialize(row.bitmap)
    return found


async def _finals(
    session: ReadSession, project_id: int, former: Iterable[UserKey]
) -> Mapping[UserKey, UserKey]:
    """Who they are now, with a statement for each shard and merge after merge."""
    now = {key: key for key in former}
    asked = set(now)
    for _ in range(MOST_HOPS):
        into: dict[UserKey, UserKey] = {}
        for shard in sorted({shard for shard, _ in asked}):
            numbers = [number for of, number in asked if of == shard]
            about = {"shard": shard, "project_id": project_id}
            for row in await session.rows_in(_INTO, "numbers", numbers, about):
                into[shard, row.number] = key_in(row.merged_into)
        if not into:
            break
        now = {key: into.get(at, at) for key, at in now.items()}
        asked = set(into.values())
    return now
