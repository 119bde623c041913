"""What an endpoint reports back: receipts of messages, and what people wrote. Pure.

A callback is one JSON object or a list of them; docs/providers/webhook.md has the fields.
"""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from hashlib import blake2b
from types import MappingProxyType
from typing import Any

from channels.answers import an_object
from channels.contract import Actor, Inbound, Instant, Price, Receipt, ReceiptKind, Verified
from channels.prices import read_price
from channels.reasons import Reason
from channels.webhook.signatures import ID

OBSERVES = frozenset(
    {
        ReceiptKind.DELIVERED,
        ReceiptKind.BOUNCED,
        ReceiptKind.OPENED,
        ReceiptKind.CLICKED,
        ReceiptKind.UNSUBSCRIBED,
        ReceiptKind.COMPLAINED,
        ReceiptKind.SHOWN,
        ReceiptKind.INTERACTED,
        ReceiptKind.DISMISSED,
        ReceiptKind.FAILED,
        ReceiptKind.EXPIRED,
        ReceiptKind.PRICED,
    }
)
INBOUND = "inbound"
_REASONS: Mapping[ReceiptKind, Reason] = MappingProxyType(
    {
        ReceiptKind.BOUNCED: Reason.UNKNOWN,
        ReceiptKind.FAILED: Reason.UNKNOWN,
        ReceiptKind.EXPIRED: Reason.EXPIRED,
        ReceiptKind.UNSUBSCRIBED: Reason.OPTED_OUT,
        ReceiptKind.COMPLAINED: Reason.OPTED_OUT,
    }
)
_ACTED = frozenset({ReceiptKind.OPENED, ReceiptKind.CLICKED, ReceiptKind.INTERACTED, ReceiptKind.DISMISSED})
_LATEST: Instant = 253_402_300_799_999
_KINDS = {kind.value: kind for kind in OBSERVES}


def receipts_of(verified: Verified) -> list[Receipt]:
    """The receipts in a callback; what is none and nothing that a person wrote is unmapped."""
    return [_receipt(item, verified) for item in _items(verified) if _inbound(item, verified) is None]


def inbound_of(verified: Verified) -> list[Inbound]:
    """What people wrote."""
    found = [_inbound(item, verified) for item in _items(verified)]
    return [one for one in found if one is not None]


def _items(verified: Verified) -> Iterator[Any]:
    body = verified.callback.body.decode("utf-8", "replace")
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        told = body
    yield from told if isinstance(told, list) else [told]


def _receipt(item: Any, verified: Verified) -> Receipt:
    told = item if isinstance(item, dict) else {}
    kind, raw = _KINDS.get(_words(told, "kind")), _raw(item)
    reference, provider_id = _words(told, "message") or None, _words(told, "id") or None
    recipient = _words(told, "user") or None
    if kind is None or not (reference or provider_id or recipient):
        code = _words(told, "kind")[:100]
        return Receipt(_key(item, verified), ReceiptKind.UNMAPPED, verified.received_at, code=code, raw=raw)
    actor, why = _actor(told, kind)
    return Receipt(
        key=_key(item, verified),
        kind=kind,
        occurred_at=_moment(told.get("at"), verified.received_at),
        reference=reference,
        provider_id=provider_id,
        reason=_reason(told, kind),
        code=_words(told, "code"),
        text=_words(told, "text"),
        actor=actor,
        actor_why=why,
        url=_words(told, "url") or None,
        recipient=recipient,
        raw=raw,
        price=price_of(told),
    )


def price_of(told: Mapping[str, Any]) -> Price | None:
    """What the message costs, where `price` says so."""
    price = an_object(told.get("price"))
    return read_price(price.get("amount"), price.get("currency"))


def _inbound(item: Any, verified: Verified) -> Inbound | None:
    if not isinstance(item, dict) or item.get("kind") != INBOUND or not _words(item, "from"):
        return None
    return Inbound(
        key=_key(item, verified),
        sender=_words(item, "from"),
        text=_words(item, "text"),
        occurred_at=_moment(item.get("at"), verified.received_at),
        recipient=_words(item, "to"),
        provider_id=_words(item, "id") or None,
        raw=_raw(item),
    )


def _reason(told: Mapping[str, Any], kind: ReceiptKind) -> Reason | None:
    named = _words(told, "reason")
    return Reason(named) if named in set(Reason) and kind in _REASONS else _REASONS.get(kind)


def _actor(told: Mapping[str, Any], kind: ReceiptKind) -> tuple[Actor | None, str]:
    if kind not in _ACTED:
        return None, ""
    named = _words(told, "actor")
    known = named in set(Actor)
    return (Actor(named), "the endpoint says so") if known else (Actor.UNSURE, "the endpoint does not say")


def _key(item: Any, verified: Verified) -> str:
    """The endpoint's own key of the fact. Without one, a callback that is sent again has the same id and the
    same items, and two callbacks that say the same are two facts."""
    if isinstance(item, dict) and (own := _words(item, "key")):
        return own
    told = f"{verified.callback.headers.get(ID, '')}\0{_raw(item)}"
    return blake2b(told.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def _raw(item: Any) -> str:
    return json.dumps(item, sort_keys=True)


def _words(told: Mapping[str, Any], name: str) -> str:
    """A text, or a number in its own words; nothing for anything else."""
    value = told.get(name)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value if isinstance(value, str) else ""


def _moment(value: Any, otherwise: Instant) -> Instant:
    """RFC 3339, or milliseconds since the epoch; UTC where no zone is named."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value if 0 <= value <= _LATEST else otherwise
    try:
        moment = datetime.fromisoformat(value)
        at = int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)
    except (TypeError, ValueError, OverflowError, OSError):
        return otherwise
    return at if at >= 0 else otherwise
