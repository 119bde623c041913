"""The messages of runs, as those that come after them may tell of them."""

from collections import defaultdict
from collections.abc import Collection
from typing import Any

from sqlalchemy import bindparam, select

from .among import among
from .bulk import table_of
from .sessions import ReadSession
from .tables import Message

_messages = table_of(Message)
_OF_RUNS = (
    select(
        _messages.c.run_id,
        _messages.c.step_key,
        _messages.c.created_at,
        _messages.c.channel,
        _messages.c.status,
        _messages.c.reason,
        _messages.c.attempted_at,
        _messages.c.voucher,
        _messages.c.heard,
    )
    .where(_messages.c.shard.in_(bindparam("shards", expanding=True)), among(_messages.c.run_id, "runs"))
    .order_by(_messages.c.created_at, _messages.c.id)
)


async def of_runs(
    session: ReadSession, shards: Collection[int], runs: Collection[int]
) -> dict[int, list[Any]]:
    """By run: its messages in these shards, in the order in which they were decided."""
    found: defaultdict[int, list[Any]] = defaultdict(list)
    for row in await session.rows_in(_OF_RUNS, "runs", sorted(runs), {"shards": sorted(shards)}):
        found[row.run_id].append(row)
    return dict(found)
