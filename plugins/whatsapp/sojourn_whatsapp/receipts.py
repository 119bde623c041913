"""Receipts out of callbacks: what became of messages, and who wants no more of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from channels import Actor, Instant, Purpose, Reason, Receipt, ReceiptKind
from channels.answers import an_object

from sojourn_whatsapp.answers import reason_of, text_of
from sojourn_whatsapp.callbacks import Change, changes_of, moment, number_of, raw_of, unmapped
from sojourn_whatsapp.inbound import is_said

KINDS = {
    # Meta's servers have let it go. Told again what its answer said; where that answer was lost, the news.
    "sent": ReceiptKind.ACCEPTED,
    "delivered": ReceiptKind.DELIVERED,
    "read": ReceiptKind.OPENED,
    "failed": ReceiptKind.FAILED,
}
OBSERVES = frozenset({*KINDS.values(), ReceiptKind.UNSUBSCRIBED})

# Messages are encrypted from end to end, so no scanner and no proxy on the way can open them; and only those
# who let others see it are ever reported as having read.
_READ = "WhatsApp showed it in an open chat"
_STOPPED = "stopped marketing messages in WhatsApp"


def receipts_of(body: bytes, phone_number_id: str, heard_at: Instant) -> list[Receipt]:
    """All that a callback tells of our number, each fact once."""
    found: dict[str, Receipt] = {}
    for change in changes_of(body):
        if change.concerns(phone_number_id):
            for receipt in _of_change(change, heard_at):
                found.setdefault(receipt.key, receipt)
    return list(found.values())


def _of_change(change: Change, heard_at: Instant) -> Iterator[Receipt]:
    if change.field == "messages" and change.phone_number_id:
        yield from _of_messages(change, heard_at)
    elif change.field == "user_preferences" and change.phone_number_id:
        yield from _of_preferences(change, heard_at)
    else:
        yield unmapped(change.whole, heard_at, code=change.field)


def _of_messages(change: Change, heard_at: Instant) -> Iterator[Receipt]:
    statuses, messages, errors = (change.items(name) for name in ("statuses", "messages", "errors"))
    for status in statuses:
        yield from _of_status(status, heard_at)
    for message in messages:
        if not is_said(message):
            kind = message.get("type") if isinstance(message, dict) else None
            yield unmapped(message, heard_at, code=kind if isinstance(kind, str) else "")
    for error in errors:
        told = an_object(error)
        yield unmapped(error, heard_at, code=str(told.get("code", "")), text=text_of(told))
    if not statuses and not messages and not errors:
        yield unmapped(change.whole, heard_at, code=change.field)


def _of_status(status: Any, heard_at: Instant) -> Iterator[Receipt]:
    told = an_object(status)
    named, word, stamp = told.get("id"), told.get("status"), told.get("timestamp")
    kind = KINDS.get(word) if isinstance(word, str) else None
    if kind is None or not isinstance(named, str) or not named:
        yield unmapped(status, heard_at, code=word if isinstance(word, str) else "", at=stamp)
        return
    if kind is ReceiptKind.OPENED:
        # Who is looking at the chat when it comes has read it at once, and Meta tells only that.
        yield _receipt(told, named, "delivered", ReceiptKind.DELIVERED, heard_at)
    yield _receipt(told, named, str(word), kind, heard_at)


def _receipt(told: Mapping[str, Any], named: str, word: str, kind: ReceiptKind, heard_at: Instant) -> Receipt:
    reason, code, text = _why(told) if kind is ReceiptKind.FAILED else (None, "", _price(told.get("pricing")))
    reference = told.get("biz_opaque_callback_data")
    opened = kind is ReceiptKind.OPENED
    return Receipt(
        f"{named}:{word}:{told.get('timestamp')}",
        kind,
        moment(told.get("timestamp"), heard_at),
        reference=reference if isinstance(reference, str) and reference else None,
        provider_id=named,
        reason=reason,
        code=code,
        text=text,
        actor=Actor.HUMAN if opened else None,
        actor_why=_READ if opened else "",
        recipient=number_of(told.get("recipient_id")) or None,
        raw=raw_of(told),
    )


def _why(told: Mapping[str, Any]) -> tuple[Reason, str, str]:
    errors = told.get("errors")
    first = errors[0] if isinstance(errors, list) and errors else None
    if not isinstance(first, dict):
        return Reason.UNKNOWN, "", ""
    code = first.get("code")
    written = str(code) if isinstance(code, int | str) else ""
    return reason_of(written), written[:100], text_of(first)


def _price(pricing: Any) -> str:
    """What it costs, in Meta's words, e.g. `marketing, regular, billable, PMP`."""
    if not isinstance(pricing, dict):
        return ""
    words = [pricing.get("category"), pricing.get("type")]
    if isinstance(pricing.get("billable"), bool):
        words.append("billable" if pricing["billable"] else "not billable")
    words.append(pricing.get("pricing_model"))
    return ", ".join(word[:50] for word in words if isinstance(word, str))


def _of_preferences(change: Change, heard_at: Instant) -> Iterator[Receipt]:
    preferences = change.items("user_preferences")
    if not preferences:
        yield unmapped(change.whole, heard_at, code=change.field)
    for preference in preferences:
        yield _of_preference(preference, heard_at)


def _of_preference(preference: Any, heard_at: Instant) -> Receipt:
    told = an_object(preference)
    number, value, stamp = number_of(told.get("wa_id")), told.get("value"), told.get("timestamp")
    detail = told.get("detail") if isinstance(told.get("detail"), str) else ""
    if value != "stop" or told.get("category") != "marketing_messages" or not number:
        # A person who resumes is no receipt: whether we may write again is for a consent to say.
        return unmapped(preference, heard_at, code=str(value), text=str(detail), at=stamp)
    return Receipt(
        f"{number}:marketing_messages:stop:{stamp}",
        ReceiptKind.UNSUBSCRIBED,
        moment(stamp, heard_at),
        code="stop",
        text=str(detail),
        actor=Actor.HUMAN,
        actor_why=_STOPPED,
        recipient=number,
        raw=raw_of(told),
        purpose=Purpose.ADVERTISEMENT,
    )
