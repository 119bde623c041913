"""Runs of a project: found by id in whatever shard they live, listed by journey or by user."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, func, or_, select

from server.clock import DAY, HOUR, Instant
from server.journey.moment import EndReason

from .bulk import table_of
from .paging import Page, Slice, sliced, within
from .sessions import ReadSession
from .tables import Run
from .users import UserKey, among

_table = table_of(Run)
_PLACE = (_table.c.entered_at, _table.c.shard, _table.c.id)

MOST_OF_A_USER = 100


INSIDE: frozenset[str | None] = frozenset({None})
"""The end reason of those that have not ended."""
EVERY_STATE: frozenset[str | None] = frozenset(reason.value for reason in EndReason) | INSIDE
Between = tuple[Instant | None, Instant | None]
"""From an instant on, and before another; None is no bound."""
EVER: Between = (None, None)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which runs of a journey."""

    ends: tuple[str | None, ...] | None = None
    """Ended for one of these reasons; None among them stands for those inside. All, if not given."""
    users: tuple[UserKey, ...] | None = None
    """Of these users; of everybody, if not given."""
    version: int | None = None
    last_steps: tuple[str, ...] = ()
    entered: Between = EVER
    ended: Between = EVER


async def by_ids(session: ReadSession, project_id: int, shards: int, ids: Sequence[int]) -> dict[int, Run]:
    """A run keeps its id when its user moves to another shard, so all shards are asked."""
    statement = select(_table).where(
        _table.c.shard.in_(list(range(shards))),
        _table.c.id.in_(list(ids)),
        _table.c.project_id == project_id,
    )
    return {row.id: row for row in await session.rows(statement)}


async def count_open(session: ReadSession, project_id: int, journey_id: int, shards: int) -> int:
    """How many are inside a journey now."""
    statement = select(func.count()).where(*_open_of(project_id, journey_id, shards))
    return int((await session.rows(statement))[0][0])


async def count_entered_by(session: ReadSession, project_id: int, journey_id: int, at: Instant) -> int:
    """How many have entered a journey until then, ended or not."""
    mine = (_table.c.project_id == project_id, _table.c.journey_id == journey_id)
    statement = select(func.count()).where(*mine, _table.c.entered_at <= at)
    return int((await session.rows(statement))[0][0])


async def count_open_by_step(
    session: ReadSession, project_id: int, journey_id: int, shards: int
) -> dict[tuple[int, str], int]:
    """How many wait where in a journey now, by version and step."""
    where = (_table.c.version, _table.c.step_key)
    statement = select(*where, func.count()).where(*_open_of(project_id, journey_id, shards))
    rows = await session.rows(statement.group_by(*where))
    return {(version, step_key): int(count) for version, step_key, count in rows}


async def count_open_of_users(
    session: ReadSession, project_id: int, keys: Sequence[UserKey], journey_ids: Sequence[int] | None
) -> int:
    """How often these users are inside these journeys now, or inside any."""
    if not keys:
        return 0
    statement = select(func.count()).where(
        _table.c.project_id == project_id, among(_table, keys), _table.c.wake_at.is_not(None)
    )
    if journey_ids is not None:
        statement = statement.where(_table.c.journey_id.in_(list(journey_ids)))
    return int((await session.rows(statement))[0][0])


async def ids_of_users(session: ReadSession, project_id: int, keys: Sequence[UserKey]) -> list[int]:
    """All runs that these users ever had."""
    statement = select(_table.c.id).where(_table.c.project_id == project_id, among(_table, keys))
    return [row.id for row in await session.rows(statement.order_by(_table.c.id))]


@dataclass(frozen=True, slots=True)
class Waits:
    """The open runs of a paused journey by when their wait is over, as it stands in the rows."""

    all: int
    by_pause: int
    """Over when the pause began, or moved there because what they wait for has happened."""
    in_pause: int
    after_pause_hour: int
    after_pause_day: int
    """Within an hour or a day after the pause began."""
    next_hour: int
    next_day: int
    """Within an hour or a day from now."""


async def waits(
    session: ReadSession, project_id: int, journey_id: int, shards: int, paused_at: Instant, now: Instant
) -> Waits:
    def between(first: Instant, last: Instant) -> ColumnElement[int]:
        return func.count().filter(_table.c.wake_at > first, _table.c.wake_at <= last)

    statement = select(
        func.count(),
        func.count().filter(_table.c.wake_at <= paused_at),
        between(paused_at, now),
        between(paused_at, paused_at + HOUR),
        between(paused_at, paused_at + DAY),
        between(now, now + HOUR),
        between(now, now + DAY),
    ).where(*_open_of(project_id, journey_id, shards))
    return Waits(*(int(n) for n in (await session.rows(statement))[0]))


