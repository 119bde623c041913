"""Seals providers' secrets at rest.

A sealed text is one byte that names this form, 12 random bytes, and what AES-256-GCM makes of the secret.
It opens only for what it was sealed for: moved to another connection or project, it stays shut.
"""

import os
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from server.errors import ServerError

_FORM = b"\x01"
_NONCE_BYTES = 12
_HEAD = len(_FORM) + _NONCE_BYTES


class CannotUnseal(ServerError):
    """A sealed secret does not open, because SOJOURN_SECRET has changed."""

    code = "CANNOT_UNSEAL"


class SecretBox:
    """The first secret seals; every one opens, so that a rotation keeps what was sealed before."""

    def __init__(self, secrets: Sequence[bytes]) -> None:
        if not secrets:
            raise ValueError("a secret box wants at least one secret, found none")
        self._keys = tuple(AESGCM(_derive(secret)) for secret in secrets)

    def __repr__(self) -> str:
        return "SecretBox()"

    def seal(self, secret: bytes, about: bytes) -> bytes:
        """`about` says whose secret it is, and has to be the same when it is opened."""
        nonce = os.urandom(_NONCE_BYTES)
        return _FORM + nonce + self._keys[0].encrypt(nonce, secret, about)

    def open(self, sealed: bytes, about: bytes) -> bytes:
        """Raises `CannotUnseal` for anything that was not sealed about this with a secret we still have."""
        if sealed[:1] == _FORM:
            for key in self._keys:
                try:
                    return key.decrypt(sealed[1:_HEAD], sealed[_HEAD:], about)
                except (InvalidTag, ValueError):
                    continue
        raise CannotUnseal(
            "A sealed secret does not open. "
            "If SOJOURN_SECRET was changed, put the old one behind the new one."
        )


def _derive(secret: bytes) -> bytes:
    return HKDF(SHA256(), 32, salt=None, info=b"sojourn secret box v1").derive(secret)
