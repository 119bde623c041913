"""Users of a project, the identities that lead to them, and the addresses that reach them."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from sqlalchemy import BigInteger, ColumnElement, Table, Text, and_, bindparam, or_, select, update

from .bulk import Bulk, table_of
from .ids import shard_of
from .sessions import ReadSession
from .tables import Endpoint, Identity, User

UserKey = tuple[int, int]
"""Shard and number."""

MOST_HOPS = 8

_users, _identities, _endpoints = table_of(User), table_of(Identity), table_of(Endpoint)

_AT = bindparam("of_at", type_=BigInteger)
REACHED = Bulk(
    ("shard", "project_id", "user_number", "channel", "address", "at"),
    {
        "": update(_endpoints)
        .where(_endpoints.c.shard == bindparam("of_shard", type_=BigInteger))
        .where(_endpoints.c.project_id == bindparam("of_project_id", type_=BigInteger))
        .where(_endpoints.c.user_number == bindparam("of_user_number", type_=BigInteger))
        .where(_endpoints.c.channel == bindparam("of_channel", type_=Text))
        .where(_endpoints.c.address == bindparam("of_address", type_=Text))
        .where(or_(_endpoints.c.reached_at.is_(None), _endpoints.c.reached_at < _AT))
        .values(reached_at=_AT)
    },
)
"""Notes when something was known to arrive at an endpoint, unless a later instant is."""


def among(table: Table, keys: Iterable[UserKey], number: str = "user_number") -> ColumnElement[bool]:
    """Whether a row is one of these users'."""
    numbers: defaultdict[int, list[int]] = defaultdict(list)
    for shard, found in keys:
        numbers[shard].append(found)
    return or_(
        *(and_(table.c.shard == shard, table.c[number].in_(wanted)) for shard, wanted in numbers.items())
    )


async def by_keys(session: ReadSession, project_id: int, keys: Sequence[UserKey]) -> dict[UserKey, User]:
    statement = select(_users).where(_users.c.project_id == project_id, among(_users, keys, "number"))
    return {(row.shard, row.number): row for row in await session.rows(statement)}


async def identities_by_users(
    session: ReadSession, project_id: int, keys: Sequence[UserKey]
) -> dict[UserKey, list[Identity]]:
    """The identities that lead to these users, the first known first."""
    here = and_(among(_identities, keys, "number"), _identities.c.number.is_not(None))
    statement = select(_identities).where(_identities.c.project_id == project_id, here)
    found: defaultdict[UserKey, list[Identity]] = defaultdict(list)
    for row in await session.rows(statement.order_by(_identities.c.created_at, _identities.c.value)):
        if row.home == row.shard:
            found[row.shard, row.number].append(row)
    return found


async def endpoints_by_users(
    session: ReadSession, project_id: int, keys: Sequence[UserKey]
) -> dict[UserKey, list[Endpoint]]:
    """The addresses of these users, those in use first."""
    statement = select(_endpoints).where(_endpoints.c.project_id == project_id, among(_endpoints, keys))
    order = (_endpoints.c.channel, _endpoints.c.is_current.desc(), _endpoints.c.changed_at.desc())
    found: defaultdict[UserKey, list[Endpoint]] = defaultdict(list)
    for row in await session.rows(statement.order_by(*order)):
        found[row.shard, row.user_number].append(row)
    return found


async def by_identity(
    session: ReadSession, project_id: int, shards: int, kind: str, value: str
) -> UserKey | None:
    """The user that a `user_id` or an `anonymous_id` leads to: from the value's shard to the user's home."""
    shard = shard_of(project_id, value, shards)
    for _ in range(MOST_HOPS):
        statement = select(_identities).where(
            _identities.c.shard == shard,
            _identities.c.project_id == project_id,
            _identities.c.kind == kind,
            _identities.c.value == value,
        )
        rows = await session.rows(statement)
        if not rows:
            return None
        if rows[0].home == shard:
            return None if rows[0].number is None else (shard, rows[0].number)
        shard = rows[0].home
    return None


