"""Amazon SES as it answers over the wire, and SNS as it tells of what became of mails."""

import base64
import email
import email.policy
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from hashlib import sha256
from typing import TYPE_CHECKING, Any, ClassVar

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from channels.contract import Callback, Instant, ReceiptKind
from channels.email.sigv4 import Signer
from channels.email.sns import string_to_sign
from channels.reasons import Reason
from channels.testing.providers.base import FakeProvider, Report

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

TOPIC = "arn:aws:sns:eu-west-1:123456789012:mail"
ACCESS_KEY_ID = "AKIDEXAMPLE"
SECRET_ACCESS_KEY = "fake-secret-access-key"
SIGNING_URL = "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0123456789abcdef.pem"

_REFUSALS: Mapping[Reason, tuple[int, str, str]] = {
    Reason.RATE_LIMITED: (429, "TooManyRequestsException", "Maximum sending rate exceeded."),
    Reason.QUOTA_EXCEEDED: (429, "TooManyRequestsException", "Daily message quota exceeded."),
    Reason.ACCOUNT_BLOCKED: (400, "AccountSuspendedException", "The account is suspended."),
    Reason.CONTENT_REJECTED: (400, "MessageRejected", "Message contains a virus."),
    Reason.SENDER_INVALID: (400, "MessageRejected", "Email address is not verified. Check the identities."),
    Reason.REQUEST_INVALID: (400, "BadRequestException", "1 validation error detected"),
    Reason.INVALID_RECIPIENT: (400, "BadRequestException", "Missing final '@domain'"),
    Reason.CONTENT_INVALID: (400, "BadRequestException", "Message length is more than 41943040 bytes long."),
    Reason.AUTH_FAILED: (403, "AccessDeniedException", "User is not authorized to perform ses:SendEmail"),
    Reason.PROVIDER_ERROR: (500, "InternalFailure", "An internal failure."),
}
_BOUNCES: Mapping[Reason, tuple[str, str, str]] = {
    Reason.INVALID_RECIPIENT: ("Permanent", "NoEmail", "smtp; 550 5.1.1 user unknown"),
    Reason.UNREACHABLE: ("Transient", "MailboxFull", "smtp; 552 5.2.2 mailbox full"),
    Reason.CONTENT_INVALID: ("Transient", "MessageTooLarge", "smtp; 552 5.3.4 too large"),
    Reason.CONTENT_REJECTED: ("Transient", "ContentRejected", "smtp; 554 5.7.1 spam"),
    Reason.EXPIRED: ("Transient", "CustomTimeoutExceeded", "smtp; 451 4.4.7 too late"),
    Reason.SENDER_INVALID: ("Permanent", "General", "smtp; 550 5.7.26 DMARC"),
    Reason.OPTED_OUT: ("Permanent", "OnAccountSuppressionList", "Amazon SES did not send to this address"),
    Reason.UNKNOWN: ("Undetermined", "Undetermined", ""),
}


class FakeSes(FakeProvider):
    """One account in eu-west-1 whose configuration set publishes to `TOPIC`."""

    base_url: ClassVar[str] = "https://email.eu-west-1.amazonaws.com"
    observes = frozenset(
        {ReceiptKind.DELIVERED, ReceiptKind.BOUNCED, ReceiptKind.OPENED, ReceiptKind.CLICKED}
    )
    refusals = frozenset(_REFUSALS)
    """The reasons that an answer can express."""
    failures = frozenset(_BOUNCES)
    """The reasons that an event can express."""
    signature_version = "2"
    is_in_sandbox = False

    async def answer(self, request: Request) -> Response:
        body = await request.body()
        if (problem := self._distrust(request, body)) is not None:
            return problem
        if (request.method, request.url.path) == ("GET", "/v2/email/account"):
            return JSONResponse({"SendingEnabled": True, "ProductionAccessEnabled": not self.is_in_sandbox})
        if (request.method, request.url.path) != ("POST", "/v2/email/outbound-emails"):
            return error(404, "UnknownOperationException", "")
        asked = json.loads(body)
        letter = email.message_from_bytes(
            base64.b64decode(asked["Content"]["Raw"]["Data"], validate=True), policy=email.policy.default
        )
        [to] = asked["Destination"]["ToAddresses"]
        if not letter["From"] or not letter["To"]:
            return error(400, "BadRequestException", "Missing required header")
        if (refused := self.lives(to).refused) is not None:
            return error(*_REFUSALS[refused])
        provider_id = f"0102{len(self.taken):012x}-fake-000000"
        tags = {one["Name"]: [one["Value"]] for one in asked.get("EmailTags", [])}
        is_told = bool(asked.get("ConfigurationSetName"))
        self.take(provider_id, to, tags=tags if is_told else {})
        return JSONResponse({"MessageId": provider_id})

    def _distrust(self, request: Request, body: bytes) -> Response | None:
        given = request.headers.get("authorization", "")
        if not given:
            return error(403, "MissingAuthenticationTokenException", "Missing Authentication Token")
        if f"Credential={ACCESS_KEY_ID}/" not in given:
            return error(403, "UnrecognizedClientException", "The security token is invalid.")
        now = self.clock()
        signer = Signer(ACCESS_KEY_ID, SECRET_ACCESS_KEY, "eu-west-1", "ses")
        content_type = request.headers.get("content-type")
        headers = {"Content-Type": content_type} if content_type else {}
        if signer.sign(request.method, str(request.url), body, now, headers)["Authorization"] != given:
            return error(403, "InvalidSignatureException", "The request signature does not match.")
        return None

    def callback(self, reports: Sequence[Report], now: Instant) -> Callback:
        """One notification: SES tells of one mail at a time."""
        [report] = reports
        return notification(event_of(report), now, version=self.signature_version)


