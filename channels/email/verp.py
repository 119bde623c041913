"""Names for messages that survive a bounce: in the envelope's sender and id, and in a header. Pure.

A token is our reference and a mark that needs the secret. Whoever got a message knows its token and could
tell lies about that message; about no other, whatever a mail says.
"""

from __future__ import annotations

import base64
import hmac
import re
from dataclasses import dataclass, field

HEADER = "X-Sojourn-Reference"
LONGEST_LOCAL_PART = 64
"""RFC 5321: what comes before the @."""

# Servers on the way may change the case of an address, so a token has only one.
_REFERENCE = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_MARK_LETTERS = 16
_TOKEN = re.compile(r"(?<![a-z0-9-])([a-z0-9][a-z0-9-]{0,100})-([a-z2-7]{16})(?![a-z0-9-])", re.IGNORECASE)
_MOST_TRIED = 50


@dataclass(frozen=True, slots=True)
class Tokens:
    """Makes tokens with the first secret, and believes what any of them made."""

    secrets: tuple[bytes, ...] = field(repr=False)

    def make(self, reference: str) -> str | None:
        """The token of a reference; None where there is no secret, or the reference fits no address."""
        if not self.secrets or not _REFERENCE.fullmatch(reference) or len(reference) > 100:
            return None
        return f"{reference}-{_mark(self.secrets[0], reference)}"

    def find(self, text: str) -> str | None:
        """The reference of the first genuine token in a text."""
        for tried, match in enumerate(_TOKEN.finditer(text)):
            if tried == _MOST_TRIED:
                break
            reference, mark = match[1].lower(), match[2].lower()
            # Every secret is tried, so that the time taken does not tell which of them fits.
            if any([hmac.compare_digest(mark, _mark(one, reference)) for one in self.secrets]):
                return reference
        return None


def bounce_sender(bounce_address: str, token: str | None) -> str:
    """The envelope's sender: `bounces+TOKEN@…`; without the token where it would be too long."""
    local, _, domain = bounce_address.rpartition("@")
    named = f"{local}+{token}"
    return f"{named}@{domain}" if token and len(named) <= LONGEST_LOCAL_PART else bounce_address


def _mark(secret: bytes, reference: str) -> str:
    digest = hmac.digest(secret, b"sojourn bounce\0" + reference.encode(), "sha256")
    return base64.b32encode(digest)[:_MARK_LETTERS].decode().lower()
