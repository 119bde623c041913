"""Messages of users who have turned out to be others since: it is the others who decide about them now."""

from collections.abc import Sequence
from typing import Any

from . import consents, users
from .sessions import ReadSession


async def with_later_decisions(session: ReadSession, shard: int, rows: Sequence[Any]) -> list[Any]:
    """These messages of a shard, each permitted or not by what its user has last decided, as whoever."""
    return [row if row.merged_into is None else await _decided(session, shard, row) for row in rows]


async def _decided(session: ReadSession, shard: int, row: Any) -> Any:
    keys = {(shard, row.user_number), await users.final(session, row.project_id, (shard, row.user_number))}
    found = await consents.by_users(session, row.project_id, [key for key in keys if key is not None])
    said = [
        (one.decided_at, not one.granted)
        for theirs in found.values()
        for one in theirs
        if (one.channel, one.purpose) == (consents.kept_under(row.channel), row.purpose)
    ]
    # Of two at one instant the refusal holds.
    is_granted = not max(said)[1] if said else None
    return row._replace(is_granted=is_granted)