async def by_identities(
    session: ReadSession, project_id: int, shards: int, kind: str, values: Iterable[str]
) -> dict[str, UserKey]:
    """The users that many values of one kind lead to, as `by_identity` finds one."""
    asked: defaultdict[int, set[str]] = defaultdict(set)
    for value in values:
        asked[shard_of(project_id, value, shards)].add(value)
    found: dict[str, UserKey] = {}
    for _ in range(MOST_HOPS):
        if not asked:
            break
        here = or_(
            *(
                and_(_identities.c.shard == shard, _identities.c.value.in_(wanted))
                for shard, wanted in asked.items()
            )
        )
        statement = select(_identities).where(
            _identities.c.project_id == project_id, _identities.c.kind == kind, here
        )
        asked = defaultdict(set)
        for row in await session.rows(statement):
            if row.home != row.shard:
                asked[row.home].add(row.value)
            elif row.number is not None:
                found[row.value] = (row.shard, row.number)
    return found


async def finals(session: ReadSession, project_id: int, keys: Iterable[UserKey]) -> dict[UserKey, UserKey]:
    """By user: whom it turned out to be; itself, mostly."""
    now = {key: key for key in keys}
    for _ in range(MOST_HOPS):
        rows = await by_keys(session, project_id, list({*now.values()})) if now else {}
        merged = {key: row.merged_into for key, row in rows.items() if row.merged_into is not None}
        if not merged:
            break
        now = {key: key_in(merged[at]) if at in merged else at for key, at in now.items()}
    return now


async def people(session: ReadSession, project_id: int, keys: Sequence[UserKey]) -> dict[UserKey, User]:
    """By user: the user whom it turned out to be; itself, mostly."""
    now = await finals(session, project_id, keys)
    found = await by_keys(session, project_id, list({*now.values()}))
    return {key: found[at] for key, at in now.items() if at in found}


def key_in(text: str) -> UserKey:
    shard, _, number = text.partition(":")
    return int(shard), int(number)


MOST_HOLDERS = 100


async def by_addresses(
    session: ReadSession, project_id: int, shards: int, channels: Sequence[str], addresses: Sequence[str]
) -> list[UserKey]:
    """Those who have one of these addresses now, and then those who had it; the latest to get it first.

    At most `MOST_HOLDERS` rows are looked at.
    """
    statement = select(_endpoints).where(
        _endpoints.c.shard.in_(list(range(shards))),
        _endpoints.c.project_id == project_id,
        _endpoints.c.channel.in_(list(channels)),
        _endpoints.c.address.in_(list(addresses)),
    )
    order = (_endpoints.c.is_current.desc(), _endpoints.c.changed_at.desc())
    rows = await session.rows(statement.order_by(*order).limit(MOST_HOLDERS))
    return list(dict.fromkeys((row.shard, row.user_number) for row in rows))


async def final(session: ReadSession, project_id: int, key: UserKey) -> UserKey | None:
    """The user whom this one turned out to be; itself, mostly."""
    for _ in range(MOST_HOPS):
        user = (await by_keys(session, project_id, [key])).get(key)
        if user is None:
            return None
        if user.merged_into is None:
            return key
        shard, _, number = user.merged_into.partition(":")
        key = int(shard), int(number)
    return key


async def family(session: ReadSession, project_id: int, shards: int, key: UserKey) -> list[UserKey]:
    """This user and all who turned out to be it, whose facts stay under their own numbers."""
    return await families(session, project_id, shards, [key])


async def families(
    session: ReadSession, project_id: int, shards: int, keys: Sequence[UserKey]
) -> list[UserKey]:
    """These users and all who turned out to be one of them."""
    found, frontier = list(keys), list(keys)
    while frontier:
        statement = select(_users.c.shard, _users.c.number).where(
            _users.c.shard.in_(list(range(shards))),
            _users.c.project_id == project_id,
            _users.c.merged_into.in_([f"{shard}:{number}" for shard, number in frontier]),
        )
        rows = await session.rows(statement)
        frontier = [(row.shard, row.number) for row in rows if (row.shard, row.number) not in found]
        found += frontier
    return found
