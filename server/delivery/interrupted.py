"""Attempts that somebody began and nobody ended: whoever made them is gone."""

from collections.abc import Collection
from dataclasses import replace

from channels.contract import Unknown
from server.clock import Clock
from server.engine import leases
from server.store import attempts, inbox
from server.store.sessions import WriteSession

from .claims import WORK, Claimed
from .outcomes import Ways, receipt_of
from .receipts import INTERRUPTED, HeardReceipt, encode
from .routing import Routes


async def settle_interrupted(
    session: WriteSession,
    clock: Clock,
    shard: int,
    token: int,
    ours: Collection[tuple[int, int]],
    routes: Routes,
) -> int:
    """Says of every attempt in the shard without an outcome that it is unknown. Returns how many.

    For a holder that has just got the lease. Whoever made those attempts has let the lease run out: it is
    gone, or it is so late that the outcome it may still append is stronger than `unknown` and replaces it.
    Nothing is sent again but what the provider can tell from its double, or be asked about. An outcome that
    waits in the inbox already is worked in first, and then makes this receipt void. Attempts that are
    `ours`, still on their way, are left alone.
    """
    await leases.prove(session, WORK, shard, token)
    found = [one for one in await attempts.unfinished(session, shard) if (shard, one.id) not in ours]
    now = clock.now()
    entries = [
        inbox.Entry(shard, one.project_id, inbox.RECEIPT, encode(_told(one, shard, clock, routes)), now)
        for one in found
    ]
    await inbox.append(session, entries)
    return len(entries)


def _told(one: attempts.Unfinished, shard: int, clock: Clock, routes: Routes) -> HeardReceipt:
    claimed = Claimed(shard, one, one.attempt, one.attempted_at)
    ways = Ways(routes.on_unknown(one.connection_id))
    receipt = receipt_of(Unknown(code=INTERRUPTED), claimed, clock.now(), ways)
    key = f"attempt:{one.attempt}:interrupted"
    return replace(receipt, key=key, code=INTERRUPTED, occurred_at=one.attempted_at)
