"""Finds what was heard in codes that today's tables know better, and hands it to the engine to be corrected.

Nothing is corrected here: the figures move with the facts in the shard's own transaction.
"""

from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import NamedTuple

import orjson

from channels.host import Host
from channels.reasons import Reason
from server.clock import Instant
from server.store import inbox, receipts, routes
from server.store.commands import REMAP
from server.store.database import Database

PAGE = 2000
MOST_AT_ONCE = 500
"""Receipts of one row of the inbox, so that a turn of the engine stays a turn."""


class Change(NamedTuple):
    """One code that means something else now."""

    adapter: str
    code: str
    before: str
    after: str


@dataclass(slots=True)
class Remapped:
    looked_at: int = 0
    changes: Counter[Change] = field(default_factory=Counter)
    unlisted: Counter[tuple[str, str]] = field(default_factory=Counter)
    """By adapter and code: what no table lists yet."""


async def remap(
    db: Database, host: Host, project_id: int, shards: int, now: Instant, *, changed: bool, dry_run: bool
) -> Remapped:
    """Reads the codes of a project's failures again: those that nobody knew, and with `changed` also those
    that were taken for something else. A dry run only tells."""
    found = Remapped()
    async with db.read() as session:
        adapters = {row.id: row.adapter for row in await routes.routes(session)}
    for shard in range(shards):
        async for rows in _pages(db, project_id, shard, changed):
            found.looked_at += len(rows)
            corrections = [one for row in rows if (one := _corrected(row, host, adapters, found)) is not None]
            if corrections and not dry_run:
                await _hand_over(db, project_id, shard, corrections, now)
    return found


async def _pages(
    db: Database, project_id: int, shard: int, changed: bool
) -> AsyncIterator[list[receipts.Coded]]:
    after: receipts.Place = (0, "")
    while True:
        async with db.read() as session:
            rows = await receipts.coded(
                session, project_id, shard, after, PAGE, reason=None if changed else Reason.UNKNOWN.value
            )
        yield rows
        if len(rows) < PAGE:
            return
        after = (rows[-1].message_id, rows[-1].key)


def _corrected(
    row: receipts.Coded, host: Host, adapters: dict[int, str], found: Remapped
) -> tuple[int, str, str] | None:
    adapter = adapters.get(row.connection_id, "")
    channel = host.channels.get(adapter)
    reason = channel.reason_of(row.code) if channel is not None else None
    if reason is None or reason.value == row.reason:
        if reason is None and row.reason == Reason.UNKNOWN:
            found.unlisted[adapter, row.code] += 1
        return None
    found.changes[Change(adapter, row.code, row.reason, reason.value)] += 1
    return row.message_id, row.key, reason.value


async def _hand_over(
    db: Database, project_id: int, shard: int, corrections: list[tuple[int, str, str]], now: Instant
) -> None:
    pages = [corrections[at : at + MOST_AT_ONCE] for at in range(0, len(corrections), MOST_AT_ONCE)]
    entries = [inbox.Entry(shard, project_id, REMAP, orjson.dumps({"receipts": page}), now) for page in pages]
    async with db.write() as session:
        await inbox.append(session, entries)
