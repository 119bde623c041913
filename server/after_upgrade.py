"""What an upgrade leaves to be done once: by `sojourn migrate`, else by the first start after it.

One transaction, so that nobody ever sees a half of it, and whoever starts meanwhile waits for its end.
"""

import time

import structlog

from server.aggregates import attribute_recount, recount, recount_deeds, recount_lives
from server.clock import WallClock
from server.engine import earlier_events
from server.store import setup
from server.store.sessions import WriteSession

log = structlog.get_logger("upgrade")


async def count_what_is_due(session: WriteSession, shards: int) -> None:
    """Finds and counts what is due. No engine may work meanwhile."""
    needs_deeds, needs_all = await setup.deeds_are_due(session), await setup.recount_is_due(session)
    needs_sets = await attribute_recount.is_due(session)
    if not (needs_deeds or needs_all or needs_sets):
        return
    begun = time.monotonic()
    log.info("counting once what the upgrade needs; nothing is served before", shards=shards)
    if needs_deeds:
        await earlier_events.find(session, shards, WallClock().now())
    if needs_all:
        log.info("counting everything again from the facts")
        await recount.rebuild(session)
    elif needs_deeds:
        # Orders before deeds, which are counted by them.
        log.info("finding orders, and counting lives and deeds")
        await recount_lives.rebuild(session)
        await recount_deeds.rebuild(session)
    if needs_sets:
        log.info("making sets of attributes")
        await attribute_recount.rebuild(session)
    log.info("what the upgrade needs is counted", seconds=round(time.monotonic() - begun, 1))
