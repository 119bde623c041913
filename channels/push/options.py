"""What push adapters share: what they carry, times to live, and laying one JSON object over another."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from channels.contract import ContentField, Instant, Message, Rejected
from channels.reasons import Reason

CONTENT = MappingProxyType(
    {
        "title": ContentField(),
        "text": ContentField(required=True),
        "url": ContentField(),
        "image_url": ContentField(),
    }
)
OUR_REFERENCE = "sojourn_message"
"""Under this name an app finds our reference, to hand it back when it reports that the message was opened."""


def expired(message: Message) -> Rejected | None:
    """The refusal of a message that would come too late."""
    if message.expires_at is not None and message.expires_at <= message.sent_at:
        return Rejected(Reason.EXPIRED, "expired", "it was not sent: its time was over")
    return None


def seconds_left(message: Message, most: int) -> int | None:
    """Whole seconds until it expires, at most so many; None if it never does."""
    return None if message.expires_at is None else min(most, (message.expires_at - message.sent_at) // 1000)


def seconds(at: Instant) -> int:
    return at // 1000


def laid_over(base: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Both objects as one, level by level; where both have a plain value, that of `above`."""
    merged = dict(base)
    for name, value in above.items():
        below = merged.get(name)
        both = isinstance(below, Mapping) and isinstance(value, Mapping)
        merged[name] = laid_over(below, value) if both else value  # type: ignore[arg-type]  # both are tables
    return merged


def filled(**fields: Any) -> dict[str, Any]:
    """The fields that have something in them."""
    return {name: value for name, value in fields.items() if value not in (None, "", {}, [])}
