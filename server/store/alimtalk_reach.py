"""Of a project's people, as sets: whom an Alimtalk reaches, and whom it does not, and why.

A database hands over a shard's numbers as one text: of a million people that is a few statements of a few
megabytes, and no row for each.
"""

from collections import defaultdict
from typing import Any

from pyroaring import BitMap
from sqlalchemy import Select, Text, and_, cast, func, or_, select

from server.clock import Instant

from .bulk import table_of
from .sessions import ReadSession
from .tables import Consent, Endpoint, Suppression, User

_users, _endpoints = table_of(User), table_of(Endpoint)
_consents, _suppressions = table_of(Consent), table_of(Suppression)
Sets = dict[int, BitMap]
"""By shard: numbers of users."""


async def not_members(session: ReadSession, project_id: int) -> Sets:
    """Those without a user id."""
    statement = _together(_users.c.shard, _users.c.number)
    rows = await session.rows(statement.where(_users.c.project_id == project_id, _users.c.user_id.is_(None)))
    return {shard: _read(numbers) for shard, numbers in rows}


async def by_state(session: ReadSession, project_id: int, channel: str) -> dict[str, Sets]:
    """By the state of an address that somebody has now: who has one in it."""
    statement = (
        _together(_endpoints.c.shard, _endpoints.c.user_number)
        .add_columns(_endpoints.c.state)
        .where(_endpoints.c.project_id == project_id, _endpoints.c.channel == channel)
        .where(_endpoints.c.is_current)
        .group_by(_endpoints.c.state)
    )
    found: defaultdict[str, Sets] = defaultdict(dict)
    for shard, numbers, state in await session.rows(statement):
        found[state][shard] = _read(numbers)
    return dict(found)


async def suppressed(session: ReadSession, project_id: int, channel: str, purpose: str, now: Instant) -> Sets:
    """Those whose address nobody writes to for this purpose."""
    same = and_(
        _suppressions.c.project_id == _endpoints.c.project_id,
        _suppressions.c.channel == _endpoints.c.channel,
        _suppressions.c.address == _endpoints.c.address,
    )
    statement = (
        _together(_endpoints.c.shard, _endpoints.c.user_number)
        .select_from(_endpoints.join(_suppressions, same))
        .where(_endpoints.c.project_id == project_id, _endpoints.c.channel == channel)
        .where(_endpoints.c.is_current, _suppressions.c.purpose.in_(("", purpose)))
        .where(_suppressions.c.since <= now)
        .where(or_(_suppressions.c.until.is_(None), _suppressions.c.until > now))
    )
    return {shard: _read(numbers) for shard, numbers in await session.rows(statement)}


async def consenting(session: ReadSession, project_id: int, channel: str, purpose: str, now: Instant) -> Sets:
    """Those who have agreed to it, and whose word holds."""
    statement = (
        _together(_consents.c.shard, _consents.c.user_number)
        .where(_consents.c.project_id == project_id, _consents.c.channel == channel)
        .where(_consents.c.purpose == purpose, _consents.c.granted)
        .where(or_(_consents.c.until.is_(None), _consents.c.until > now))
    )
    return {shard: _read(numbers) for shard, numbers in await session.rows(statement)}


def _together(shard: Any, number: Any) -> Select[Any]:
    return select(shard, func.aggregate_strings(cast(number, Text), ",")).group_by(shard)


def _read(numbers: str) -> BitMap:
    return BitMap([int(one) for one in numbers.split(",")])