def event_of(report: Report) -> dict[str, Any]:
    """The event in which SES tells of this."""
    at = _iso(report.at)
    mail = {
        "timestamp": at,
        "messageId": report.provider_id,
        "source": "shop@example.com",
        "destination": [report.to],
        "tags": report.extra.get("tags", {}),
    }
    seen = {"timestamp": at, "ipAddress": "203.0.113.9", "userAgent": "Mozilla/5.0 (Macintosh)"}
    match report.kind:
        case ReceiptKind.DELIVERED:
            delivery = {"timestamp": at, "recipients": [report.to], "smtpResponse": "250 ok"}
            return {"eventType": "Delivery", "mail": mail, "delivery": delivery}
        case ReceiptKind.OPENED:
            return {"eventType": "Open", "mail": mail, "open": seen}
        case ReceiptKind.CLICKED:
            return {"eventType": "Click", "mail": mail, "click": {**seen, "link": "https://shop.example/"}}
    kind, sub, text = _BOUNCES[report.reason or Reason.UNKNOWN]
    recipient = {"emailAddress": report.to, "action": "failed", "diagnosticCode": text}
    told = {
        "bounceType": kind,
        "bounceSubType": sub,
        "bouncedRecipients": [recipient],
        "timestamp": at,
        "feedbackId": f"{report.provider_id}-{report.number}",
    }
    return {"eventType": "Bounce", "mail": mail, "bounce": told}


def notification(
    event: Mapping[str, Any] | str, now: Instant, *, version: str = "2", topic: str = TOPIC, **more: str
) -> Callback:
    """The request of SNS that carries an event; `more` are fields of its own, e.g. Type."""
    message = event if isinstance(event, str) else json.dumps(event)
    told = {
        "Type": "Notification",
        "MessageId": f"sns-{now}-{sha256(message.encode()).hexdigest()[:12]}",
        "TopicArn": topic,
        "Message": message,
        "Timestamp": _iso(now),
        "SignatureVersion": version,
        "SigningCertURL": SIGNING_URL,
        **more,
    }
    told["Signature"] = _sign(told)
    headers = {
        "content-type": "text/plain; charset=UTF-8",
        "x-amz-sns-message-type": told["Type"],
        "x-amz-sns-message-id": told["MessageId"],
        "x-amz-sns-topic-arn": told["TopicArn"],
    }
    return Callback("POST", "/", headers, {}, json.dumps(told, indent=2).encode())


def error(status: int, kind: str, text: str) -> Response:
    return JSONResponse({"message": text}, status, {"x-amzn-ErrorType": f"{kind}:"})


def _sign(told: dict[str, str]) -> str:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15

    digest: hashes.HashAlgorithm = hashes.SHA256() if told["SignatureVersion"] == "2" else hashes.SHA1()
    return base64.b64encode(signing_key().sign(string_to_sign(told), PKCS1v15(), digest)).decode()


@cache
def signing_key() -> "RSAPrivateKey":
    from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key

    return generate_private_key(65537, 2048)


@cache
def certificate(first: str = "2020-01-01", days: int = 3650) -> str:
    """The certificate of the fake SNS, as PEM; it is good for `days` from its first day on."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.x509.oid import NameOID

    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
    starts = datetime.fromisoformat(first).replace(tzinfo=UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(signing_key().public_key())
        .serial_number(1)
        .not_valid_before(starts)
        .not_valid_after(starts + timedelta(days=days))
        .sign(signing_key(), hashes.SHA256())
    )
    return made.public_bytes(serialization.Encoding.PEM).decode()


def _iso(at: Instant) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
