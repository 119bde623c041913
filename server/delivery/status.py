"""Delivery status and engagements: the fold of a message's receipts, in any order, repeated or not."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from channels.contract import ReceiptKind
from channels.reasons import Reason
from server.aggregates.metrics import Metric
from server.clock import Instant


class DeliveryStatus(StrEnum):
    QUEUED = "queued"
    ATTEMPTED = "attempted"
    UNKNOWN = "unknown"
    """It left and no answer came. It may have arrived; it is not sent again."""
    ACCEPTED = "accepted"
    DELIVERED = "delivered"
    SKIPPED = "skipped"
    """Never tried."""
    FAILED = "failed"
    """Tried and refused."""
    EXPIRED = "expired"
    BOUNCED = "bounced"
    """Taken over, then returned."""


STILL_OURS = frozenset({DeliveryStatus.QUEUED, DeliveryStatus.ATTEMPTED})
"""Nothing is known yet of what became of the message outside."""


class SkipReason(StrEnum):
    """Why a message was never tried. Reasons of messages that were tried are `channels.reasons.Reason`."""

    NO_ADDRESS = "no_address"
    OPTED_OUT = "opted_out"
    INVALID_ADDRESS = "invalid_address"
    SUPPRESSED = "suppressed"
    NO_CONSENT = "no_consent"
    JOURNEY_STOPPED = "journey_stopped"
    ERASED = "erased"
    TEMPLATE_ERROR = "template_error"
    NO_CONNECTION = "no_connection"
    CAPPED = "capped"
    NO_VOUCHER = "no_voucher"
    NOT_MEMBER = "not_member"
    """Its template speaks of coupons or points, and those are for members."""
    TEMPLATE_UNAVAILABLE = "template_unavailable"
    """No version of its template may be sent, by no connection that it may go through."""
    CONTENT_INVALID = "content_invalid"
    """Filled for this user its template breaks a rule, and a relay would refuse it."""
    ARRIVED = "arrived"
    """The message in whose place it was to go has arrived after all."""


Heard = dict[str, list[Any]]
"""Kind, or `kind/actor`, to [first at, last at, count]; and the earliest hits, one by one (`bursts.HITS`).

An open or click is either among those hits or under its actor; `bursts.seen` puts them together.
"""

PROVES_SENT = frozenset(
    {
        ReceiptKind.DELIVERED,
        ReceiptKind.BOUNCED,
        ReceiptKind.OPENED,
        ReceiptKind.CLICKED,
        ReceiptKind.TRAPPED,
        ReceiptKind.REPLIED,
        ReceiptKind.UNSUBSCRIBED,
        ReceiptKind.COMPLAINED,
        ReceiptKind.SHOWN,
        ReceiptKind.INTERACTED,
        ReceiptKind.DISMISSED,
    }
)
"""Nothing of this can be heard of a message that the provider did not take over."""

# From the weakest word to the strongest: a message has the status of the strongest that was heard.
_STRENGTH: tuple[tuple[ReceiptKind, DeliveryStatus], ...] = (
    (ReceiptKind.BOUNCED, DeliveryStatus.BOUNCED),
    (ReceiptKind.DELIVERED, DeliveryStatus.DELIVERED),
    (ReceiptKind.EXPIRED, DeliveryStatus.EXPIRED),
    (ReceiptKind.FAILED, DeliveryStatus.FAILED),
    (ReceiptKind.REFUSED, DeliveryStatus.FAILED),
    (ReceiptKind.SKIPPED, DeliveryStatus.SKIPPED),
    (ReceiptKind.ACCEPTED, DeliveryStatus.ACCEPTED),
    *((kind, DeliveryStatus.ACCEPTED) for kind in sorted(PROVES_SENT)),
    (ReceiptKind.UNKNOWN, DeliveryStatus.UNKNOWN),
    (ReceiptKind.ATTEMPTED, DeliveryStatus.ATTEMPTED),
)


WITH_ACTOR = {
    ReceiptKind.OPENED: (Metric.OPENS, Metric.OPENED),
    ReceiptKind.CLICKED: (Metric.CLICKS, Metric.CLICKED),
}
"""Engagements that a machine can fake: the metric of every one, and of the first of a message."""


def hear(heard: Heard, kind: str, at: Instant) -> None:
    """Adds one receipt to what was heard."""
    found = heard.get(kind)
    if found is None:
        heard[kind] = [at, at, 1]
        return
    found[0] = min(found[0], at)
    found[1] = max(found[1], at)
    found[2] += 1


def is_in_doubt(heard: Mapping[str, list[Any]]) -> bool:
    """Whether nobody knows if it arrived: no answer came, or the provider says that none has come to it.

    Such a word holds until a better one: what was taken over later than that is on its way.
    """
    if ReceiptKind.UNKNOWN not in heard or status_of(heard) not in _MAY_HAVE_ARRIVED:
        return False
    accepted = heard.get(ReceiptKind.ACCEPTED)
    return accepted is None or bool(heard[ReceiptKind.UNKNOWN][1] > accepted[1])


_MAY_HAVE_ARRIVED = (DeliveryStatus.UNKNOWN, DeliveryStatus.ACCEPTED)


def status_of(heard: Mapping[str, list[Any]]) -> DeliveryStatus:
    for kind, status in _STRENGTH:
        if kind in heard:
            return status
    return DeliveryStatus.QUEUED


Counted = dict[tuple[Metric, str], Instant]


def sent_at(heard: Mapping[str, list[Any]], attempted_at: Instant | None) -> Instant | None:
    """When the provider took the message over: as it said; else the attempt, if anything heard proves it."""
    if ReceiptKind.ACCEPTED in heard:
        first: Instant = heard[ReceiptKind.ACCEPTED][0]
        return first
    proofs = [heard[kind][0] for kind in PROVES_SENT if kind in heard]
    return (attempted_at if attempted_at is not None else min(proofs)) if proofs else None


BY_PEOPLE = ("human", "unsure")
"""Whose opens and clicks tell something of the reader; a machine's tell nothing."""


