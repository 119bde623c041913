"""Messages of Amazon SNS: proved from their own fields, with certificates that the operator has pinned.

Nothing that a message names is ever visited: not its certificate's address, not its confirmation link.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from channels.answers import read_json, words
from channels.contract import Callback, Instant, Refused, Verified
from channels.email.relay import read_time

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

CONFIRMATIONS = ("SubscriptionConfirmation", "UnsubscribeConfirmation")
OLDEST_MS = 2 * 60 * 60 * 1000
"""SNS goes on trying for an hour."""
EARLIEST_MS = 5 * 60 * 1000

_SIGNING_URL = re.compile(
    r"https://sns\.[a-z0-9-]+\.amazonaws\.com(\.cn)?/SimpleNotificationService-[A-Za-z0-9]{1,64}\.pem"
)
_HEADERS = {
    "x-amz-sns-message-type": "Type",
    "x-amz-sns-message-id": "MessageId",
    "x-amz-sns-topic-arn": "TopicArn",
}
_SIGNED_NOTIFICATION = ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type")
_SIGNED_CONFIRMATION = ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")


def string_to_sign(told: dict[str, Any]) -> bytes:
    """The fields that SNS signs, in its order; a Subject only where there is one."""
    names = _SIGNED_CONFIRMATION if told.get("Type") in CONFIRMATIONS else _SIGNED_NOTIFICATION
    lines = [f"{name}\n{told[name]}\n" for name in names if isinstance(told.get(name), str)]
    return "".join(lines).encode("utf-8", "surrogatepass")


def verify_message(
    callback: Callback, now: Instant, certificates: Sequence[str], topics: Sequence[str]
) -> Verified | Refused:
    """Prove that SNS sent this, for one of our topics and lately. Never raises."""
    if not certificates or not topics:
        return Refused("settings name no sns_certificates and sns_topic_arns, so no callback can be proved")
    # What is signed are the fields, so that nothing but a line break may stand around them.
    told = read_json(callback.body) if callback.body.rstrip(b"\r\n").endswith(b"}") else None
    if not isinstance(told, dict):
        return Refused("the body is no JSON object")
    if not all(
        words(told.get(name)) and callback.headers.get(header) == told[name]
        for header, name in _HEADERS.items()
    ):
        return Refused(
            "the headers x-amz-sns-… do not say what the body says; raw message delivery must be off"
        )
    if told["TopicArn"] not in topics:
        return Refused("the topic is not in sns_topic_arns")
    if why := _false_signature(told, certificates, now):
        return Refused(why)
    sent_at = read_time(told.get("Timestamp"), 0)
    if not now - OLDEST_MS <= sent_at <= now + EARLIEST_MS:
        return Refused("the time stamp is more than two hours old, or ahead of our clock")
    return Verified(callback, received_at=now)


def _false_signature(told: dict[str, Any], certificates: Sequence[str], now: Instant) -> str:
    """Why the signature proves nothing; empty if it does."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import padding, rsa

    version = told.get("SignatureVersion")
    if version not in ("1", "2"):
        return "SignatureVersion is neither 1 nor 2"
    digest: hashes.HashAlgorithm = hashes.SHA256() if version == "2" else hashes.SHA1()
    try:
        signature = base64.b64decode(told.get("Signature") or "", validate=True)
    except (ValueError, TypeError):
        return "the signature is not base64"
    for pem in certificates:
        certificate = read_certificate(pem)
        key = certificate.public_key() if certificate and is_in_time(certificate, now) else None
        if isinstance(key, rsa.RSAPublicKey):
            try:
                key.verify(signature, string_to_sign(told), padding.PKCS1v15(), digest)
            except InvalidSignature:
                continue
            return ""
    return f"no certificate in sns_certificates proves the signature{_hint(told.get('SigningCertURL'))}"


def _hint(url: Any) -> str:
    """Where a new certificate may be had: named only if it can be nobody's but Amazon's."""
    if isinstance(url, str) and _SIGNING_URL.fullmatch(url):
        return f"; it names {url}, whose certificate you may add there"
    return "; and it names no address of Amazon's for its certificate"


@lru_cache(maxsize=64)
def read_certificate(pem: str) -> Certificate | None:
    """The certificate of an RSA key in a PEM text; None if there is none."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
    from cryptography.x509 import load_pem_x509_certificate

    try:
        certificate = load_pem_x509_certificate(pem.strip().encode())
        return certificate if isinstance(certificate.public_key(), RSAPublicKey) else None
    except (ValueError, UnsupportedAlgorithm):
        return None


def is_in_time(certificate: Certificate, now: Instant) -> bool:
    starts, ends = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    return starts.timestamp() * 1000 <= now < ends.timestamp() * 1000
