"""What people write back: texts, taps on buttons, captions, reactions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from channels import Inbound, Instant
from channels.answers import an_object

from sojourn_whatsapp.callbacks import Change, changes_of, moment, number_of, raw_of

_MEDIA = ("image", "video", "document", "audio", "sticker")
_TEXTLESS = ("location", "contacts", "order")
SAID = frozenset({"text", "button", "interactive", "reaction", *_MEDIA, *_TEXTLESS})
"""The kinds of message that a person writes. `system`, `unsupported` and new ones are kept as unmapped."""


def inbound_of(body: bytes, phone_number_id: str, heard_at: Instant) -> list[Inbound]:
    """All that people wrote to our number in this callback, each message once."""
    found: dict[str, Inbound] = {}
    for change in changes_of(body):
        if change.field == "messages" and change.phone_number_id == phone_number_id:
            for message in change.items("messages"):
                if is_said(message):
                    found.setdefault(message["id"], _inbound(message, change, heard_at))
    return list(found.values())


def is_said(message: Any) -> bool:
    """Whether a person wrote it, of whom we are told the number: with a user name alone nobody is known."""
    return (
        isinstance(message, dict)
        and isinstance(message.get("id"), str)
        and bool(message["id"])
        and isinstance(message.get("type"), str)
        and message["type"] in SAID
        and bool(number_of(message.get("from")))
    )


def _inbound(message: Mapping[str, Any], change: Change, heard_at: Instant) -> Inbound:
    return Inbound(
        message["id"],
        number_of(message["from"]),
        _text_of(message),
        moment(message.get("timestamp"), heard_at),
        recipient=change.our_number,
        provider_id=_answers(message),
        raw=raw_of(message),
    )


def _text_of(message: Mapping[str, Any]) -> str:
    """The words: of a button those on it, of a picture its caption; empty where there are none."""
    kind = message["type"]
    said = _within(message, kind)
    if kind == "text":
        return _word(said, "body")
    if kind == "button":
        return _word(said, "text")
    if kind == "interactive":
        return _word(_within(said, "button_reply"), "title") or _word(_within(said, "list_reply"), "title")
    return _word(said, "emoji") if kind == "reaction" else _word(said, "caption")


def _answers(message: Mapping[str, Any]) -> str | None:
    reacted = _word(_within(message, "reaction"), "message_id")
    return reacted or _word(_within(message, "context"), "id") or None


def _within(told: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    return an_object(told.get(name))


def _word(told: Mapping[str, Any], name: str) -> str:
    found = told.get(name)
    return found if isinstance(found, str) else ""
