"""Who calls: the challenge when an address is registered, and the signature of everything after it."""

from __future__ import annotations

import hashlib
import hmac

from channels import Callback, Instant, Refused, Verified
from pydantic import SecretStr

from sojourn_whatsapp.settings import WhatsAppSettings

SIGNATURE = "x-hub-signature-256"
MODE, TOKEN, CHALLENGE = "hub.mode", "hub.verify_token", "hub.challenge"
_LONGEST_CHALLENGE = 500


def is_challenge(callback: Callback) -> bool:
    """Whether it asks for an echo and tells nothing."""
    return callback.method == "GET" and CHALLENGE in callback.query


def prove_challenge(settings: WhatsAppSettings, callback: Callback, now: Instant) -> Verified | Refused:
    """Meta knows the token that the operator gave it; the answer is its challenge."""
    token = settings.verify_token.get_secret_value()
    challenge = callback.query.get(CHALLENGE, "")
    if not token:
        return Refused("verify_token is not set")
    if callback.query.get(MODE) != "subscribe" or not 0 < len(challenge) <= _LONGEST_CHALLENGE:
        return Refused("this is no request to register the address")
    if not hmac.compare_digest(_bytes(callback.query.get(TOKEN, "")), _bytes(token)):
        return Refused(f"{TOKEN} is not ours")
    return Verified(callback, now, answer=challenge)


def prove_signature(settings: WhatsAppSettings, callback: Callback, now: Instant) -> Verified | Refused:
    """The HMAC of the very bytes that came, by one of the two live secrets of the app."""
    secrets = [one for one in (settings.app_secret, settings.previous_app_secret) if one.get_secret_value()]
    if not secrets:
        return Refused("app_secret is not set")
    given = _bytes(callback.headers.get(SIGNATURE, ""))
    # Every one is compared, so that the time tells nothing of which it was.
    matches = [hmac.compare_digest(given, _bytes(signature(one, callback.body))) for one in secrets]
    return Verified(callback, now) if any(matches) else Refused(f"{SIGNATURE} is missing or wrong")


def signature(secret: SecretStr, body: bytes) -> str:
    """As Meta writes it into the header."""
    return "sha256=" + hmac.new(_bytes(secret.get_secret_value()), body, hashlib.sha256).hexdigest()


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
