"""Encryption of Web Push messages: RFC 8291 over RFC 8188, one record of `aes128gcm`.

Only the browser that made the subscription can read what was encrypted for it; the push service cannot.
"""

from __future__ import annotations

import os
import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey, EllipticCurvePublicKey

RECORD_SIZE = 4096
LARGEST_PLAINTEXT = RECORD_SIZE - 86 - 1 - 16
"""3993 bytes: what a push service has to take, without header, delimiter and tag."""
_SALT, _POINT = 16, 65
_LAST_RECORD = b"\x02"


def encrypt(
    plaintext: bytes,
    browser: EllipticCurvePublicKey,
    auth: bytes,
    *,
    salt: bytes | None = None,
    sender: EllipticCurvePrivateKey | None = None,
) -> bytes:
    """The body for a browser with this public key and authentication secret.

    Salt and the sender's key are drawn for each message; whoever gives them, as a test does, gives up the
    secrecy. Raises ValueError for more than `LARGEST_PLAINTEXT` bytes.
    """
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    if len(plaintext) > LARGEST_PLAINTEXT:
        raise ValueError(f"wanted at most {LARGEST_PLAINTEXT} bytes, found {len(plaintext)}")
    salt = os.urandom(_SALT) if salt is None else salt
    sender = sender or ec.generate_private_key(ec.SECP256R1())
    point = point_of(sender.public_key())
    shared = sender.exchange(ec.ECDH(), browser)
    key, nonce = _key_and_nonce(shared, auth, point_of(browser), point, salt)
    header = salt + struct.pack("!IB", RECORD_SIZE, len(point)) + point
    return header + AESGCM(key).encrypt(nonce, plaintext + _LAST_RECORD, None)


def decrypt(body: bytes, browser: EllipticCurvePrivateKey, auth: bytes) -> bytes:
    """What was encrypted for the browser with this key. Raises ValueError if it was not, or was changed."""
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    if len(body) < _SALT + 5 + _POINT or body[_SALT + 4] != _POINT:
        raise ValueError("the body has no header of aes128gcm with a key on P-256")
    salt, point = body[:_SALT], body[_SALT + 5 : _SALT + 5 + _POINT]
    shared = browser.exchange(ec.ECDH(), public_key(point))
    key, nonce = _key_and_nonce(shared, auth, point_of(browser.public_key()), point, salt)
    try:
        padded = AESGCM(key).decrypt(nonce, body[_SALT + 5 + _POINT :], None)
    except InvalidTag as error:
        raise ValueError("the body was not encrypted for this browser, or was changed") from error
    plaintext, delimiter, padding = padded.rpartition(_LAST_RECORD)
    if not delimiter or padding.strip(b"\0"):
        raise ValueError("the record does not end as the last one does")
    return plaintext


def public_key(point: bytes) -> EllipticCurvePublicKey:
    """Raises ValueError for bytes that are no point of P-256."""
    from cryptography.hazmat.primitives.asymmetric import ec

    return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)


def point_of(key: EllipticCurvePublicKey) -> bytes:
    """The 65 bytes that browsers and VAPID write a key in."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def _key_and_nonce(
    shared: bytes, auth: bytes, browser: bytes, sender: bytes, salt: bytes
) -> tuple[bytes, bytes]:
    secret = _hkdf(auth, shared, b"WebPush: info\0" + browser + sender, 32)
    key = _hkdf(salt, secret, b"Content-Encoding: aes128gcm\0", 16)
    return key, _hkdf(salt, secret, b"Content-Encoding: nonce\0", 12)


def _hkdf(salt: bytes, secret: bytes, info: bytes, length: int) -> bytes:
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    return HKDF(SHA256(), length, salt, info).derive(secret)
