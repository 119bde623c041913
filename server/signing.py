"""The one signer: tracking links, cursors and whatever else leaves us and comes back.

A token is 24 characters of tag followed by the payload, both in URL-safe base64 without padding.
The tag covers the payload as it is written, and is compared as it is written: nothing is decoded, let
alone parsed, before the comparison, and no second spelling of a token is accepted.
"""

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence

# 144 of the 256 bits of HMAC-SHA256: 18 bytes fill base64 exactly, so no character carries spare bits.
TAG_BYTES = 18
TAG_CHARS = 24
MIN_SECRET_BYTES = 16
MAX_TOKEN_CHARS = 4096


class BadToken(ValueError):
    """Not made by us for this purpose, or not with a secret that still counts. Says no more than that."""


class Signer:
    """Signs and verifies payloads for one purpose.

    The first secret signs; all of them verify, so that a rotation keeps old links alive: put the new
    secret in front, drop the old one when its links may die. Tokens of one purpose never verify for
    another, because each purpose has its own key.
    """

    def __init__(self, secrets: Sequence[bytes], purpose: str) -> None:
        if not secrets:
            raise ValueError("a signer wants at least one secret, found none")
        if not purpose:
            raise ValueError("a signer wants a purpose, for example 'links'")
        if any(len(secret) < MIN_SECRET_BYTES for secret in secrets):
            raise ValueError(f"a secret wants at least {MIN_SECRET_BYTES} bytes, found a shorter one")
        self.purpose = purpose
        keys = [_derive(secret, purpose) for secret in secrets]
        # With the key worked in once: what is left for each token takes half the time.
        self._keys = tuple(hmac.new(key, digestmod="sha256") for key in keys)

    def __repr__(self) -> str:
        return f"Signer(purpose={self.purpose!r})"

    def sign(self, payload: bytes) -> str:
        """A token for URLs: letters, digits, `-` and `_` only. The payload is signed, not hidden."""
        text = urlsafe_b64encode(payload).rstrip(b"=")
        if TAG_CHARS + len(text) > MAX_TOKEN_CHARS:
            raise ValueError(
                f"a payload wants to fit {MAX_TOKEN_CHARS} characters, found {len(payload)} bytes"
            )
        return (_tag(self._keys[0], text) + text).decode()

    def verify(self, token: str) -> bytes:
        """The payload of a token that `sign` made. Raises `BadToken` for anything else."""
        if not token.isascii() or not TAG_CHARS <= len(token) <= MAX_TOKEN_CHARS:
            raise BadToken("the token is not one of ours")
        written = token.encode()
        tag, text = written[:TAG_CHARS], written[TAG_CHARS:]
        # Every key is tried, whichever fits: the time taken tells nothing about the secrets.
        fits = [hmac.compare_digest(_tag(key, text), tag) for key in self._keys]
        if not any(fits):
            raise BadToken("the token is not one of ours")
        return urlsafe_b64decode(text + b"=" * (-len(text) % 4))


def _derive(secret: bytes, purpose: str) -> bytes:
    return hmac.digest(secret, b"sojourn signer v1: " + purpose.encode(), "sha256")


def _tag(key: hmac.HMAC, text: bytes) -> bytes:
    keyed = key.copy()
    keyed.update(text)
    return urlsafe_b64encode(keyed.digest()[:TAG_BYTES])
