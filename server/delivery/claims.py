"""The claim: the world is looked at once more, and the attempt is on disk before the provider hears of it."""

import time
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from channels.contract import ReceiptKind
from channels.reasons import Reason
from server.clock import Clock, Instant
from server.delivery.receipts import INTERRUPTED, HeardReceipt, encode
from server.delivery.status import SkipReason
from server.engine import leases
from server.journey.status import JourneyStatus
from server.store import inbox, messages
from server.store.sessions import WriteSession

WORK = "dispatch"
PARKED = "parked"
"""Not now: the journey is paused."""

_STATES = {messages.OPTED_OUT: SkipReason.OPTED_OUT, messages.INVALID: SkipReason.INVALID_ADDRESS}


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


async def claim(
    session: WriteSession, clock: Clock, shard: int, token: int, connection_id: int, most: int
) -> Claims:
    """Up to `most` messages to hand over, for the holder of the shard's lease. The caller commits.

    Raises `LostLease`.
    """
    await leases.prove(session, WORK, shard, token)
    now = clock.now()
    rows = await messages.due(session, shard, connection_id, now, most)
    held_back: defaultdict[str, list[Any]] = defaultdict(list)
    for row in rows:
        held_back[why_not(row, now)].append(row)
    may_go = {row.id: row for row in held_back.pop("", [])}
    await messages.park(session, shard, [row.id for row in held_back.pop(PARKED, [])])
    for reason, skipped in held_back.items():
        await messages.skip(session, shard, [row.id for row in skipped], reason)
        await inbox.append(session, [_skip(shard, row, reason, now) for row in skipped])
    attempts = await messages.attempt(session, shard, list(may_go), now, when_due=clock.follows_events)
    claimed = [Claimed(shard, may_go[one.id], one.attempt, one.attempted_at) for one in attempts]
    return Claims(len(rows), sorted(claimed, key=lambda one: one.row.id))


async def give_up_interrupted(
    session: WriteSession, clock: Clock, shard: int, token: int, ours: set[tuple[int, int]]
) -> int:
    """Says of every attempt in the shard without an outcome that it is unknown. Returns how many.

    For a holder that has just got the lease. Whoever made those attempts has let the lease run out: it is
    gone, or it is so late that the outcome it may still append is stronger than `unknown` and replaces it.
    Either way nothing is sent again. An outcome that waits in the inbox already is worked in first, and
    then makes this receipt void. Attempts that are `ours`, still on their way, are left alone.
    """
    await leases.prove(session, WORK, shard, token)
    found = [one for one in await messages.unfinished(session, shard) if (shard, one.id) not in ours]
    now = clock.now()
    entries = [
        inbox.Entry(shard, one.project_id, inbox.RECEIPT, encode(_interrupted(one)), now) for one in found
    ]
    await inbox.append(session, entries)
    return len(entries)


def _interrupted(one: messages.Unfinished) -> HeardReceipt:
    return HeardReceipt(
        one.id,
        f"attempt:{one.attempt}:interrupted",
        ReceiptKind.UNKNOWN,
        one.attempted_at,
        reason=Reason.OUTCOME_UNKNOWN.value,
        code=INTERRUPTED,
        attempt=one.attempt,
    )


def _skip(shard: int, row: Any, reason: str, now: Instant) -> inbox.Entry:
    receipt = HeardReceipt(row.id, "decision", ReceiptKind.SKIPPED, now, reason=reason)
    return inbox.Entry(shard, row.project_id, inbox.RECEIPT, encode(receipt), now)
