"""From the outcome of an attempt to the receipt that tells it, and when it is tried again, if at all.

The table of `docs/decisions/0007-sending.md`, in code.
"""

from dataclasses import dataclass
from functools import partial
from hashlib import blake2b

from channels.contract import Accepted, Deferred, OnUnknown, Outcome, Price, ReceiptKind, Rejected, Unknown
from channels.reasons import Reason, ReasonClass, Retry
from server.clock import HOUR, SECOND, Instant
from server.delivery.claims import Claimed, deadline, is_uncertain
from server.delivery.costs import to_amount
from server.delivery.hearing import LONGEST_DETAIL, LONGEST_KIND, LONGEST_RAW, bounded
from server.delivery.receipts import HeardReceipt

MOST_ATTEMPTS = 8
"""Of one message, over all connections; asking what became of one counts as well."""
FIRST_PAUSE, LONGEST_PAUSE = 30 * SECOND, 4 * HOUR
FIRST_PAUSE_TO_ASK = 5 * SECOND
PAUSE_FOR_QUOTA = HOUR
"""At least, where the provider does not say when a quota starts anew."""

_AFTER_DEFERRED = {Retry.NEVER: 1, Retry.ONCE: 2, Retry.BOUNDED: 4}
_AFTER_REJECTED = {
    Retry.ONCE: 2,
    Retry.BOUNDED: 4,
    Retry.BACKOFF: MOST_ATTEMPTS,
    Retry.AFTER_RESET: MOST_ATTEMPTS,
}
"""A definite no: nothing was taken over, so the policy of the reason alone decides. What is missing here is
final; for the next window, because a plain no does not say when that opens."""
_ABOUT_THE_MESSAGE = frozenset({ReasonClass.RECIPIENT, ReasonClass.PERMISSION, ReasonClass.CONTENT})


@dataclass(frozen=True, slots=True)
class Ways:
    """What may be done with a message besides giving it up."""

    on_unknown: OnUnknown = OnUnknown.NEVER_RESEND
    onward: int | None = None
    """The connection after this one, for messages that may go through another."""
    was_asked: bool = False
    """Whether this is the provider's answer about an earlier attempt, which settles it."""


def is_well_formed(outcome: object) -> bool:
    """Whether an adapter has filled it in as the contract says."""
    match outcome:
        case Accepted(str(), str(), str()):
            return isinstance(outcome.price, Price | None) and isinstance(outcome.billed_as, str)
        case Rejected(Reason(), str(), str()):
            return True
        case Deferred(int(), Reason(), str(), str()) | Unknown(Reason(), str(), str()):
            return True
    return False


def receipt_of(outcome: Outcome, claimed: Claimed, now: Instant, ways: Ways) -> HeardReceipt:
    """What is to be heard of this attempt."""
    if isinstance(outcome, Accepted):
        told = partial(tell, claimed, ReceiptKind.ACCEPTED, now, code=outcome.code, detail=outcome.text)
        return told(provider_id=outcome.provider_id, price=outcome.price, billed_as=outcome.billed_as)
    if isinstance(outcome, Rejected) and outcome.reason is Reason.DUPLICATE:
        # The provider has it already, from an attempt whose answer we never saw.
        return tell(claimed, ReceiptKind.ACCEPTED, now, code=outcome.code, detail=outcome.text)
    if isinstance(outcome, Unknown) or _leaves_open(outcome, claimed, ways):
        return _unknown(outcome, claimed, now, ways)
    if ways.onward is not None and moves_on(outcome.reason):
        told = partial(tell, claimed, ReceiptKind.DEFERRED, now, code=outcome.code, detail=outcome.text)
        return told(reason=outcome.reason.value, retry_at=now, moves_to=ways.onward)
    return (
        _rejected(outcome, claimed, now)
        if isinstance(outcome, Rejected)
        else _deferred(outcome, claimed, now)
    )


def moves_on(reason: Reason) -> bool:
    """Whether the fault is with our sender or its provider, so that another may do better."""
    if reason.policy.reason_class is ReasonClass.SENDER:
        return True
    return reason in (Reason.PROVIDER_ERROR, Reason.QUOTA_EXCEEDED)


def _leaves_open(outcome: Rejected | Deferred, claimed: Claimed, ways: Ways) -> bool:
    """Whether an earlier attempt may have arrived, and this answer says nothing of it."""
    if ways.was_asked or not is_uncertain(claimed.row):
        return False
    return isinstance(outcome, Deferred) or outcome.reason.policy.reason_class not in _ABOUT_THE_MESSAGE


