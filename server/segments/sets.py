"""Everybody who meets a condition, as bitmaps: what previews, launches, cohorts and exports stand on.

Each question is answered for all by sets, as far as sets can: who surely meets it, and who perhaps does.
`all`, `any` and `not` put that together, and only those of whom it is still open are asked one by one. So the
answer is always that of asking everybody, and mostly nobody is asked.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from pyroaring import BitMap
from sqlalchemy import bindparam, func, select

from server.aggregates import attribute_reading
from server.aggregates.attribute_sets import AHEAD, EVERYBODY, OURS
from server.aggregates.calendar import day_of
from server.clock import Instant
from server.journey.audience import AllOf, AnyOf, Not, Question, ReachableOn
from server.store.among import among
from server.store.bulk import table_of
from server.store.sessions import ReadSession
from server.store.tables import Project, ShardState, User

from . import asking as one_by_one
from .answers.journeys import as_they_are_now
from .answers.kinds import answer_of
from .answers.known import answer_reachable
from .answers.pairs import Asking, Pair, Pairs, both, either, turned
from .reading import Askable

MANY = 20_000
"""People of whom it is read at once whether they can be reached, rather than of each."""
PAGE = 2000

_users, _projects, _states = table_of(User), table_of(Project), table_of(ShardState)
_HERE = (_users.c.shard == bindparam("shard"), _users.c.project_id == bindparam("project_id"))
_THESE = select(_users.c.number, _users.c.attributes).where(*_HERE, among(_users.c.number, "numbers"))
_THERE = select(_users.c.number).where(*_HERE, _users.c.merged_into.is_(None))
_ERASED = select(_users.c.shard, _users.c.number).where(
    _users.c.project_id == bindparam("project_id"), _users.c.erased_at.is_not(None)
)


async def members(
    session: ReadSession,
    project_id: int,
    shards: int,
    question: Question,
    lists: Mapping[str, int],
    at: Instant,
) -> dict[int, BitMap]:
    """By shard: the numbers of all who meet the condition as of that instant, exactly, in this snapshot.

    Those who are others now, or erased, are not among them. Nobody may change what is returned.
    """
    asking = await begin(session, project_id, shards, lists, at)
    pairs = await _answer(asking, question)
    if sum(len(pair.open) for pair in pairs.values()) > MANY and question.wants().channels:
        pairs = await _answer(asking, question, reads_all=True)
    askable = Askable(question, lists, asking.zone)
    return {shard: await _decide(asking, shard, pair, askable) for shard, pair in pairs.items()}


async def everybody(session: ReadSession, project_id: int, shards: int) -> dict[int, BitMap]:
    """By shard: all users, without those who are others now, or erased."""
    return (await begin(session, project_id, shards, {}, 0)).everybody


async def latest(session: ReadSession, now: Instant) -> Instant:
    """The present, on whichever clock it is later: workers may be ahead of whoever asks by a little."""
    found = (await session.rows(select(func.max(_states.c.clock_at))))[0][0]
    return max(now, found or 0)


async def begin(
    session: ReadSession, project_id: int, shards: int, lists: Mapping[str, int], at: Instant
) -> Asking:
    """Who there is, and what is known of the moment."""
    about = (_projects.c.time_zone, _projects.c.kept_since)
    project = (await session.rows(select(*about).where(_projects.c.id == project_id)))[0]
    sets = await attribute_reading.read(session, project_id, shards, [OURS])
    known = {(place.shard, place.name, place.value): users for place, users in sets.items()}
    all = {
        n: await _everybody(session, project_id, n, known.get((n, OURS, EVERYBODY))) for n in range(shards)
    }
    for shard, number in await session.rows(_ERASED, {"project_id": project_id}):
        all[shard] = all[shard] - BitMap((number,))
    asking = Asking(
        session=session,
        project_id=project_id,
        shards=shards,
        zone=project.time_zone,
        lists=lists,
        at=at,
        is_now=at >= await latest(session, 0),
        everybody=all,
        known=known,
        ahead={},
        is_pruned=project.kept_since is not None,
    )
    asking.ahead = dict(await as_they_are_now(asking, _ahead(known, at, asking.zone)))
    return asking


async def _everybody(session: ReadSession, project_id: int, shard: int, known: BitMap | None) -> BitMap:
    if known is not None:
        return known
    rows = await session.rows(_THERE, {"shard": shard, "project_id": project_id})
    return BitMap([row.number for row in rows])


def _ahead(known: Mapping[tuple[int, str, str], BitMap], at: Instant, zone: str) -> dict[int, BitMap]:
    """Of whom something came in, on that day or later, before it had happened by our clock."""
    today = day_of(at, zone)
    found: dict[int, BitMap] = {}
    for (shard, _, value), users in known.items():
        if value.startswith(AHEAD) and int(value.removeprefix(AHEAD)) >= today:
            found[shard] = found.get(shard, BitMap()) | users
    return found


# The tree


async def _answer(asking: Asking, question: Question, *, reads_all: bool = False) -> Pairs:
    if isinstance(question, AllOf | AnyOf):
        return await _together(asking, question, reads_all)
    if isinstance(question, Not):
        return turned(asking, await _answer(asking, question.of, reads_all=reads_all))
    if isinstance(question, ReachableOn) and reads_all:
        return await answer_reachable(asking, question)
    answer = answer_of(question)
    return asking.unknown() if answer is None else await answer(asking, question)


async def _together(asking: Asking, question: AllOf | AnyOf, reads_all: bool) -> Pairs:
    is_all = isinstance(question, AllOf)
    pairs = asking.exactly(asking.everybody) if is_all else asking.nobody()
    for one in question.of:
        found = await _answer(asking, one, reads_all=reads_all)
        pairs = both(pairs, found) if is_all else either(pairs, found)
    return pairs


# Person by person


async def _decide(asking: Asking, shard: int, pair: Pair, askable: Askable) -> BitMap:
    open = pair.open
    if not open:
        return pair.surely
    found = BitMap(pair.surely)
    async for rows in _people(asking, shard, open):
        about = (asking.session, asking.project_id, shard, rows, askable, asking.at)
        found.update(await one_by_one.meeting(*about))
    return found


async def _people(asking: Asking, shard: int, numbers: BitMap) -> AsyncIterator[Sequence[Any]]:
    about = {"shard": shard, "project_id": asking.project_id}
    listed = list(numbers)
    for start in range(0, len(listed), PAGE):
        yield await asking.session.rows(_THESE, {**about, "numbers": listed[start : start + PAGE]})
