"""The claim: the world is looked at once more, and the attempt is on disk before the provider hears of it."""

import time
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from channels.contract import ReceiptKind
from channels.reasons import Reason
from server.clock import Clock, Instant
from server.delivery.receipts import HeardReceipt, encode
from server.delivery.status import SkipReason
from server.engine import leases
from server.journey.status import JourneyStatus
from server.store import attempts, inbox, outbox
from server.store.sessions import WriteSession

WORK = "dispatch"
PARKED = "parked"
"""Not now: the journey is paused."""
EXPIRED = "expired"
"""Later than this it helps nobody."""

_STATES = {outbox.OPTED_OUT: SkipReason.OPTED_OUT, outbox.INVALID: SkipReason.INVALID_ADDRESS}


@dataclass(slots=True)
class Claimed:
    """A message that an attempt is noted for: from here on it leaves once or not at all."""

    shard: int
    row: Any
    """The message with its world, as last looked at."""
    attempt: int
    attempted_at: Instant
    looked_at: float = field(default_factory=time.monotonic)

    @property
    def key(self) -> tuple[int, int]:
        return self.shard, self.row.id

    @property
    def waited_seconds(self) -> float:
        return time.monotonic() - self.looked_at

    def look(self, row: Any) -> None:
        self.row, self.looked_at = row, time.monotonic()


class Claims(NamedTuple):
    seen: int
    """Messages that were due, those that were skipped or parked included."""
    messages: list[Claimed]


def why_not(row: Any, now: Instant) -> str:
    """Why this message may not go now: a `SkipReason`, `PARKED`, or nothing."""
    if row.journey_status == JourneyStatus.PAUSED:
        return PARKED
    if row.journey_status != JourneyStatus.RUNNING:
        return SkipReason.JOURNEY_STOPPED.value
    return _STATES.get(row.state, "") or _not_permitted(row, now)


def _not_permitted(row: Any, now: Instant) -> str:
    if row.suppressed_until is not None and row.suppressed_until > now:
        return SkipReason.SUPPRESSED.value
    if row.is_granted is False or (row.is_granted is None and row.needs_consent):
        return SkipReason.NO_CONSENT.value
    return ""


def is_over(row: Any, now: Instant) -> bool:
    """Whether its time is over, so that it does not leave any more."""
    return row.expires_at is not None and row.expires_at <= now


async def claim(
    session: WriteSession, clock: Clock, shard: int, token: int, connection_id: int, most: int
) -> Claims:
    """Up to `most` messages to hand over, for the holder of the shard's lease. The caller commits.

    Raises `LostLease`.
    """
    await leases.prove(session, WORK, shard, token)
    now = clock.now()
    rows = await outbox.due(session, shard, connection_id, now, most)
    held_back: defaultdict[str, list[Any]] = defaultdict(list)
    for row in rows:
        held_back[EXPIRED if is_over(row, now) else why_not(row, now)].append(row)
    may_go = {row.id: row for row in held_back.pop("", [])}
    await outbox.park(session, shard, [row.id for row in held_back.pop(PARKED, [])])
    over = held_back.pop(EXPIRED, [])
    await outbox.expire(session, shard, [row.id for row in over])
    await inbox.append(session, [expired(shard, row, now) for row in over])
    for reason, skipped in held_back.items():
        await outbox.skip(session, shard, [row.id for row in skipped], reason)
        await inbox.append(session, [_skip(shard, row, reason, now) for row in skipped])
    begun = await attempts.begin(session, shard, list(may_go), now, when_due=clock.follows_events)
    claimed = [Claimed(shard, may_go[one.id], one.attempt, one.attempted_at) for one in begun]
    return Claims(len(rows), sorted(claimed, key=lambda one: one.row.id))


def expired(shard: int, row: Any, now: Instant) -> inbox.Entry:
    """What the inbox is told of a message that waited until its time was over."""
    about = {"reason": Reason.EXPIRED.value, "connection_id": row.connection_id}
    receipt = HeardReceipt(row.id, "expired", ReceiptKind.EXPIRED, now, **about)
    return inbox.Entry(shard, row.project_id, inbox.RECEIPT, encode(receipt), now)


def _skip(shard: int, row: Any, reason: str, now: Instant) -> inbox.Entry:
    receipt = HeardReceipt(row.id, "decision", ReceiptKind.SKIPPED, now, reason=reason)
    return inbox.Entry(shard, row.project_id, inbox.RECEIPT, encode(receipt), now)
