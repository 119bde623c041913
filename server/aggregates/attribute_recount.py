"""Finds the sets of attributes again in the users: to prove them, or to put them in their place."""

import secrets
from collections import defaultdict

import orjson
from pyroaring import BitMap
from sqlalchemy import delete, select

from server.store import hanging
from server.store.bulk import inserting, table_of
from server.store.sessions import ReadSession, WriteSession
from server.store.tables import AttributeSet, Catalog, User

from .attribute_sets import AHEAD, OTHERS, OURS, Known, Listed, folded

_sets, _users, _catalog = table_of(AttributeSet), table_of(User), table_of(Catalog)
_ADD = inserting(AttributeSet)
_PAGE = 10_000
Key = tuple[int, int, str, str]
"""Shard, project, name, value."""


async def is_due(session: WriteSession) -> bool:
    """Whether an earlier version has left users without sets. Who is told so makes them; others wait."""
    if not await _lacks_sets(session):
        # Nearly always. Whoever works in a batch holds the row meanwhile, and need not be waited for.
        return False
    await hanging.lift(session)
    await session.rows(select(_catalog.c.epoch).with_for_update())
    return await _lacks_sets(session)


async def _lacks_sets(session: ReadSession) -> bool:
    users = await session.rows(select(_users.c.number).limit(1))
    return bool(users) and not await session.rows(select(_sets.c.part).limit(1))


async def rebuild(session: WriteSession) -> int:
    """Puts what the users say in the place of all sets. No engine may work meanwhile. Returns how many."""
    # Who was ahead of our clock can be found in no user.
    await session.run(delete(_sets).where(~_sets.c.value.startswith(AHEAD)))
    found = await _from_users(session, {})
    # A number that no part has ever had: whoever remembers a set by its parts sees that this is another.
    part, nobody = -secrets.randbelow(1 << 62) - 1, BitMap().serialize()
    await session.bulk(_ADD, [(*key, part, users.serialize(), nobody) for key, users in found.items()])
    return len(found)


async def differences(session: ReadSession) -> list[str]:
    """Where the sets and the users disagree. Which values have sets is as it is stored."""
    stored = await _stored(session)
    wanted = await _from_users(session, _listed(stored))
    return [
        f"attribute set {key}: stored and missing in the users {list(stored[key] - wanted[key])[:5]}, "
        f"missing and told by the users {list(wanted[key] - stored[key])[:5]}"
        for key in sorted({*stored, *wanted})
        if stored[key] != wanted[key]
    ]


async def _stored(session: ReadSession) -> defaultdict[Key, BitMap]:
    order = (_sets.c.shard, _sets.c.project_id, _sets.c.name, _sets.c.value, _sets.c.part)
    parts = defaultdict(list)
    for row in await session.rows(select(_sets).where(~_sets.c.value.startswith(AHEAD)).order_by(*order)):
        parts[row.shard, row.project_id, row.name, row.value].append(row)
    found: defaultdict[Key, BitMap] = defaultdict(BitMap)
    found.update((key, folded(rows)) for key, rows in parts.items())
    return found


def _listed(stored: dict[Key, BitMap]) -> dict[tuple[int, int], Listed]:
    found: defaultdict[tuple[int, int], Listed] = defaultdict(Listed)
    for shard, project_id, name, value in stored:
        if name != OURS:
            values = found[shard, project_id].values.setdefault(name, set())
            if value != OTHERS:
                values.add(value)
    return found


async def _from_users(
    session: ReadSession, listed: dict[tuple[int, int], Listed]
) -> defaultdict[Key, BitMap]:
    columns = (_users.c[name] for name in ("shard", "project_id", "number"))
    more = (_users.c.attributes, _users.c.user_id, _users.c.merged_into)
    order = (_users.c.shard, _users.c.project_id, _users.c.number)
    statement = select(*columns, *more).order_by(*order).execution_options(yield_per=_PAGE)
    found: defaultdict[Key, BitMap] = defaultdict(BitMap)
    async for row in await (await session.connection()).stream(statement):
        known = listed.setdefault((row.shard, row.project_id), Listed())
        who = Known(orjson.loads(row.attributes), row.user_id, row.merged_into is None)
        for name, value in known.places(who):
            found[row.shard, row.project_id, name, value].add(row.number)
    return found
