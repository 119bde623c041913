"""What SOLAPI tells of a message: the same rows in its callbacks and in its lists."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha1
from typing import Any

from channels.codes import load
from channels.contract import Instant, Receipt, ReceiptKind
from channels.kakao.results import receipt
from channels.kakao.windows import instant

DONE = "4000"
PENDING = {"2000", "3000"}
_TEXTS = {"SMS", "LMS", "MMS"}
"""Kinds of text messages: what is paid for depends on the length."""
REFERENCE = "reference"
"""The custom field that carries our reference there and back."""


def reference_of(one: dict[str, Any]) -> str | None:
    """Our own reference, where the row brings it back."""
    fields = one.get("customFields")
    return str(fields[REFERENCE]) if isinstance(fields, dict) and fields.get(REFERENCE) else None


def of_event(event: Any, now: Instant) -> Receipt | None:
    """What one event of a callback says; None when it is no end yet, or tells of a whole group."""
    data = event.get("data", event) if isinstance(event, dict) else None
    if not isinstance(data, dict) or not (data.get("messageId") or data.get("groupId")):
        return unmapped(json.dumps(event, ensure_ascii=False), now)
    if not data.get("messageId"):
        return None  # a report on a whole group tells nothing of a message
    return of_row(data, now)


def of_row(row: dict[str, Any], now: Instant) -> Receipt | None:
    """What one row says; None while the message is on its way."""
    code = str(row.get("statusCode") or "")
    if code in PENDING:
        return None
    if not row.get("messageId") or not code:
        return unmapped(json.dumps(row, ensure_ascii=False), now)
    reason = None if code == DONE else load("channels.kakao", "solapi_codes.csv").reason(code)
    happened = row.get("dateReported") or row.get("dateReceived") or row.get("dateUpdated")
    text = str(row.get("statusMessage") or row.get("reason") or "")
    told = receipt(
        str(row["messageId"]),
        code,
        reason,
        instant(happened, now),
        row,
        reference=reference_of(row),
        text=text,
    )
    kind = str(row.get("type") or "")
    return replace(told, billed_as=kind.lower()) if kind in _TEXTS else told


def unmapped(raw: str, now: Instant) -> Receipt:
    """Genuine, and of no kind that we know."""
    return Receipt(sha1(raw.encode("utf-8", "replace")).hexdigest(), ReceiptKind.UNMAPPED, now, raw=raw)


def utc(at: Instant) -> str:
    """The moment as SOLAPI writes it."""
    return datetime.fromtimestamp(at / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
