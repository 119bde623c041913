"""Receipts in a batch: facts about messages, folded into their state and counted."""

from dataclasses import replace
from typing import Any

import structlog

from channels.contract import ReceiptKind
from channels.reasons import Reason, Suppress
from server.aggregates.metrics import Dimension, Metric
from server.clock import Instant
from server.delivery.bursts import HIT_KINDS, HUMAN, hear_hit, seen, to_hit
from server.delivery.receipts import INTERRUPTED, WRITTEN, HeardReceipt
from server.delivery.status import (
    PROVES_SENT,
    STILL_OURS,
    WITH_ACTOR,
    Counted,
    DeliveryStatus,
    carried,
    counted,
    hear,
    status_of,
)
from server.store.erasing import erased_link
from server.store.suppressing import EVERY_PURPOSE, Sighting, purpose_of

from . import costs, draws, news, standing_in
from .batch import Batch, Told
from .state import MessageState

_SETS = {
    ReceiptKind.ACCEPTED: Dimension.SENT,
    ReceiptKind.OPENED: Dimension.OPENED,
    ReceiptKind.CLICKED: Dimension.CLICKED,
}
_READERS = {
    ReceiptKind.OPENED: Dimension.VARIANT_OPENED,
    ReceiptKind.CLICKED: Dimension.VARIANT_CLICKED,
}
"""Who did it, going by the request alone: that never changes, as what is seen in the whole may."""
_OPTS_OUT = (ReceiptKind.UNSUBSCRIBED, ReceiptKind.COMPLAINED)
_ENDS_BADLY = (ReceiptKind.REFUSED, ReceiptKind.FAILED, ReceiptKind.BOUNCED)
_PROVES_REACHED = (
    ReceiptKind.DELIVERED,
    ReceiptKind.OPENED,
    ReceiptKind.CLICKED,
    ReceiptKind.REPLIED,
    ReceiptKind.SHOWN,
    ReceiptKind.INTERACTED,
)
log = structlog.get_logger("engine")
_REASONS = frozenset(reason.value for reason in Reason)


def take_in(batch: Batch, receipt: HeardReceipt, known: set[tuple[int, str]]) -> None:
    """Adds a receipt to its message. One that is known already changes nothing."""
    message = batch.messages.get(receipt.message_id)
    if message is None:
        # Of messages that are kept no longer; their figures stay as they are.
        log.info("a receipt of a message that is not there", message=receipt.message_id, kind=receipt.kind)
        return
    if (receipt.message_id, receipt.key) in known or _came_too_late(message, receipt):
        return
    known.add((receipt.message_id, receipt.key))
    before = counted_of(message)
    charged = costs.charged(message, before)
    _hear(batch, message, receipt)
    costs.hear(message, receipt)
    _move_on(batch, message, receipt)
    message.is_changed = True
    after = counted_of(message)
    costs.book(batch, message, after)
    count_change(batch, message, before, after)
    costs.count_change(batch, message, charged, costs.charged(message, after))
    suppress(batch, message, receipt)
    standing_in.consider(batch, message, receipt.occurred_at, receipt.code)
    news.tell(batch, message, receipt.occurred_at)


def counted_of(message: MessageState) -> Counted:
    return counted(seen(message.heard), message.reason, message.attempted_at, message.fallback_of)


def _came_too_late(message: MessageState, receipt: HeardReceipt) -> bool:
    """Whether an attempt was given up as interrupted whose outcome is known after all."""
    if receipt.code != INTERRUPTED or receipt.kind not in (ReceiptKind.UNKNOWN, ReceiptKind.DEFERRED):
        return False
    return message.status != DeliveryStatus.ATTEMPTED or message.attempt != receipt.attempt


def _move_on(batch: Batch, message: MessageState, receipt: HeardReceipt) -> None:
    """Attempts are the dispatcher's to note; only what was heard of them, or a deferral, changes the status.

    A deferral counts for the attempt that it ends, and for a message of which nothing better is known: one
    that was delivered meanwhile must not go out again.
    """
    status = status_of(message.heard)
    if status not in STILL_OURS:
        message.status, message.retry_at, message.moves_to = status.value, None, None
    elif (
        receipt.kind is ReceiptKind.DEFERRED
        and receipt.retry_at is not None
        and message.status == DeliveryStatus.ATTEMPTED
        and message.attempt == receipt.attempt
    ):
        message.status, message.retry_at = DeliveryStatus.QUEUED.value, receipt.retry_at
        # Why it waits: the dispatcher has to know of an attempt whose outcome is open.
        message.reason, message.moves_to = receipt.reason, _still_there(batch, message, receipt.moves_to)


def _still_there(batch: Batch, message: MessageState, connection_id: int | None) -> int | None:
    """The connection to go on through, unless it was deleted meanwhile: nothing would ever leave there."""
    here = (message.project_id, message.channel)
    there = connection_id is not None and batch.catalog.has_connection(*here, connection_id)
    return connection_id if there else None


def _hear(batch: Batch, message: MessageState, receipt: HeardReceipt) -> None:
    kind, at = receipt.kind, receipt.occurred_at
    _keep_reason(message, receipt)
    if kind in HIT_KINDS:
        _hear_hit(batch, message, receipt)
    hear(message.heard, kind.value, at)
    if receipt.provider_id and not message.provider_id:
        message.provider_id = receipt.provider_id
    value = f"{message.journey_id}/{message.step_key}"
    whose = (message.project_id, message.version, value, message.user_number)
    if kind in _SETS:
        batch.tally.include(_SETS[kind], *whose, at, message.entered_at)
    if kind in _READERS and receipt.actor == HUMAN:
        draws.note_reader(batch, message, _READERS[kind], at)
    if kind in PROVES_SENT and message.attempted_at is not None:
        batch.tally.include(Dimension.SENT, *whose, message.attempted_at, message.entered_at)
    batch.receipts.append(_row(batch, message, receipt))
    if message.id in batch.told:
        batch.told[message.id][receipt.key] = Told(kind, at, receipt.reason)


