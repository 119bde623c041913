"""Erases a person: from the commit on nothing is sent to them, and every shard is told to forget them."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import orjson

from server.context import Context
from server.store import erasing, inbox, runs, setup, users
from server.store.commands import ERASE
from server.store.sessions import WriteSession
from server.store.users import UserKey

from .once import Answer, once
from .refusals import Missing
from .users import Wanted, find


async def erase(context: Context, who: Wanted, key: str | None) -> Answer:
    """Raises Missing, IdempotencyConflict. The answer says nothing of who it was."""

    async def work(session: WriteSession) -> Answer:
        found = await find(session, context, who)
        known = await users.family(session, context.project_id, context.shards, found) if found else []
        if not known or not await erasing.mark(session, context.project_id, known, context.clock.now()):
            raise Missing("Nobody in this project has this identity.", ("input", "identity"))
        command = await _command(session, context, known)
        answer = {"users": len(known), "runs": 0, "messages": 0}
        answer["runs"] = await runs.count_open_of_users(session, context.project_id, known, None)
        answer["messages"] = await erasing.count_queued(session, context.shards, command["runs"])
        await _tell_every_shard(session, context, known, command)
        # So that every worker looks for what they had refused when an address comes back.
        await setup.touch_catalog(session)
        return answer

    answer = await once(context, key, ("eraseUser", [who.kind, who.value]), work)
    context.wake()
    return answer


async def _command(session: WriteSession, context: Context, known: Sequence[UserKey]) -> dict[str, Any]:
    """What every shard has to know of the person to forget all of it."""
    project_id = context.project_id
    identities = await users.identities_by_users(session, project_id, known)
    endpoints = await users.endpoints_by_users(session, project_id, known)
    return {
        "at": context.clock.now(),
        "family": [list(one) for one in known],
        "identities": sorted({(one.kind, one.value) for found in identities.values() for one in found}),
        "addresses": sorted({(one.channel, one.address) for found in endpoints.values() for one in found}),
        "runs": await runs.ids_of_users(session, project_id, known),
    }


async def _tell_every_shard(
    session: WriteSession, context: Context, known: Sequence[UserKey], command: dict[str, Any]
) -> None:
    """All of them: a shard may hold an identity that leads elsewhere, or messages of a run that has left."""
    numbers: defaultdict[int, list[int]] = defaultdict(list)
    for shard, number in known:
        numbers[shard].append(number)
    entries = [
        inbox.Entry(
            shard,
            context.project_id,
            ERASE,
            orjson.dumps({**command, "numbers": numbers.get(shard, [])}),
            command["at"],
        )
        for shard in range(context.shards)
    ]
    await inbox.append(session, entries)
