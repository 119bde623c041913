"""VAPID (RFC 8292): proving to a push service who sends, with one key pair for all of them."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from channels.contract import Instant
from channels.push import apple_token
from channels.push.ece import point_of

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

_HOUR = 3_600_000
GOOD_FOR = 12 * _HOUR
"""Services refuse tokens that are good for longer than a day; half of that leaves room for their clocks."""
RENEWED_AFTER = 11 * _HOUR
_MOST_AUDIENCES = 256


class Vapid:
    """Signs for one key, one token for each push service."""

    def __init__(self, key: str, subject: str) -> None:
        """Raises ValueError if it is no private key on P-256."""
        self._key = private_key(key)
        self.public_key = base64url(point_of(self._key.public_key()))
        self._subject = subject
        self._tokens: dict[str, tuple[Instant, str]] = {}

    def authorization(self, audience: str, now: Instant) -> str:
        """The header for a push service; the audience is its origin, e.g. `https://push.example`."""
        minted_at, token = self._tokens.get(audience, (0, ""))
        if not token or not 0 <= now - minted_at < RENEWED_AFTER:
            token = self._mint(audience, now)
        return f"vapid t={token}, k={self.public_key}"

    def _mint(self, audience: str, now: Instant) -> str:
        import jwt

        if len(self._tokens) >= _MOST_AUDIENCES:
            self._tokens.clear()
        claims = {"aud": audience, "exp": (now + GOOD_FOR) // 1000, "sub": self._subject}
        token = jwt.encode(claims, self._key, "ES256")
        self._tokens[audience] = (now, token)
        return token


def private_key(text: str) -> EllipticCurvePrivateKey:
    """A key as PEM, or as the 32 bytes in base64url that most generators of VAPID keys print.

    Raises ValueError if it is no private key on P-256.
    """
    from cryptography.hazmat.primitives.asymmetric import ec

    if text.lstrip().startswith("-----BEGIN"):
        return apple_token.private_key(text)
    raw = from_base64url(text.strip())
    if len(raw) != 32:
        raise ValueError("no private key: wanted PEM, or 32 bytes in base64url")
    return ec.derive_private_key(int.from_bytes(raw, "big"), ec.SECP256R1())


def base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def from_base64url(text: str) -> bytes:
    """Takes the plain alphabet and padding as well. Raises ValueError for anything else."""
    bare = text.rstrip("=").replace("+", "-").replace("/", "_")
    return base64.b64decode(bare + "=" * (-len(bare) % 4), altchars=b"-_", validate=True)
