"""What NHN Cloud tells of a message: rows of its list of results, and hooks of its webhook."""

import json
from hashlib import sha256
from typing import Any

from channels.answers import an_object, objects, read_json
from channels.codes import CodeTable, load
from channels.contract import Instant, Receipt, ReceiptKind
from channels.kakao.results import receipt
from channels.kakao.windows import instant
from channels.reasons import Reason

DELIVERED = "1000"
RESULTS = "MESSAGE_RESULT_UPDATE"
TEMPLATE_STATES = ("TSC01", "TSC02", "TSC03", "TSC04")
"""Requested, in review, approved, rejected."""


def provider_id_of(row: dict[str, Any]) -> str:
    """The name of a message at NHN: its request, and its place in it."""
    return f"{row['requestId']}:{row.get('recipientSeq', 1)}"


def reason_of(code: str) -> Reason:
    """NHN's own codes are below 0 (and 4), those that it hands on from Kakao have four digits."""
    return table_of(code).reason(code)


def table_of(code: str) -> CodeTable:
    return load(
        "channels.kakao", "kakao_codes.csv" if len(code) == 4 and code.isdecimal() else "nhn_codes.csv"
    )


def of_row(row: dict[str, Any], now: Instant) -> Receipt:
    """What one row or hook says. A hook has no messageStatus: its code alone decides."""
    status, code = str(row.get("messageStatus") or ""), str(row.get("resultCode") or "")
    if not row.get("requestId") or status not in ("", "COMPLETED", "FAILED") or not (status or code):
        return unmapped(json.dumps(row, ensure_ascii=False), now)
    good = status != "FAILED" and code in ("", "0", "0000", DELIVERED)
    return receipt(
        provider_id_of(row),
        code or DELIVERED,
        None if good else reason_of(code),
        instant(row.get("receiveDate"), now),
        row,
        reference=row.get("recipientGroupingKey") or None,  # the list does not promise it
        text=str(row.get("resultCodeName") or ""),
    )


def of_callback(body: bytes, now: Instant, kind: str) -> list[Receipt]:
    """What a callback says of messages whose kind begins so, e.g. ALIMTALK: an app has one webhook for all.

    Nothing of news of templates, which are no receipts; everything else is kept as unmapped.
    """
    text = body.decode("utf-8", "replace")
    said = an_object(read_json(text))
    hooks = objects(said.get("hooks"))
    if hooks and all(tells_of_a_template(hook) for hook in hooks):
        return []
    if said.get("event") != RESULTS or not hooks:
        return [unmapped(text, now)]
    return [of_row(hook, now) for hook in hooks if _is_of(hook, kind)]


def tells_of_a_template(hook: dict[str, Any]) -> bool:
    """Whether a hook tells how a template stands. NHN writes down no name of that event."""
    return bool(hook.get("templateCode")) and hook.get("status") in TEMPLATE_STATES


def _is_of(hook: dict[str, Any], kind: str) -> bool:
    return str(hook.get("kakaoMessageType") or kind).startswith(kind)


def unmapped(raw: str, now: Instant) -> Receipt:
    """Genuine, and of no kind that we know."""
    return Receipt(sha256(raw.encode("utf-8", "replace")).hexdigest(), ReceiptKind.UNMAPPED, now, raw=raw)
