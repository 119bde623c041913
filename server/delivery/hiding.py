"""What is secret about a connection does not leave by the words of its provider."""

from collections.abc import Sequence

from pydantic import BaseModel

from server.store.sealed import secrets_in

HIDDEN = "…"
_SHORTEST_SECRET = 4
"""Whatever is shorter would make holes into words."""


def secrets_of(settings: BaseModel) -> tuple[str, ...]:
    """The longest first: one may begin like another."""
    found = {secret for secret in secrets_in(settings) if len(secret) >= _SHORTEST_SECRET}
    return tuple(sorted(found, key=len, reverse=True))


def hide(secrets: Sequence[str], text: str) -> str:
    """The text without any of these."""
    for secret in secrets:
        if secret in text:
            text = text.replace(secret, HIDDEN)
    return text
