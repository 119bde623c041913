"""Puts down what facts come to, before they are deleted: from then on it stands for them in every recount."""

from server.store.bulk import adding, inserting
from server.store.sessions import WriteSession
from server.store.tables import SettledCounter, SettledSet

from .recount import Known, count_facts
from .scope import Scope

_ADD_COUNTERS = adding(SettledCounter, "n", "amount")
_ADD_SETS = inserting(SettledSet)


async def settle(session: WriteSession, scope: Scope, known: Known, part: int) -> None:
    """The facts have to be deleted in the same transaction. `part` is a number that no other call has."""
    found = await count_facts(session, scope, known)
    counters = [
        (shard, *key, n, amount) for (shard, key), (n, amount) in found.counters.items() if n or amount
    ]
    await session.bulk(_ADD_COUNTERS, sorted(counters))
    sets = [(*key, part, bitmap.serialize()) for key, bitmap in found.sets.items()]
    await session.bulk(_ADD_SETS, sorted(sets))
