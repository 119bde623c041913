"""Messages of journeys that are over: whatever waits is given up at once, wherever and for how long it waits.

Without this a message that waits for a later attempt, or for a connection that is off, would be counted as
queued until then. What is under way already is looked at before it leaves, as everything is.
"""

from collections.abc import Collection

from server.clock import Clock
from server.delivery.status import SkipReason
from server.engine import leases
from server.store import outbox
from server.store.database import Database

from .claims import WORK, end, is_uncertain, skip

MOST_AT_ONCE = 1000


async def cancel(db: Database, clock: Clock, shard: int, token: int, journeys: Collection[int]) -> int:
    """Gives up what still waits of these journeys in a shard. Returns how many. Raises LostLease."""
    done = 0
    while True:
        async with db.read() as session:
            waiting = await outbox.still_waiting(session, shard, journeys, MOST_AT_ONCE)
        if not waiting:
            return done
        now, why = clock.now(), SkipReason.JOURNEY_STOPPED.value
        async with db.write() as session:
            await leases.prove(session, WORK, shard, token)
            # What may have arrived was not skipped.
            await end(session, shard, [one for one in waiting if is_uncertain(one)], now)
            await skip(session, shard, [one for one in waiting if not is_uncertain(one)], why, now)
        done += len(waiting)
