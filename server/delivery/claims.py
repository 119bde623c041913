"""The claim: the world is looked at once more, and the attempt is on disk before the provider hears of it."""

import time
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from channels.contract import ReceiptKind
from channels.reasons import Reason
from server.alimtalk.declaration import BENEFIT_NOTICE
from server.clock import DAY, Clock, Instant
from server.delivery.alimtalk import choosing, keeping
from server.delivery.alimtalk.sheets import Sheet
from server.delivery.receipts import HeardReceipt, encode
from server.delivery.status import SkipReason
from server.engine import leases
from server.journey.status import JourneyStatus
from server.store import attempts, inbox, outbox, suppressed
from server.store.consents import holds
from server.store.sessions import WriteSession

from . import caps, vouchers
from .quiet import Quiet, told

WORK = "dispatch"
PARKED = "parked"
"""Not now: the journey is paused, or the guard holds its sending through this connection."""
EXPIRED = "expired"
"""Later than this it helps nobody."""
SILENT = "silent"
"""Not now: these are silent hours where the person is."""
UNSETTLED = "unsettled"
"""An earlier attempt may have arrived, and no other may settle it any more."""
LONGEST_TRYING = DAY
"""After a message was born; what comes later than that helps nobody."""

NO_CAUSES: Mapping[int, str] = {}
_STATES = {outbox.OPTED_OUT: SkipReason.OPTED_OUT, outbox.INVALID: SkipReason.INVALID_ADDRESS}


@dataclass(slots=True)
class Claimed:
    """A message that an attempt is noted for: from here on it leaves once or not at all."""

    shard: int
    row: Any
    """The message with its world, as last looked at."""
    attempt: int
    attempted_at: Instant
    voucher: str = ""
    """The code that it carries, if its step gives any."""
    sheet: Sheet | None = None
    """The version of its template that it leaves with, if it is made of one of the project's."""
    onward: Collection[int] | None = None
    """The connections that may send it as well; None is all of its kind."""
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
    if row.erased_at is not None:
        return SkipReason.ERASED.value
    if row.journey_status == JourneyStatus.PAUSED:
        return PARKED
    if row.journey_status != JourneyStatus.RUNNING and not _has_run_out(row):
        return SkipReason.JOURNEY_STOPPED.value
    if row.held_since is not None:
        return PARKED
    return _STATES.get(row.state, "") or _not_permitted(row, now)


def _has_run_out(row: Any) -> bool:
    """Whether its journey came to its end by itself: what it decided to send still leaves."""
    over = (JourneyStatus.FINISHED, JourneyStatus.ARCHIVED)
    return row.journey_status in over and not row.journey_was_stopped


def _not_permitted(row: Any, now: Instant) -> str:
    if row.suppressed_until is not None and row.suppressed_until > now:
        return SkipReason.SUPPRESSED.value
    granted = holds(row.is_granted, row.granted_until, now)
    if granted is False or (granted is None and row.needs_consent):
        return SkipReason.NO_CONSENT.value
    return _unmet(row, now) if row.demands else ""


def _unmet(row: Any, now: Instant) -> str:
    """Why a message may not go that asks more of its reader: to be a member, who has consented to such."""
    if row.user_id is None and row.merged_into is None:
        return SkipReason.NOT_MEMBER.value
    return "" if holds(row.is_demand_met, row.demand_met_until, now) else SkipReason.NO_CONSENT.value


def is_uncertain(row: Any) -> bool:
    """Whether an earlier attempt of this message may have arrived."""
    return bool(row.reason == Reason.OUTCOME_UNKNOWN)


def deadline(row: Any) -> Instant:
    """No attempt is made later than this."""
    longest: Instant = row.created_at + LONGEST_TRYING
    return longest if row.expires_at is None else min(longest, row.expires_at)


def is_over(row: Any, now: Instant) -> bool:
    """Whether its time is over, so that it does not leave any more."""
    if is_uncertain(row) and now > deadline(row):
        # However long it had to wait here: by now the provider may know nothing of the double.
        return True
    return row.expires_at is not None and row.expires_at <= now


