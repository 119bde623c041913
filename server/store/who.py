"""Who users are: their ids and addresses, of a thousand users with four statements, and no more than that."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, Table, and_, or_, select

from .among import among_these
from .bulk import table_of
from .sessions import ReadSession
from .tables import Endpoint, Identity, User
from .users import MOST_HOPS, UserKey, key_in

DEVICE = "anonymous_id"

_users, _identities, _endpoints = table_of(User), table_of(Identity), table_of(Endpoint)


class Who(NamedTuple):
    user_id: str | None
    devices: tuple[str, ...]
    """The first known first."""
    addresses: dict[str, str]
    """By channel: the one in use; of several devices the one that was heard of last."""


async def by_keys(
    session: ReadSession, project_id: int, keys: Iterable[UserKey], channels: Sequence[str]
) -> dict[UserKey, Who]:
    """By user, as facts name them: who that is by now, with the addresses on these channels."""
    ids, finals = await _finals(session, project_id, set(keys))
    wanted = sorted(set(finals.values()))
    if not wanted:
        return {}
    devices = await _devices(session, project_id, wanted)
    addresses = await _addresses(session, project_id, wanted, channels)
    known = {key: Who(ids.get(key), tuple(devices.get(key, ())), addresses.get(key, {})) for key in wanted}
    return {key: known[final] for key, final in finals.items()}


async def _finals(
    session: ReadSession, project_id: int, keys: set[UserKey]
) -> tuple[dict[UserKey, str | None], dict[UserKey, UserKey]]:
    """The ids of users, and by user: whom it turned out to be, with one statement more for each merge."""
    ids: dict[UserKey, str | None] = {}
    now, asked = {key: key for key in keys}, keys
    for _ in range(MOST_HOPS):
        if not asked:
            break
        about = (_users.c.shard, _users.c.number, _users.c.user_id, _users.c.merged_into)
        rows = await session.rows(_of(select(*about), _users, project_id, asked, "number"))
        merged = {(row.shard, row.number): key_in(row.merged_into) for row in rows if row.merged_into}
        ids |= {(row.shard, row.number): row.user_id for row in rows}
        now = {key: merged.get(at, at) for key, at in now.items()}
        asked = set(merged.values())
    return ids, now


async def _devices(
    session: ReadSession, project_id: int, keys: Sequence[UserKey]
) -> dict[UserKey, list[str]]:
    about = (_identities.c.shard, _identities.c.number, _identities.c.home, _identities.c.value)
    statement = select(*about).where(_identities.c.kind == DEVICE).order_by(_identities.c.created_at)
    found: defaultdict[UserKey, list[str]] = defaultdict(list)
    for row in await session.rows(_of(statement, _identities, project_id, keys, "number", _HERE)):
        if row.home == row.shard:
            found[row.shard, row.number].append(row.value)
    return found


async def _addresses(
    session: ReadSession, project_id: int, keys: Sequence[UserKey], channels: Sequence[str]
) -> dict[UserKey, dict[str, str]]:
    about = (_endpoints.c.shard, _endpoints.c.user_number, _endpoints.c.channel, _endpoints.c.address)
    statement = (
        select(*about)
        .where(_endpoints.c.channel.in_(channels), _endpoints.c.is_current)
        .order_by(_endpoints.c.changed_at)
    )
    found: defaultdict[UserKey, dict[str, str]] = defaultdict(dict)
    for row in await session.rows(_of(statement, _endpoints, project_id, keys, "user_number")):
        found[row.shard, row.user_number][row.channel] = row.address
    return found


_HERE = _identities.c.number.is_not(None)
"""As the index over identities says it."""


def _of(
    statement: Select[Any],
    table: Table,
    project_id: int,
    keys: Iterable[UserKey],
    number: str,
    *more: ColumnElement[bool],
) -> Select[Any]:
    """The rows of these users. Each shard's numbers are one parameter: a statement stays the same."""
    numbers: defaultdict[int, list[int]] = defaultdict(list)
    for shard, found in keys:
        numbers[shard].append(found)
    here = (
        and_(table.c.shard == shard, among_these(table.c[number], wanted))
        for shard, wanted in sorted(numbers.items())
    )
    return statement.where(table.c.project_id == project_id, or_(*here), *more)
