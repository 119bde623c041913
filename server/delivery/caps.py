"""Frequency caps at the claim: the attempt that is about to be noted is the reservation.

A user lives in one shard and a shard has one dispatcher, so nobody else claims for the same person between
our look and our commit. Within a claim each message counts for those behind it.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from server.clock import Instant
from server.journey.steps.sending_rules import Cap, CapRule
from server.store import caps
from server.store.caps import Limit, Passage, Sent
from server.store.sessions import ReadSession

_parsed = lru_cache(maxsize=1000)(Cap.parse)


async def without_room(
    session: ReadSession, shard: int, rows: Sequence[Any], attempted_at: Mapping[int, Instant]
) -> set[int]:
    """The ids of those for which a cap leaves no room.

    `rows` are all of one connection and in the order in which they may go; `attempted_at` says by id when.
    """
    if not rows:
        return set()
    project_id, channel = rows[0].project_id, rows[0].channel
    of_project = await caps.of_channel(session, project_id, channel)
    limits = {row.id: _limits(_parsed(row.cap), of_project) for row in rows}
    windows = [limit.window_ms for found in limits.values() for limit in found]
    if not windows:
        return set()
    numbers = sorted({row.user_number for row in rows if limits[row.id]})
    since = min(attempted_at.values()) - max(windows)
    sent = await caps.passages(session, shard, project_id, channel, numbers, since)
    return _without_room(rows, limits, attempted_at, sent)


def _without_room(
    rows: Sequence[Any],
    limits: Mapping[int, Sequence[Limit]],
    attempted_at: Mapping[int, Instant],
    sent: dict[int, Sent],
) -> set[int]:
    found = set()
    for row in rows:
        if _parsed(row.cap).rule is CapRule.IGNORE:
            continue
        mine, at = sent.setdefault(row.user_number, {}), attempted_at[row.id]
        passage = Passage(row.run_id, row.step_key, row.created_at)
        # Another device of one passage is no other message to its user.
        if passage not in mine and any(_is_full(mine, limit, at) for limit in limits[row.id]):
            found.add(row.id)
        else:
            mine.setdefault(passage, at)
    return found


def _is_full(sent: Sent, limit: Limit, at: Instant) -> bool:
    return sum(one > at - limit.window_ms for one in sent.values()) >= limit.most


def _limits(cap: Cap, of_project: Sequence[Limit]) -> Sequence[Limit]:
    if cap.rule is CapRule.IGNORE:
        return ()
    return (Limit(cap.most, cap.window_ms),) if cap.rule is CapRule.OWN else of_project
