"""Frequency caps: how often at most people are written to on a channel, and how often they were."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from sqlalchemy import and_, bindparam, delete, func, or_, select

from channels.reasons import Reason
from server.clock import Instant

from .among import among
from .bulk import inserting, table_of
from .sessions import ReadSession, WriteSession
from .tables import FrequencyCap, Message

_caps, _messages = table_of(FrequencyCap), table_of(Message)
_CAPS = inserting(FrequencyCap)

_ARRIVED_PERHAPS = ("attempted", "accepted", "delivered", "unknown")
"""A message that was refused, that bounced or that came too late has reached nobody, and does not count."""

_PASSAGES = (
    select(
        _messages.c.user_number,
        _messages.c.run_id,
        _messages.c.step_key,
        _messages.c.created_at,
        func.max(_messages.c.attempted_at).label("attempted_at"),
    )
    .where(
        _messages.c.shard == bindparam("of_shard"),
        _messages.c.project_id == bindparam("of_project"),
        among(_messages.c.user_number, "numbers"),
        _messages.c.channel == bindparam("of_channel"),
        _messages.c.attempted_at > bindparam("since"),
        _messages.c.cap != "ignore",
    )
    .where(
        or_(
            _messages.c.status.in_(_ARRIVED_PERHAPS),
            # One that is tried again because nobody knows whether it has arrived.
            and_(_messages.c.status == "queued", _messages.c.reason == Reason.OUTCOME_UNKNOWN.value),
        )
    )
    .group_by(_messages.c.user_number, _messages.c.run_id, _messages.c.step_key, _messages.c.created_at)
)


class Limit(NamedTuple):
    """At most so many messages in any window of this length."""

    most: int
    window_ms: int


class Passage(NamedTuple):
    """One passage of a run through a step, to however many addresses it writes."""

    run_id: int
    step_key: str
    decided_at: Instant


Sent = dict[Passage, Instant]
"""When each passage last tried to reach its user."""


async def of_project(session: ReadSession, project_id: int) -> list[FrequencyCap]:
    """By channel, the shortest window first."""
    mine = select(_caps).where(_caps.c.project_id == project_id)
    return list(await session.rows(mine.order_by(_caps.c.channel, _caps.c.window_ms)))


async def of_channel(session: ReadSession, project_id: int, channel: str) -> list[Limit]:
    mine = (_caps.c.project_id == project_id, _caps.c.channel == channel)
    rows = await session.rows(select(_caps.c.most, _caps.c.window_ms).where(*mine))
    return [Limit(*row) for row in rows]


async def replace(
    session: WriteSession, project_id: int, caps: Iterable[tuple[str, Limit]], now: Instant
) -> None:
    """Puts these in the place of all that the project had."""
    await session.run(delete(_caps).where(_caps.c.project_id == project_id))
    rows = [(project_id, channel, limit.window_ms, limit.most, now) for channel, limit in caps]
    await session.bulk(_CAPS, rows)


async def passages(
    session: ReadSession,
    shard: int,
    project_id: int,
    channel: str,
    numbers: Sequence[int],
    since: Instant,
) -> dict[int, Sent]:
    """By user: what has tried to reach them on this channel since then, and may have."""
    about = {"of_shard": shard, "of_project": project_id, "of_channel": channel, "since": since}
    found: defaultdict[int, Sent] = defaultdict(dict)
    for number, *passage, at in await session.rows_in(_PASSAGES, "numbers", numbers, about):
        found[number][Passage(*passage)] = at
    return dict(found)
