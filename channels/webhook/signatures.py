"""Signatures as Standard Webhooks 1.0 describes them: the same for what goes out and for what comes back."""

import base64
import hmac
from collections.abc import Iterable, Mapping
from hashlib import sha256

from channels.contract import Callback, Instant, Refused, Verified

ID, TIMESTAMP, SIGNATURE = "webhook-id", "webhook-timestamp", "webhook-signature"
TOLERANCE_SECONDS = 5 * 60
SHORTEST_SECRET, LONGEST_SECRET = 24, 64
_PREFIX = "whsec_"
_MOST_SIGNATURES = 16


def key_of(secret: str) -> bytes:
    """The key in a secret, which is written `whsec_` and base64 of 24 to 64 bytes. Raises ValueError that
    repeats nothing of it."""
    bare = secret.removeprefix(_PREFIX).rstrip("=")
    try:
        key = base64.b64decode(bare + "=" * (-len(bare) % 4), validate=True)
    except ValueError:
        key = b""
    if not secret.startswith(_PREFIX) or not SHORTEST_SECRET <= len(key) <= LONGEST_SECRET:
        raise ValueError(
            f"wanted whsec_ and base64 of {SHORTEST_SECRET} to {LONGEST_SECRET} bytes, "
            f"found {len(secret)} characters with {len(key)} bytes in them"
        )
    return key


def signed(keys: Iterable[bytes], message_id: str, at: Instant, body: bytes) -> dict[str, str]:
    """The headers for a body: one signature for each key, so that a receiver with any of them believes it.

    The id is part of what is signed and of a header: ASCII, please.
    """
    stamp = str(at // 1000)
    signatures = [f"v1,{_signature(key, message_id, stamp, body)}" for key in keys]
    return {ID: message_id, TIMESTAMP: stamp, SIGNATURE: " ".join(signatures)}


def verified(keys: Iterable[bytes], callback: Callback, now: Instant) -> Verified | Refused:
    """Prove that whoever sent this has one of the keys, and sent it within five minutes. Never raises."""
    known = list(keys)
    if not known:
        return Refused("settings name no signing_secret, so no callback can be proved")
    headers: Mapping[str, str] = callback.headers
    message_id, stamp = headers.get(ID, ""), headers.get(TIMESTAMP, "")
    if not message_id or not (stamp.isascii() and stamp.isdecimal() and len(stamp) < 12):
        return Refused(f"{ID} is missing, or {TIMESTAMP} is no number of seconds")
    given = [one[3:].encode("utf-8", "replace") for one in _first_version(headers.get(SIGNATURE, ""))]
    expected = [_signature(key, message_id, stamp, callback.body).encode() for key in known]
    # Every pair is compared, so that the time taken does not tell which one fits.
    if not any([hmac.compare_digest(one, other) for one in given for other in expected]):
        return Refused(f"no signature in {SIGNATURE} is by one of our secrets")
    if abs(now // 1000 - int(stamp)) > TOLERANCE_SECONDS:
        return Refused("the time stamp is more than five minutes away from our clock")
    return Verified(callback, received_at=now)


def _first_version(header: str) -> list[str]:
    return [one for one in header.split(" ")[:_MOST_SIGNATURES] if one.startswith("v1,")]


def _signature(key: bytes, message_id: str, stamp: str, body: bytes) -> str:
    told = f"{message_id}.{stamp}.".encode("utf-8", "surrogatepass") + body
    return base64.b64encode(hmac.digest(key, told, sha256)).decode()