def _open_of(project_id: int, journey_id: int, shards: int) -> tuple[ColumnElement[bool], ...]:
    return (
        _table.c.shard.in_(list(range(shards))),
        _table.c.project_id == project_id,
        _table.c.journey_id == journey_id,
        _table.c.wake_at.is_not(None),
    )


async def page(session: ReadSession, project_id: int, journey_id: int, wanted: Wanted, page: Page) -> Slice:
    """One page of a journey's runs, the latest to enter first."""
    if wanted.ends == () or (wanted.users is not None and not wanted.users):
        return sliced([], page)
    here = [_table.c.project_id == project_id, *_narrowed(wanted)]
    if wanted.users is not None:
        # People have few runs: their own index finds them, and is to be kept from that of the journey.
        here += [_table.c.journey_id + 0 == journey_id, among(_table, wanted.users)]
        if wanted.ends is not None:
            here.append(or_(*(_ended_for(reason) for reason in wanted.ends)))
        return await _page_of(session, [here], page)
    here.append(_table.c.journey_id == journey_id)
    if wanted.ends is None and not wanted.last_steps and wanted.version is None:
        return await _page_of(session, [here], page)
    # Each state has an index of its own that knows the rest.
    states = EVERY_STATE if wanted.ends is None else wanted.ends
    return await _page_of(session, [[*here, _ended_for(one)] for one in states], page)


def _narrowed(wanted: Wanted) -> list[ColumnElement[bool]]:
    found = [
        *_between(_table.c.entered_at, wanted.entered),
        *_between(_table.c.ended_at, wanted.ended),
    ]
    if wanted.ended[1] is not None:
        # Nobody ends before entering: so far the index need not be read.
        found.append(_table.c.entered_at < wanted.ended[1])
    # Written so that no planner makes these its way: they are looked at along the index, in its order.
    if wanted.version is not None:
        found.append(_table.c.version + 0 == wanted.version)
    if wanted.last_steps:
        found.append(_table.c.step_key.concat("").in_(wanted.last_steps))
    return found


def _between(column: ColumnElement[Any], bounds: Between) -> list[ColumnElement[bool]]:
    first, until = bounds
    found = [] if first is None else [column >= first]
    return found if until is None else [*found, column < until]


def _ended_for(reason: str | None) -> ColumnElement[bool]:
    return _table.c.wake_at.is_not(None) if reason is None else _table.c.end_reason == reason


async def _page_of(session: ReadSession, parts: Sequence[Sequence[ColumnElement[bool]]], page: Page) -> Slice:
    """One page of several lists in the same order, laid together.

    Each is read along its own index, and of the runs themselves only those of the page.
    """
    places: list[Any] = []
    for where in parts:
        places += await session.rows(within(select(*_PLACE).where(*where), _PLACE, page, descending=True))
    places.sort(reverse=not page.backward)
    ids = {(shard, run_id) for _, shard, run_id in places[: page.limit + 1]}
    if not ids:
        return sliced([], page)
    rows = await session.rows(select(_table).where(among(_table, ids, "id")))
    found = sorted(rows, key=lambda run: (run.entered_at, run.shard, run.id), reverse=not page.backward)
    return sliced(found, page)


async def page_of_users(session: ReadSession, project_id: int, keys: Sequence[UserKey], page: Page) -> Slice:
    """One page of the runs of a person, who may have several numbers; the latest to enter first."""
    statement = select(_table).where(_table.c.project_id == project_id, among(_table, keys))
    return sliced(await session.rows(within(statement, _PLACE, page, descending=True)), page)


async def in_journey_by_users(
    session: ReadSession, project_id: int, journey_id: int, keys: Sequence[UserKey]
) -> list[Run]:
    """The latest runs of a person in one journey, in the order in which they entered.

    At most `MOST_OF_A_USER` and one more, which says that there are earlier ones.
    """
    statement = select(_table).where(
        # By the people's index: that of the journey would look through everybody.
        _table.c.project_id == project_id,
        _table.c.journey_id + 0 == journey_id,
        among(_table, keys),
    )
    latest_first = [key.desc() for key in _PLACE]
    rows = await session.rows(statement.order_by(*latest_first).limit(MOST_OF_A_USER + 1))
    return list(rows)[::-1]
