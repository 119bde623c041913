"""What Twilio calls back with: proved by its signature, read into receipts and inbound messages.

The signature covers the address that was called and the parameters of the form, or, for a JSON body, an
address that carries the body's hash. It covers no time; repeats have the same key and count once.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha1, sha256
from hmac import new as hmac
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

from channels import Actor, Callback, Inbound, Instant, Reason, Receipt, ReceiptKind, Refused, Verified
from channels.codes import CodeTable, load
from channels.kakao.proof import is_one_of

REFERENCE = "reference"
"""The parameter of our callback address that carries our reference there and back."""
NO_REPLY = '<?xml version="1.0" encoding="UTF-8"?><Response/>'
"""The answer after which Twilio sends nothing to whoever wrote."""
_BODY_HASH = "bodySHA256"
_MOST_FIELDS = 500
_HASHES: Mapping[str, Any] = {"HMAC_SHA1": sha1, "HMAC_SHA256": sha256}
_PORTS = {"https": 443, "http": 80}
_KINDS = {
    **dict.fromkeys(("accepted", "queued", "sending", "sent"), ReceiptKind.ACCEPTED),
    "delivered": ReceiptKind.DELIVERED,
    **dict.fromkeys(("undelivered", "failed"), ReceiptKind.FAILED),
    "read": ReceiptKind.OPENED,
}


def codes() -> CodeTable:
    """Twilio's codes, of refusals and of failed deliveries."""
    return load("sojourn_sms", "twilio_codes.csv")


def verify_callback(callback: Callback, now: Instant, tokens: Sequence[str]) -> Verified | Refused:
    """Whether one of the account's tokens signed this. Empty tokens prove nothing."""
    known = [token for token in tokens if token]
    if not known:
        return Refused("auth_token is not set")
    if not callback.url:
        return Refused("the address that Twilio called is not known: the server needs its public address")
    try:
        signed = _signed_words(callback)
        addresses = list(_addresses(callback.url))
    except ValueError as error:
        return Refused(f"the callback cannot be read: {error}")
    if signed is None:
        return Refused("the body is not the one whose hash is in the address")
    algorithm = _HASHES.get(_algorithm(callback.headers.get("x-twilio-webhooks-signature-settings", "")))
    if algorithm is None:
        return Refused("x-twilio-webhooks-signature-settings names an unknown algorithm")
    expected = [_signature(token, url + signed, algorithm) for token in known for url in addresses]
    if is_one_of(callback.headers.get("x-twilio-signature", ""), expected):
        # As plain text Twilio would send it to whoever wrote.
        return Verified(callback, now, answer=NO_REPLY, answer_type="application/xml")
    return Refused("x-twilio-signature is missing or wrong, or the server's public address is another")


def _signed_words(callback: Callback) -> str | None:
    """What is signed behind the address; None when a body is not the one that the address speaks of."""
    hashes = parse_qs(urlsplit(callback.url).query).get(_BODY_HASH, [])
    if hashes and not _is_form(callback):
        return "" if is_one_of(sha256(callback.body).hexdigest(), hashes[:1]) else None
    # Anything else is taken for a form, whatever it calls itself, so that no body goes unsigned.
    values: dict[str, set[str]] = {}
    for name, value in _fields(callback.body):
        values.setdefault(name, set()).add(value)
    return "".join(name + value for name in sorted(values) for value in sorted(values[name]))


def _is_form(callback: Callback) -> bool:
    return callback.headers.get("content-type", "").startswith("application/x-www-form-urlencoded")


def _fields(body: bytes) -> list[tuple[str, str]]:
    text = body.decode("utf-8", "replace")
    return parse_qsl(text, keep_blank_values=True, max_num_fields=_MOST_FIELDS)


def _addresses(url: str) -> Iterator[str]:
    """The address with and without its port: Twilio signs now this, now that."""
    yield url
    parts = urlsplit(url)
    if parts.port is not None:
        yield parts._replace(netloc=parts.netloc.rpartition(":")[0]).geturl()
    elif parts.scheme in _PORTS:
        yield parts._replace(netloc=f"{parts.netloc}:{_PORTS[parts.scheme]}").geturl()