def _hear_hit(batch: Batch, message: MessageState, receipt: HeardReceipt) -> None:
    """What a hit gives away of others moves those from one actor's figures to another's."""
    hit = to_hit(receipt.kind.value, receipt.occurred_at, receipt.actor, receipt.url)
    for (kind, actor, at), n in hear_hit(message.heard, hit).items():
        every, _ = WITH_ACTOR[ReceiptKind(kind)]
        _count(batch, message, every, at, reason=actor, n=n)


def _keep_reason(message: MessageState, receipt: HeardReceipt) -> None:
    """The reason is that of the earliest receipt that says the message's status; of several at one instant
    it is the first by name. So it is the same whatever the order of arrival."""
    alone, before = status_of({receipt.kind.value: [0, 0, 0]}), status_of(message.heard)
    if status_of({**message.heard, receipt.kind.value: [0, 0, 0]}) is not before:
        message.reason = receipt.reason
    elif alone is before and before not in STILL_OURS:
        known = min(at for kind, (at, *_) in message.heard.items() if status_of({kind: []}) is before)
        if (receipt.occurred_at, receipt.reason) < (known, message.reason):
            message.reason = receipt.reason


def count_change(batch: Batch, message: MessageState, before: Counted, after: Counted) -> None:
    for (metric, reason), at in before.items():
        if after.get((metric, reason)) != at:
            _count(batch, message, metric, at, reason=reason, n=-1)
            draws.count_message(batch, message, metric, at, reason, -1)
    for (metric, reason), at in after.items():
        if before.get((metric, reason)) != at:
            _count(batch, message, metric, at, reason=reason)
            draws.count_message(batch, message, metric, at, reason, 1)
    _count_carried(batch, message, before, after)


def _count_carried(batch: Batch, message: MessageState, before: Counted, after: Counted) -> None:
    """What the connection answers for, and whether that is bad news of it."""
    old, new = carried(before), carried(after)
    if message.connection_id is None or old == new:
        return
    output, about = str(message.connection_id), (message.project_id, message.journey_id, message.version, "")
    for metric in {*old, *new}:
        for at, n in ((old.get(metric), -1), (new.get(metric), 1)):
            if at is not None and old.get(metric) != new.get(metric):
                when = (at, message.entered_at)
                batch.tally.count(metric, *about, *when, channel=message.channel, output=output, n=n)
    if len(new) > len(old) and len(new) > 1:
        batch.bad_news.add((message.project_id, message.journey_id))


def _count(batch: Batch, message: MessageState, metric: Metric, at: Instant, **more: Any) -> None:
    where = (message.project_id, message.journey_id, message.version, message.step_key)
    about = (*where, at, message.entered_at)
    batch.tally.count(metric, *about, channel=message.channel, **more)


def suppress(batch: Batch, message: MessageState, receipt: HeardReceipt) -> None:
    """What the receipt says of the address, for whoever may want to write to it again."""
    if not message.address:
        return  # Nobody knows any more which it was: its user was erased.
    where, at = (message.project_id, message.channel, message.address), receipt.occurred_at
    if receipt.kind in _PROVES_REACHED:
        _note_reached(batch, message, at)
        batch.sightings.append(Sighting(*where, EVERY_PURPOSE, "", at, "receipt"))
    reason = _against(receipt)
    if not reason:
        return
    purpose, source = EVERY_PURPOSE, "receipt"
    if reason == Reason.OPTED_OUT:
        purpose = purpose_of(message.purpose)
        source = "unsubscribe" if receipt.kind is ReceiptKind.UNSUBSCRIBED else source
    elif Reason(reason).policy.suppress is Suppress.COUNT:
        source = f"receipt {message.id}"
    batch.sightings.append(Sighting(*where, purpose, reason, at, source))


def _against(receipt: HeardReceipt) -> str:
    """The reason not to write to the address again that a receipt gives; none for most."""
    if receipt.kind in _OPTS_OUT:
        return "" if receipt.code == WRITTEN else Reason.OPTED_OUT.value
    if receipt.kind not in _ENDS_BADLY:
        return ""
    known = receipt.reason in _REASONS and Reason(receipt.reason).policy.suppress is not Suppress.NO
    return receipt.reason if known else ""


def _note_reached(batch: Batch, message: MessageState, at: Instant) -> None:
    key = (message.project_id, message.user_number, message.channel, message.address)
    batch.reached[key] = max(at, batch.reached.get(key, at))


def _row(batch: Batch, message: MessageState, receipt: HeardReceipt) -> tuple[Any, ...]:
    if not message.address:
        # Its user was erased, or it never had one: what a provider says of them is kept no more.
        receipt = replace(receipt, detail="", url=erased_link(receipt.url), raw="")
    return (
        batch.shard,
        message.id,
        receipt.key,
        message.project_id,
        receipt.kind.value,
        receipt.occurred_at,
        batch.now,
        receipt.reason,
        receipt.code,
        receipt.detail,
        receipt.actor,
        receipt.actor_why,
        receipt.url,
        receipt.connection_id,
        receipt.raw,
        receipt.price,
        receipt.currency,
    )
