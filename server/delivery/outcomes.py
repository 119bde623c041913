"""From the outcome of an attempt to the receipt that tells it, and when it is tried again, if at all."""

from functools import partial
from hashlib import blake2b

from channels.contract import Accepted, Deferred, Outcome, ReceiptKind, Rejected
from channels.reasons import Reason, Retry
from server.clock import DAY, HOUR, SECOND, Instant
from server.delivery.claims import Claimed
from server.delivery.hearing import LONGEST_DETAIL, LONGEST_RAW, bounded
from server.delivery.receipts import HeardReceipt

MOST_ATTEMPTS = 8
LONGEST_TRYING = DAY
"""After a message was born; what comes later than that helps nobody."""
FIRST_PAUSE, LONGEST_PAUSE = 30 * SECOND, 4 * HOUR

_ATTEMPTS = {Retry.NEVER: 1, Retry.ONCE: 2}


def receipt_of(outcome: Outcome, claimed: Claimed, now: Instant) -> HeardReceipt:
    """What is to be heard of this attempt."""
    if isinstance(outcome, Accepted):
        return tell(
            claimed,
            ReceiptKind.ACCEPTED,
            now,
            code=outcome.code,
            detail=outcome.text,
            provider_id=outcome.provider_id,
        )
    if isinstance(outcome, Deferred):
        return _deferred(outcome, claimed, now)
    kind = ReceiptKind.UNKNOWN
    if isinstance(outcome, Rejected):
        # The provider has it already, from an attempt whose answer we never saw.
        kind = ReceiptKind.ACCEPTED if outcome.reason is Reason.DUPLICATE else ReceiptKind.REFUSED
    reason = "" if kind is ReceiptKind.ACCEPTED else outcome.reason.value
    return tell(claimed, kind, now, reason=reason, code=outcome.code, detail=outcome.text)


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
    )


def _deferred(outcome: Deferred, claimed: Claimed, now: Instant) -> HeardReceipt:
    retry_at = max(outcome.retry_at, now + pause(claimed.row.id, claimed.attempt))
    told = partial(tell, claimed, now=now, reason=outcome.reason.value, code=outcome.code)
    if claimed.attempt >= _ATTEMPTS.get(outcome.reason.policy.retry, MOST_ATTEMPTS):
        detail = f"given up after {claimed.attempt} attempts: {outcome.text}"
        return told(kind=ReceiptKind.FAILED, detail=detail)
    if retry_at > claimed.row.created_at + LONGEST_TRYING:
        detail = f"the next attempt would be too late: {outcome.text}"
        return told(kind=ReceiptKind.EXPIRED, detail=detail)
    return told(kind=ReceiptKind.DEFERRED, detail=outcome.text, retry_at=retry_at)


def pause(message_id: int, attempt: int) -> int:
    """Milliseconds until the next attempt: doubled each time, and different for every message.

    Drawn from the message's id, so that the same attempt waits equally long however often it is asked.
    """
    drawn = blake2b(f"{message_id}:{attempt}".encode(), digest_size=4).digest()
    jitter = 0.5 + int.from_bytes(drawn, "big") / 2**32
    return int(min(FIRST_PAUSE << min(attempt - 1, 20), LONGEST_PAUSE) * jitter)


def _storable(text: str, longest: int = LONGEST_DETAIL) -> str:
    clean = text.encode("utf-8", "replace").decode().replace("\0", "\N{REPLACEMENT CHARACTER}")
    return clean[:longest]
