"""Messages that wait for a connection that sends nothing now: it is disabled, or its breaker is open."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from channels.contract import ReceiptKind
from server.clock import Clock, Instant
from server.delivery.alimtalk import choosing
from server.delivery.receipts import HeardReceipt, encode
from server.engine import leases
from server.store import inbox, outbox
from server.store.database import Database
from server.store.sessions import ReadSession

from .claims import LONGEST_TRYING, WORK, end
from .routing import Routes

MOST_AT_ONCE = 1000


async def clear_stopped(
    db: Database, clock: Clock, routes: Routes, shard: int, token: int, connection_id: int
) -> int:
    """Moves those that may go through another connection, ends those whose time is over. What is made of a
    template moves only to where that may be sent.

    Returns how many it found. Raises LostLease.
    """
    now = clock.now()
    async with db.read() as session:
        late = await outbox.overdue(session, shard, connection_id, now, now - LONGEST_TRYING, MOST_AT_ONCE)
        moving = await _movable(session, routes, shard, connection_id, now)
    gone = {one.id for one in late}
    moving = {there: [one for one in listed if one.id not in gone] for there, listed in moving.items()}
    if not late and not any(moving.values()):
        return 0
    async with db.write() as session:
        await leases.prove(session, WORK, shard, token)
        await end(session, shard, late, now)
        for there, listed in moving.items():
            moved = await outbox.move(session, shard, [one.id for one in listed], connection_id, there)
            gone_on = [one for one in listed if one.id in moved]
            await inbox.append(session, _told(gone_on, shard, routes, (connection_id, there), now))
    return len(late) + sum(map(len, moving.values()))


async def _movable(
    session: ReadSession, routes: Routes, shard: int, connection_id: int, now: Instant
) -> Mapping[int, Sequence[outbox.Waiting]]:
    """By connection: what may move on to it. What nobody else may send stays, and is in nobody's way."""
    even_shut, kept = _is_disabled(routes, connection_id), set[str]()
    if routes.onward(connection_id, now, even_shut=even_shut) is None:
        return {}
    while True:
        found = await outbox.movable(session, shard, connection_id, now, MOST_AT_ONCE, kept)
        places = await choosing.places_of(session, found)
        moving: defaultdict[int, list[outbox.Waiting]] = defaultdict(list)
        for one in found:
            among = places.get(one.template, {}).keys() if one.template else None
            there = routes.onward(connection_id, now, even_shut=even_shut, among=among)
            if there is None:
                kept.add(one.template)
            else:
                moving[there].append(one)
        if moving or len(found) < MOST_AT_ONCE:
            return moving


def _is_disabled(routes: Routes, connection_id: int) -> bool:
    route = routes.get(connection_id)
    return route is not None and not route.row.is_enabled


def _told(
    moved: Sequence[outbox.Waiting], shard: int, routes: Routes, way: tuple[int, int], now: Instant
) -> list[inbox.Entry]:
    here, there = way
    why, reason = "is disabled", ""
    if not _is_disabled(routes, here):
        why, reason = "has failed too often", routes.health.of(here).reason
    entries = []
    for one in moved:
        receipt = HeardReceipt(
            one.id,
            f"moved:{one.attempt}:{here}",
            ReceiptKind.DEFERRED,
            now,
            reason=reason,
            code="moved",
            detail=f"goes through connection {there}, because connection {here} {why}",
            connection_id=here,
        )
        entries.append(inbox.Entry(shard, one.project_id, inbox.RECEIPT, encode(receipt), now))
    return entries
