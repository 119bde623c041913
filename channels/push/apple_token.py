"""Provider tokens for APNs: signed by us, good for an hour, and not to be renewed more often than every
twenty minutes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from channels.contract import Instant

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

_MINUTE = 60_000
RENEWED_AFTER = 50 * _MINUTE
NOT_RENEWED_BEFORE = 20 * _MINUTE


class ProviderToken:
    """The current token for one key. Minting waits for nothing, so all senders see the same one."""

    def __init__(self, pem: str, key_id: str, team_id: str) -> None:
        """Raises ValueError if the PEM is no private key on P-256."""
        self._key = private_key(pem)
        self._key_id, self._team_id = key_id, team_id
        self._token = ""
        self._minted_at: Instant = 0

    def get(self, now: Instant) -> str:
        """A token that is good at this time."""
        if not self._token or not 0 <= now - self._minted_at < RENEWED_AFTER:
            self._mint(now)
        return self._token

    def instead_of(self, refused: str, now: Instant) -> str | None:
        """Another token than the one that Apple called expired; None as long as there must be no other."""
        if self._token == refused:
            if 0 <= now - self._minted_at < NOT_RENEWED_BEFORE:
                return None
            self._mint(now)
        return self._token

    def _mint(self, now: Instant) -> None:
        import jwt

        claims = {"iss": self._team_id, "iat": now // 1000}
        self._token = jwt.encode(claims, self._key, "ES256", {"kid": self._key_id})
        self._minted_at = now


def private_key(pem: str) -> EllipticCurvePrivateKey:
    """Raises ValueError if it is no private key on P-256."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        key = load_pem_private_key(pem.encode(), None)
    except (TypeError, UnsupportedAlgorithm) as error:
        raise ValueError("no private key in PEM") from error
    if not isinstance(key, EllipticCurvePrivateKey) or not isinstance(key.curve, SECP256R1):
        raise ValueError("no key on P-256")
    return key