def held_back(row: Any, now: Instant) -> str:
    """Why it stays here: a `SkipReason`, `PARKED`, `EXPIRED`, `UNSETTLED`, or nothing."""
    why = EXPIRED if is_over(row, now) else why_not(row, now)
    # What may have arrived was neither skipped nor too late.
    return UNSETTLED if why not in ("", PARKED) and is_uncertain(row) else why


async def claim(
    session: WriteSession,
    clock: Clock,
    shard: int,
    token: int,
    connection_id: int,
    most: int,
    quiet: Quiet | None = None,
    later: Sequence[int] = (),
) -> Claims:
    """Up to `most` messages to hand over, for the holder of the shard's lease. The caller commits.

    `later` are the connections after this one: a message whose template cannot go out here moves on to them.

    Raises `LostLease`.
    """
    await leases.prove(session, WORK, shard, token)
    now = clock.now()
    rows = await outbox.due(session, shard, connection_id, now, most)
    quiet = quiet or Quiet()
    await quiet.learn(session, rows)
    sorted_by: defaultdict[str, list[Any]] = defaultdict(list)
    for row in rows:
        at = row.due_at if clock.follows_events else now
        sorted_by[held_back(row, now) or held_by_silence(row, at, quiet)].append(row)
    may_go = {row.id: row for row in sorted_by.pop("", [])}
    await outbox.park(session, shard, [row.id for row in sorted_by.pop(PARKED, [])])
    await _put_off(session, shard, sorted_by.pop(SILENT, []), quiet, clock)
    await end(session, shard, sorted_by.pop(EXPIRED, []) + sorted_by.pop(UNSETTLED, []), now)
    chosen = await choosing.choose(session, shard, list(may_go.values()), connection_id, later, now)
    await _settle(session, shard, chosen, connection_id, now)
    for message_id in chosen.leaving:
        del may_go[message_id]
    when_due = clock.follows_events
    for row in await _without_room(session, shard, list(may_go.values()), now, when_due=when_due):
        sorted_by[SkipReason.CAPPED.value].append(may_go.pop(row.id))
    handing = await vouchers.prepare(session, shard, list(may_go.values()))
    for row in handing.without:
        sorted_by[SkipReason.NO_VOUCHER.value].append(may_go.pop(row.id))
    causes = await suppressed.causes(session, sorted_by.get(SkipReason.SUPPRESSED.value, []), now)
    for reason, skipped in sorted_by.items():
        await skip(session, shard, skipped, reason, now, causes)
    going = [message_id for message_id in may_go if message_id not in handing.later]
    begun = await attempts.begin(session, shard, going, now, when_due=when_due)
    codes = await vouchers.hand_out(session, shard, handing, [may_go[one.id] for one in begun], now)
    await keeping.keep(session, shard, chosen, begun, may_go)
    claimed = [_claimed(shard, may_go[one.id], one, codes, chosen) for one in begun]
    return Claims(len(rows), sorted(claimed, key=lambda one: one.row.id))


def held_by_silence(row: Any, at: Instant, quiet: Quiet) -> str:
    """`SILENT`, or nothing. Nobody is written to at night, also not once more."""
    return SILENT if quiet.opens_at(row, at) > at else ""


async def _put_off(
    session: WriteSession, shard: int, silent: Sequence[Any], quiet: Quiet, clock: Clock
) -> None:
    """Has them wait until silence is over, or until they expire."""
    if not silent:
        return
    waits, entries = [], []
    for row in silent:
        now = row.due_at if clock.follows_events else clock.now()
        opens = quiet.opens_at(row, now)
        waits.append((row.id, min(opens, row.expires_at or opens)))
        receipt = HeardReceipt(
            row.id,
            f"silent:{opens}",
            ReceiptKind.DEFERRED,
            now,
            code="silent_hours",
            detail=told(row, opens, now),
            connection_id=row.connection_id,
        )
        entries.append(inbox.Entry(shard, row.project_id, inbox.RECEIPT, encode(receipt), clock.now()))
    await outbox.put_off(session, shard, waits)
    await inbox.append(session, entries)


