"""SendGrid as it answers over the wire and as it tells of what became of mails."""

import base64
import json
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from channels.contract import Callback, Instant, ReceiptKind
from channels.email.sendgrid_events import SIGNATURE, TIMESTAMP
from channels.reasons import Reason
from channels.testing.providers.base import FakeProvider, Report

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

API_KEY = "SG.fake.api-key"

_TO = "personalizations.0.to.0.email"
# Status, field, message.
_REFUSALS: Mapping[Reason, tuple[int, str | None, str]] = {
    Reason.INVALID_RECIPIENT: (400, _TO, "Does not contain a valid address."),
    Reason.CONTENT_INVALID: (413, None, "The JSON payload you have included in your request is too large."),
    Reason.REQUEST_INVALID: (400, "", "Bad Request"),
    Reason.AUTH_FAILED: (401, None, "The provided authorization grant is invalid, expired, or revoked"),
    Reason.QUOTA_EXCEEDED: (401, None, "Maximum credits exceeded"),
    Reason.ACCOUNT_BLOCKED: (403, None, "Authenticated user is not authorized to send mail"),
    Reason.SENDER_INVALID: (403, "from", "The from address does not match a verified Sender Identity."),
    Reason.RATE_LIMITED: (429, None, "too many requests"),
    Reason.NOT_PERMITTED: (451, None, "unavailable due to data residency restrictions"),
    Reason.PROVIDER_ERROR: (500, None, "internal server error"),
}
# Event, type, classification, reason.
_FAILURES: Mapping[Reason, tuple[str, str, str, str]] = {
    Reason.INVALID_RECIPIENT: ("bounce", "bounce", "Invalid Address", "550 5.1.1 user unknown"),
    Reason.UNREACHABLE: ("bounce", "blocked", "Mailbox Unavailable", "552 5.2.2 mailbox full"),
    Reason.CONTENT_REJECTED: ("bounce", "blocked", "Content", "554 5.7.1 spam"),
    Reason.SENDER_INVALID: ("bounce", "blocked", "Reputation", "550 5.7.1 blocked"),
    Reason.PROVIDER_ERROR: ("bounce", "blocked", "Technical Failure", "451 4.3.0 error"),
    Reason.RATE_LIMITED: ("bounce", "blocked", "Frequency or Volume Too High", "421 4.7.0 slow down"),
    Reason.EXPIRED: ("bounce", "expired", "Unclassified", "unable to get mx info"),
    Reason.UNKNOWN: ("bounce", "bounce", "Something New", "no"),
    Reason.OPTED_OUT: ("dropped", "", "", "Unsubscribed Address"),
    Reason.QUOTA_EXCEEDED: ("dropped", "", "", "Recipient List over Package Quota"),
}
_EVENTS = {
    ReceiptKind.DELIVERED: {"event": "delivered", "response": "250 OK"},
    ReceiptKind.OPENED: {"event": "open", "useragent": "Mozilla/5.0 (Macintosh)", "ip": "203.0.113.9"},
    ReceiptKind.CLICKED: {
        **{"event": "click", "useragent": "Mozilla/5.0 (Macintosh)", "ip": "203.0.113.9"},
        "url": "https://shop.example/",
    },
}


class FakeSendGrid(FakeProvider):
    """One account with one key, whose event webhook is signed."""

    base_url: ClassVar[str] = "https://api.sendgrid.com"
    observes = frozenset(
        {ReceiptKind.DELIVERED, ReceiptKind.BOUNCED, ReceiptKind.OPENED, ReceiptKind.CLICKED}
    )
    refusals = frozenset(_REFUSALS)
    """The reasons that an answer can express."""
    failures = frozenset(_FAILURES)
    """The reasons that an event can express."""
    scopes: tuple[str, ...] = ("mail.send",)

    async def answer(self, request: Request) -> Response:
        if request.headers.get("authorization") != f"Bearer {API_KEY}":
            return error(*_REFUSALS[Reason.AUTH_FAILED])
        if (request.method, request.url.path) == ("GET", "/v3/scopes"):
            return JSONResponse({"scopes": self.scopes})
        if (request.method, request.url.path) != ("POST", "/v3/mail/send"):
            return error(404, None, "not found")
        asked = await request.json()
        for field in ("personalizations", "from", "subject", "content"):
            if not asked.get(field):
                return error(400, field, "This field is required.")
        [person] = asked["personalizations"]
        [to] = [one["email"] for one in person["to"]]
        if (refused := self.lives(to).refused) is not None:
            return error(*_REFUSALS[refused])
        provider_id = f"fake-{len(self.taken):017}"
        self.take(provider_id, to, arguments=person.get("custom_args", {}))
        return Response(status_code=202, headers={"X-Message-Id": provider_id})

    def callback(self, reports: Sequence[Report], now: Instant) -> Callback:
        return signed(map(event_of, reports), now)


def event_of(report: Report) -> dict[str, Any]:
    """The event in which SendGrid tells of this."""
    told: dict[str, Any] = {
        "email": report.to,
        "timestamp": report.at // 1000,
        "sg_event_id": f"event-{report.number}",
        "sg_message_id": f"{report.provider_id}.recvd-5f54b5d587-pczjm-1-67BADEEA-6.0",
        **report.extra.get("arguments", {}),
    }
    if report.kind in _EVENTS:
        return {**told, **_EVENTS[report.kind]}
    kind, sub, classification, text = _FAILURES[report.reason or Reason.UNKNOWN]
    about = {"type": sub, "bounce_classification": classification}
    return {**told, "event": kind, "reason": text, **(about if sub else {})}


def signed(events: Iterable[Any] | bytes, now: Instant) -> Callback:
    """The request that carries these events."""
    from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
    from cryptography.hazmat.primitives.hashes import SHA256

    body = events if isinstance(events, bytes) else json.dumps(list(events)).encode()
    stamp = str(now // 1000)
    signature = base64.b64encode(signing_key().sign(stamp.encode() + body, ECDSA(SHA256()))).decode()
    headers = {"content-type": "application/json", TIMESTAMP: stamp, SIGNATURE: signature}
    return Callback("POST", "/", headers, {}, body)


def error(status: int, field: str | None, text: str) -> Response:
    return JSONResponse({"errors": [{"message": text, "field": field, "help": None}]}, status)


@cache
def signing_key() -> "EllipticCurvePrivateKey":
    from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key

    return generate_private_key(SECP256R1())


def verification_key() -> str:
    """The public key, as SendGrid shows it to an operator."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    der = signing_key().public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(der).decode()
