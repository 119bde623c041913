"""Callbacks of the fake provider: a JSON list of receipts, signed with its time stamp."""

import hashlib
import hmac
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from channels.answers import an_object
from channels.contract import Actor, Callback, Inbound, Instant, Receipt, ReceiptKind, Refused, Verified
from channels.prices import read_price
from channels.reasons import Reason
from channels.testing.fates import FakeSettings

SIGNATURE, TIMESTAMP = "x-fake-signature", "x-fake-timestamp"
WINDOW_MS = 5 * 60 * 1000

_KINDS, _REASONS, _ACTORS = set(ReceiptKind), set(Reason), set(Actor)
_TEXTS = ("reference", "provider_id", "url", "recipient")


def signed_callback(
    settings: FakeSettings, receipts: Iterable[Receipt | Inbound | Mapping[str, Any]], now: Instant
) -> Callback:
    """Write the callback in which the fake provider would tell of these receipts, and of what people wrote.
    A mapping goes as it is."""
    told = [asdict(one) if isinstance(one, Receipt | Inbound) else dict(one) for one in receipts]
    body = json.dumps(told, default=str).encode()
    headers = {TIMESTAMP: str(now), SIGNATURE: _signature(settings, str(now), body)}
    return Callback("POST", "/", headers, {}, body)


def verify_callback(settings: FakeSettings, callback: Callback, now: Instant) -> Verified | Refused:
    if not settings.callback_secret.get_secret_value():
        return Refused("no callback_secret is set, so no callback can be proved")
    stamp = callback.headers.get(TIMESTAMP, "")
    given = callback.headers.get(SIGNATURE, "").encode("utf-8", "surrogatepass")
    if not hmac.compare_digest(given, _signature(settings, stamp, callback.body).encode()):
        return Refused("the signature is not ours")
    # Signed, so it is the number that we wrote.
    if abs(now - int(stamp)) > WINDOW_MS:
        return Refused("the time stamp is more than five minutes away")
    return Verified(callback, received_at=now)


def parse_callback(verified: Verified) -> list[Receipt]:
    body = verified.callback.body
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        told = None
    if not isinstance(told, list):
        return [_unmapped(body.decode("utf-8", "replace"), verified.received_at)]
    return [_receipt(item, verified.received_at) for item in told if not _is_written(item)]


def parse_written(verified: Verified) -> list[Inbound]:
    """What people wrote: the items of a callback that have a `sender` and a `text`."""
    try:
        told = json.loads(verified.callback.body)
    except (ValueError, RecursionError):
        return []
    items = told if isinstance(told, list) else []
    return [_inbound(item, verified.received_at) for item in items if _is_written(item)]


def _is_written(item: object) -> bool:
    return (
        isinstance(item, dict)
        and "kind" not in item
        and all(isinstance(item.get(name), str) and item[name] for name in ("key", "sender", "text"))
    )


def _inbound(item: dict[str, Any], received_at: Instant) -> Inbound:
    occurred_at, answers = item.get("occurred_at"), item.get("provider_id")
    return Inbound(
        item["key"],
        item["sender"],
        item["text"],
        occurred_at if isinstance(occurred_at, int) else received_at,
        str(item.get("recipient", "")),
        answers if isinstance(answers, str) else None,
        raw=json.dumps(item, sort_keys=True),
    )


def _signature(settings: FakeSettings, stamp: str, body: bytes) -> str:
    secret = settings.callback_secret.get_secret_value().encode()
    signed = stamp.encode("utf-8", "surrogatepass") + b"." + body
    return hmac.new(secret, signed, hashlib.sha256).hexdigest()


def _receipt(item: object, received_at: Instant) -> Receipt:
    raw = json.dumps(item, sort_keys=True)
    if (
        not isinstance(item, dict)
        or str(item.get("kind")) not in _KINDS
        or not isinstance(item.get("key"), str)
    ):
        return _unmapped(raw, received_at)
    occurred_at, reason, actor = item.get("occurred_at"), str(item.get("reason")), str(item.get("actor"))
    return Receipt(
        key=item["key"],
        kind=ReceiptKind(item["kind"]),
        occurred_at=occurred_at if isinstance(occurred_at, int) else received_at,
        reason=Reason(reason) if reason in _REASONS else None,
        actor=Actor(actor) if actor in _ACTORS else None,
        code=str(item.get("code", "")),
        text=str(item.get("text", "")),
        actor_why=str(item.get("actor_why", "")),
        raw=raw,
        price=read_price(*(an_object(item.get("price")).get(name) for name in ("amount", "currency"))),
        **{name: item[name] for name in _TEXTS if isinstance(item.get(name), str)},
    )


def _unmapped(raw: str, received_at: Instant) -> Receipt:
    key = hashlib.sha256(raw.encode("utf-8", "surrogatepass")).hexdigest()
    return Receipt(key, ReceiptKind.UNMAPPED, received_at, raw=raw)