async def _without_room(
    session: WriteSession, shard: int, rows: Sequence[Any], now: Instant, *, when_due: bool
) -> list[Any]:
    """Those that a frequency cap leaves no room for. One that may have arrived has its room already."""
    free = [row for row in rows if not is_uncertain(row)]
    attempted_at = {row.id: row.due_at if when_due else now for row in free}
    full = await caps.without_room(session, shard, free, attempted_at)
    return [row for row in free if row.id in full]


def _claimed(
    shard: int, row: Any, attempt: attempts.Attempt, codes: Mapping[int, str], chosen: choosing.Chosen
) -> Claimed:
    voucher, sheet = codes.get(row.id, row.voucher), chosen.sheets.get(row.id)
    onward = chosen.places.get(row.template, {}).keys() if row.template else None
    return Claimed(shard, row, attempt.attempt, attempt.attempted_at, voucher, sheet, onward)


async def _settle(
    session: WriteSession, shard: int, chosen: choosing.Chosen, here: int, now: Instant
) -> None:
    """What does not go out here: some of it is given up, and some goes on to a later connection."""
    for reason, skipped in chosen.skipped.items():
        # Of a ground that was declared since the message was born, only the receipt tells.
        cause = BENEFIT_NOTICE if reason == SkipReason.NO_CONSENT else ""
        await skip(session, shard, skipped, reason, now, {row.id: cause for row in skipped})
    for there, moving in chosen.onward.items():
        moved = await outbox.move(session, shard, [row.id for row in moving], here, there)
        told = [_moved(shard, row, (here, there), now) for row in moving if row.id in moved]
        await inbox.append(session, told)


def _moved(shard: int, row: Any, way: tuple[int, int], now: Instant) -> inbox.Entry:
    here, there = way
    receipt = HeardReceipt(
        row.id,
        f"moved:template:{here}",
        ReceiptKind.DEFERRED,
        now,
        reason=Reason.TEMPLATE_UNAVAILABLE.value,
        code="moved",
        detail=f"goes through connection {there}, because the template {row.template!r} may not be sent "
        f"through connection {here}",
        connection_id=here,
    )
    return inbox.Entry(shard, row.project_id, inbox.RECEIPT, encode(receipt), now)


async def end(session: WriteSession, shard: int, over: Sequence[Any], now: Instant) -> None:
    """Ends queued messages whose time is over, and tells the inbox. An open outcome stays open."""
    unsettled = await outbox.leave_open(session, shard, [row.id for row in over if is_uncertain(row)])
    expired = await outbox.expire(session, shard, [row.id for row in over if not is_uncertain(row)])
    entries = [_ended(shard, row, now) for row in over if row.id in unsettled | expired]
    await inbox.append(session, entries)


def _ended(shard: int, row: Any, now: Instant) -> inbox.Entry:
    key, kind, reason = EXPIRED, ReceiptKind.EXPIRED, Reason.EXPIRED
    if is_uncertain(row):
        key, kind, reason = UNSETTLED, ReceiptKind.UNKNOWN, Reason.OUTCOME_UNKNOWN
    receipt = HeardReceipt(row.id, key, kind, now, reason=reason.value, connection_id=row.connection_id)
    return inbox.Entry(shard, row.project_id, inbox.RECEIPT, encode(receipt), now)


async def skip(
    session: WriteSession,
    shard: int,
    skipped: Sequence[Any],
    reason: str,
    now: Instant,
    causes: Mapping[int, str] = NO_CAUSES,
) -> None:
    """Gives up queued messages that may not go, and tells the inbox; with its cause, where there is one."""
    await outbox.skip(session, shard, [row.id for row in skipped], reason)
    entries = [_skipped(shard, row, reason, now, causes.get(row.id, "")) for row in skipped]
    await inbox.append(session, entries)


def _skipped(shard: int, row: Any, reason: str, now: Instant, cause: str) -> inbox.Entry:
    receipt = HeardReceipt(row.id, "decision", ReceiptKind.SKIPPED, now, reason=reason, code=cause)
    return inbox.Entry(shard, row.project_id, inbox.RECEIPT, encode(receipt), now)