def _algorithm(settings: str) -> str:
    named = dict(part.partition("=")[::2] for part in settings.replace(" ", "").split(","))
    return (named.get("algorithm") or "HMAC_SHA1").upper()


def _signature(token: str, words: str, algorithm: Any) -> str:
    digest = hmac(token.encode(), words.encode("utf-8", "surrogatepass"), algorithm).digest()
    return b64encode(digest).decode()


def receipts_of(verified: Verified) -> list[Receipt]:
    """What a callback says of a message of ours, or of somebody who wants no more."""
    said = _said(verified.callback.body)
    if _is_written(said):
        return _opt_out(said, verified.received_at) if said.get("OptOutType") == "STOP" else []
    sid, status = said.get("MessageSid", ""), said.get("MessageStatus", "")
    kind = _KINDS.get(status)
    if not sid or kind is None:
        return [_unmapped(verified, status)]
    code = said.get("ErrorCode", "")
    return [
        Receipt(
            key=f"{sid}:{status}",
            kind=kind,
            occurred_at=verified.received_at,
            reference=_reference(verified.callback.url),
            provider_id=sid,
            reason=_reason(code) if kind is ReceiptKind.FAILED else None,
            code=code or status,
            text=said.get("ErrorMessage") or said.get("ChannelStatusMessage", ""),
            actor=Actor.HUMAN if kind is ReceiptKind.OPENED else None,
            actor_why="the recipient's own device says so" if kind is ReceiptKind.OPENED else "",
            recipient=said.get("To") or None,
            raw=_raw(verified.callback.body),
        )
    ]


def inbound_of(verified: Verified) -> list[Inbound]:
    """What somebody wrote to one of our numbers."""
    said = _said(verified.callback.body)
    if not _is_written(said):
        return []
    return [
        Inbound(
            key=said["MessageSid"],
            sender=said["From"],
            text=said.get("Body", ""),
            occurred_at=verified.received_at,
            recipient=said.get("To", ""),
            provider_id=said.get("OriginalRepliedMessageSid") or None,
            raw=_raw(verified.callback.body),
        )
    ]


def _said(body: bytes) -> dict[str, str]:
    """The parameters of a form or of a JSON object; nothing of anything else."""
    try:
        if body[:1] == b"{":
            found = json.loads(body)
            fields = [(name, value) for name, value in found.items() if isinstance(value, str | int)]
            return {name: str(value) for name, value in fields}
        return dict(_fields(body))
    except (ValueError, RecursionError, AttributeError):
        return {}


def _is_written(said: Mapping[str, str]) -> bool:
    is_news = "MessageStatus" not in said and ("Body" in said or "NumMedia" in said)
    return is_news and bool(said.get("MessageSid")) and bool(said.get("From"))


def _opt_out(said: Mapping[str, str], now: Instant) -> list[Receipt]:
    """Twilio has understood that somebody wants no more, whatever word they used, and refuses from now on."""
    return [
        Receipt(
            key=f"{said['MessageSid']}:STOP",
            kind=ReceiptKind.UNSUBSCRIBED,
            occurred_at=now,
            code="STOP",
            recipient=said["From"],
            raw=json.dumps(said, ensure_ascii=False, sort_keys=True),
        )
    ]


def _reason(code: str) -> Reason:
    return codes().reason(code) if code else Reason.UNKNOWN


def _reference(url: str) -> str | None:
    # From the address, which is signed; `Callback.query` might say something else.
    return next(iter(parse_qs(urlsplit(url).query).get(REFERENCE, [])), None)


def _unmapped(verified: Verified, status: str) -> Receipt:
    body = verified.callback.body
    key = sha256(body).hexdigest()
    return Receipt(key, ReceiptKind.UNMAPPED, verified.received_at, code=status, raw=_raw(body))


def _raw(body: bytes) -> str:
    return body.decode("utf-8", "replace")
