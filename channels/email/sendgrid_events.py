"""Events of SendGrid: proved by its ECDSA signature, and read as receipts. Pure."""

import base64
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import lru_cache
from hashlib import sha256
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from channels.answers import read_json, words
from channels.codes import load
from channels.contract import Actor, Callback, Instant, Receipt, ReceiptKind, Refused, Verified
from channels.email.relay import reason_of_answer
from channels.reasons import Reason

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

REFERENCE_ARGUMENT = "sojourn_reference"
SIGNATURE = "x-twilio-email-event-webhook-signature"
TIMESTAMP = "x-twilio-email-event-webhook-timestamp"
EARLIEST_MS = 5 * 60 * 1000

# What follows the X-Message-Id of the answer is the name of a machine of SendGrid's.
_MACHINE = re.compile(r"\.(recvd|filter|ismtpd|geopod).*", re.DOTALL)
# Of these SendGrid says itself that they mean little; the receiving server's own words say more.
_VAGUE = ("", "Unclassified")


@lru_cache(maxsize=64)
def read_key(text: str) -> "EllipticCurvePublicKey | None":
    """The key as SendGrid shows it: base64 of DER, with or without the lines of PEM; None if it is none."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
    from cryptography.hazmat.primitives.serialization import load_der_public_key

    bare = re.sub(r"-----[A-Z ]+-----|\s", "", text)
    try:
        key = load_der_public_key(base64.b64decode(bare, validate=True))
    except (ValueError, UnsupportedAlgorithm):
        return None
    return key if isinstance(key, EllipticCurvePublicKey) else None


def verify_events(
    callback: Callback, now: Instant, keys: tuple[str, ...], oldest_ms: int
) -> Verified | Refused:
    """Prove that SendGrid sent this, at most `oldest_ms` ago. Never raises."""
    known = [key for key in map(read_key, filter(None, keys)) if key is not None]
    if not known:
        return Refused("settings name no verification_key, so no callback can be proved")
    stamp = callback.headers.get(TIMESTAMP, "")
    if not (stamp.isascii() and stamp.isdecimal() and len(stamp) < 12):
        return Refused(f"the header {TIMESTAMP} is no number of seconds")
    try:
        signature = base64.b64decode(callback.headers.get(SIGNATURE, ""), validate=True)
    except ValueError:
        return Refused(f"the header {SIGNATURE} is not base64")
    if not any(_is_signed(key, signature, stamp.encode() + callback.body) for key in known):
        return Refused("the signature is not SendGrid's")
    if not now - oldest_ms <= int(stamp) * 1000 <= now + EARLIEST_MS:
        return Refused("the time stamp is too old, or ahead of our clock")
    return Verified(callback, received_at=now)


def _is_signed(key: "EllipticCurvePublicKey", signature: bytes, signed: bytes) -> bool:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
    from cryptography.hazmat.primitives.hashes import SHA256

    try:
        key.verify(signature, signed, ECDSA(SHA256()))
    except InvalidSignature:
        return False
    return True


def receipts_of(verified: Verified) -> list[Receipt]:
    """What a callback tells of our mails; `UNMAPPED` for events that are new to us."""
    body = verified.callback.body.decode("utf-8", "replace")
    told = read_json(body)
    events = told if isinstance(told, list) else [body if told is None else told]
    found = [_receipt(one, verified.received_at) for one in events]
    return list({one.key: one for one in found}.values())


def _receipt(event: Any, heard_at: Instant) -> Receipt:
    raw = event if isinstance(event, str) else json.dumps(event, ensure_ascii=False, sort_keys=True)
    hashed = sha256(raw.encode("utf-8", "replace")).hexdigest()
    unmapped = Receipt(hashed, ReceiptKind.UNMAPPED, heard_at, raw=raw)
    if not isinstance(event, dict):
        return unmapped
    kind, at = words(event.get("event")), event.get("timestamp")
    base = replace(
        unmapped,
        key=words(event.get("sg_event_id")) or hashed,
        occurred_at=at * 1000 if type(at) is int else heard_at,
        reference=words(event.get(REFERENCE_ARGUMENT)) or None,
        provider_id=_MACHINE.sub("", words(event.get("sg_message_id"))) or None,
        recipient=words(event.get("email")) or None,
        code=kind,
    )
    read = _READERS.get(kind)
    names_something = base.reference or base.provider_id or base.recipient
    return read(base, event) if read and names_something else base


def _processed(base: Receipt, event: Mapping[str, Any]) -> Receipt:
    return replace(base, kind=ReceiptKind.ACCEPTED)


def _delivered(base: Receipt, event: Mapping[str, Any]) -> Receipt:
    return replace(base, kind=ReceiptKind.DELIVERED, text=words(event.get("response")))


def _deferred(base: Receipt, event: Mapping[str, Any]) -> Receipt:
    """SendGrid goes on trying. A receipt names no time to try again, so the server sends nothing twice."""
    text = words(event.get("response")) or words(event.get("reason"))
    reason = reason_of_answer(text, words(event.get("status"))) or Reason.UNREACHABLE
    return replace(base, kind=ReceiptKind.DEFERRED, reason=reason, text=text)


def _bounced(base: Receipt, event: Mapping[str, Any]) -> Receipt:
    kind, told = words(event.get("type")) or "bounce", words(event.get("bounce_classification"))
    code, text = f"{kind}/{told}", words(event.get("reason"))
    reason = load("channels.email", "sendgrid_codes.csv").reason(code)
    if told in _VAGUE and kind != "expired":
        answered = reason_of_answer(text, words(event.get("status")))
        reason = reason if answered in (None, Reason.UNKNOWN) else answered or reason
    return replace(base, kind=ReceiptKind.BOUNCED, reason=reason, code=code, text=text)


def _dropped(base: Receipt, event: Mapping[str, Any]) -> Receipt:
    text = words(event.get("reason"))
    code = f"dropped/{text}"[:200]
    reason = load("channels.email", "sendgrid_codes.csv").reason(code)
    return replace(base, kind=ReceiptKind.FAILED, reason=reason, code=code, text=text)


def _opened(base: Receipt, event: Mapping[str, Any]) -> Receipt:
    if event.get("sg_machine_open") is True:
        return replace(base, kind=ReceiptKind.OPENED, actor=Actor.MACHINE, actor_why="sg_machine_open")
    return replace(base, kind=ReceiptKind.OPENED, actor=Actor.UNSURE, actor_why=_seen(event))


def _clicked(base: Receipt, event: Mapping[str, Any]) -> Receipt:
    url = words(event.get("url")) or None
    return replace(base, kind=ReceiptKind.CLICKED, actor=Actor.UNSURE, actor_why=_seen(event), url=url)


def _seen(event: Mapping[str, Any]) -> str:
    """SendGrid does not say that a person did it; what it saw is kept for whoever can judge."""
    return f"agent: {words(event.get('useragent'))}; address: {words(event.get('ip'))}"


def _complained(base: Receipt, event: Mapping[str, Any]) -> Receipt:
    return replace(base, kind=ReceiptKind.COMPLAINED, reason=Reason.OPTED_OUT)


def _unsubscribed(base: Receipt, event: Mapping[str, Any]) -> Receipt:
    return replace(base, kind=ReceiptKind.UNSUBSCRIBED, reason=Reason.OPTED_OUT)


_READERS: Mapping[str, Callable[[Receipt, Mapping[str, Any]], Receipt]] = MappingProxyType(
    {
        "processed": _processed,
        "delivered": _delivered,
        "deferred": _deferred,
        "bounce": _bounced,
        "blocked": _bounced,
        "dropped": _dropped,
        "open": _opened,
        "click": _clicked,
        "spamreport": _complained,
        "unsubscribe": _unsubscribed,
        "group_unsubscribe": _unsubscribed,
    }
)