def opened_at(heard: Mapping[str, list[Any]]) -> Instant | None:
    """When a person first opened it or followed a link in it. Takes what `bursts.seen` makes of it all."""
    keys = [f"{kind}/{who}" for kind in WITH_ACTOR for who in BY_PEOPLE]
    return min((heard[key][0] for key in keys if key in heard), default=None)


def counted(
    heard: Mapping[str, list[Any]],
    reason: str,
    attempted_at: Instant | None,
    fallback_of: int | None = None,
) -> Counted:
    """What this message counts as, once each: the metric and its reason, and when.

    Takes what `bursts.seen` makes of what was heard.
    The counters hold the difference between this before and after a batch, so that a receipt that
    comes late, early or twice moves the figures to where they would be had all come in order.
    """
    found: Counted = {}
    sent = sent_at(heard, attempted_at)
    if sent is not None:
        found[Metric.SENT, ""] = sent
    _count_end(found, heard, reason)
    for kind, (_, first) in WITH_ACTOR.items():
        for key, (at, _, _) in heard.items():
            if key.startswith(f"{kind}/"):
                found[first, key.partition("/")[2]] = at
        if kind in heard:
            found[first, ""] = heard[kind][0]
    for once, metric in _COUNTED_ONCE.items():
        if once in heard:
            found[metric, ""] = heard[once][0]
    if fallback_of is not None:
        _count_fallback(found)
    return found


def _count_fallback(found: Counted) -> None:
    """What goes out in another's place counts once more as such."""
    for metric, as_fallback in _AS_FALLBACK.items():
        if (metric, "") in found:
            found[as_fallback, ""] = found[metric, ""]


_AS_FALLBACK = {Metric.SENT: Metric.FALLBACK_SENT, Metric.DELIVERED: Metric.FALLBACK_DELIVERED}


def carried(found: Mapping[tuple[Metric, str], Instant]) -> dict[Metric, Instant]:
    """What the connection of a message answers for, of what the message counts as: all when it was sent.

    That an address cannot be reached for now speaks against nobody.
    """
    at = found.get((Metric.SENT, ""))
    if at is None:
        return {}
    told = {Metric.CARRIED: at}
    if any(metric is Metric.BOUNCED and reason != Reason.UNREACHABLE for metric, reason in found):
        told[Metric.CARRIED_BOUNCED] = at
    if (Metric.COMPLAINED, "") in found:
        told[Metric.CARRIED_COMPLAINED] = at
    return told


_COUNTED_ONCE = {
    ReceiptKind.DELIVERED: Metric.DELIVERED,
    ReceiptKind.UNSUBSCRIBED: Metric.UNSUBSCRIBED,
    ReceiptKind.COMPLAINED: Metric.COMPLAINED,
    ReceiptKind.REPLIED: Metric.REPLIED,
    ReceiptKind.SHOWN: Metric.SHOWN,
    ReceiptKind.INTERACTED: Metric.INTERACTED,
    ReceiptKind.DISMISSED: Metric.DISMISSED,
}
"""A message counts with the first of these, however often they happen."""


_ENDS = {
    DeliveryStatus.BOUNCED: (Metric.BOUNCED, (ReceiptKind.BOUNCED,)),
    DeliveryStatus.FAILED: (Metric.FAILED, (ReceiptKind.FAILED, ReceiptKind.REFUSED)),
    DeliveryStatus.EXPIRED: (Metric.FAILED, (ReceiptKind.EXPIRED,)),
    DeliveryStatus.SKIPPED: (Metric.SKIPPED, (ReceiptKind.SKIPPED,)),
    DeliveryStatus.UNKNOWN: (Metric.UNKNOWN, (ReceiptKind.UNKNOWN,)),
}


def _count_end(found: Counted, heard: Mapping[str, list[Any]], reason: str) -> None:
    end = _ENDS.get(status_of(heard))
    if end is not None:
        metric, kinds = end
        found[metric, reason] = min(heard[kind][0] for kind in kinds if kind in heard)