def tell(
    claimed: Claimed,
    kind: ReceiptKind,
    now: Instant,
    *,
    reason: str = "",
    code: str = "",
    detail: str = "",
    provider_id: str = "",
    retry_at: Instant | None = None,
    moves_to: int | None = None,
    price: Price | None = None,
    billed_as: str = "",
) -> HeardReceipt:
    """A receipt about this attempt, with the key that makes it count once."""
    return HeardReceipt(
        message_id=claimed.row.id,
        key=f"attempt:{claimed.attempt}:{kind.value}",
        kind=kind,
        occurred_at=now,
        reason=reason,
        code=_storable(code),
        detail=_storable(detail),
        provider_id=bounded(_storable(provider_id, LONGEST_RAW)),
        retry_at=retry_at,
        attempt=claimed.attempt,
        connection_id=claimed.row.connection_id,
        moves_to=moves_to,
        price=to_amount(price),
        currency=price.currency if price else "",
        billed_as=_storable(billed_as, LONGEST_KIND),
    )


def _unknown(
    outcome: Unknown | Rejected | Deferred, claimed: Claimed, now: Instant, ways: Ways
) -> HeardReceipt:
    first = FIRST_PAUSE_TO_ASK if ways.on_unknown is OnUnknown.ASK else FIRST_PAUSE
    retry_at = now + pause(claimed.row.id, claimed.attempt, first)
    if isinstance(outcome, Deferred):
        retry_at = max(retry_at, outcome.retry_at)
    told = partial(tell, claimed, now=now, code=outcome.code, detail=outcome.text)
    is_final = claimed.attempt >= MOST_ATTEMPTS or retry_at > deadline(claimed.row)
    if ways.on_unknown is OnUnknown.NEVER_RESEND or is_final:
        reason = outcome.reason if isinstance(outcome, Unknown) else Reason.OUTCOME_UNKNOWN
        return told(kind=ReceiptKind.UNKNOWN, reason=reason.value)
    return told(kind=ReceiptKind.DEFERRED, reason=Reason.OUTCOME_UNKNOWN.value, retry_at=retry_at)


def _rejected(outcome: Rejected, claimed: Claimed, now: Instant) -> HeardReceipt:
    told = partial(
        tell, claimed, now=now, reason=outcome.reason.value, code=outcome.code, detail=outcome.text
    )
    retry_at = now + _least_pause(outcome.reason, claimed)
    most = _AFTER_REJECTED.get(outcome.reason.policy.retry, 1)
    if claimed.attempt >= most or retry_at > deadline(claimed.row):
        return told(kind=ReceiptKind.REFUSED)
    return told(kind=ReceiptKind.DEFERRED, retry_at=retry_at)


def _deferred(outcome: Deferred, claimed: Claimed, now: Instant) -> HeardReceipt:
    least = now + pause(claimed.row.id, claimed.attempt)
    if outcome.retry_at <= now:
        least = now + _least_pause(outcome.reason, claimed)
    retry_at = max(outcome.retry_at, least)
    told = partial(tell, claimed, now=now, reason=outcome.reason.value, code=outcome.code)
    if claimed.attempt >= _AFTER_DEFERRED.get(outcome.reason.policy.retry, MOST_ATTEMPTS):
        detail = f"given up after {claimed.attempt} attempts: {outcome.text}"
        return told(kind=ReceiptKind.FAILED, detail=detail)
    if retry_at > deadline(claimed.row):
        detail = f"the next attempt would be too late: {outcome.text}"
        return told(kind=ReceiptKind.EXPIRED, detail=detail)
    return told(kind=ReceiptKind.DEFERRED, detail=outcome.text, retry_at=retry_at)


def _least_pause(reason: Reason, claimed: Claimed) -> int:
    drawn = pause(claimed.row.id, claimed.attempt)
    return max(drawn, PAUSE_FOR_QUOTA) if reason.policy.retry is Retry.AFTER_RESET else drawn


def pause(message_id: int, attempt: int, first: int = FIRST_PAUSE) -> int:
    """Milliseconds until the next attempt: doubled each time, and different for every message.

    Drawn from the message's id, so that the same attempt waits equally long however often it is asked.
    """
    drawn = blake2b(f"{message_id}:{attempt}".encode(), digest_size=4).digest()
    jitter = 0.5 + int.from_bytes(drawn, "big") / 2**32
    return int(min(first << min(attempt - 1, 20), LONGEST_PAUSE) * jitter)


def _storable(text: str, longest: int = LONGEST_DETAIL) -> str:
    if text.isascii() and "\0" not in text:
        return text[:longest]
    clean = text.encode("utf-8", "replace").decode().replace("\0", "\N{REPLACEMENT CHARACTER}")
    return clean[:longest]
