"""Meta's callbacks, opened: the changes in them, and which of these speak of our number."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from channels import Instant, Receipt, ReceiptKind
from channels.answers import an_object

OBJECT = "whatsapp_business_account"
_LONGEST_CODE = 100
_SECOND = 1000
_LATEST = 253_370_764_800
"""9999-01-01, in seconds."""


@dataclass(frozen=True, slots=True)
class Change:
    """One change in a callback: what kind of thing it tells, and what."""

    field: str
    value: dict[str, Any]
    whole: Any
    """All of it as it came, for what cannot be read."""

    def concerns(self, phone_number_id: str) -> bool:
        """Whether it is about this number, or names none. One app hears for all numbers of its accounts."""
        return self.phone_number_id in ("", phone_number_id)

    @property
    def phone_number_id(self) -> str:
        return _text(self._metadata.get("phone_number_id"))

    @property
    def our_number(self) -> str:
        """Our number as people write to it; empty where it is not told."""
        return number_of(self._metadata.get("display_phone_number"))

    @property
    def _metadata(self) -> dict[str, Any]:
        return an_object(self.value.get("metadata"))

    def items(self, name: str) -> list[Any]:
        """A list in the value; what is no list counts as its one item."""
        found = self.value.get(name)
        if found is None:
            return []
        return found if isinstance(found, list) else [found]


def changes_of(body: bytes) -> Iterator[Change]:
    """Every change in a callback; whatever cannot be read is a change without a field."""
    try:
        payload = json.loads(body)
    except (ValueError, RecursionError):
        payload = body.decode("utf-8", "replace")
    entries = payload.get("entry") if isinstance(payload, dict) and payload.get("object") == OBJECT else None
    if not isinstance(entries, list) or not entries:
        yield Change("", {}, payload)
        return
    for entry in entries:
        changes = entry.get("changes") if isinstance(entry, dict) else None
        if not isinstance(changes, list) or not changes:
            yield Change("", {}, entry)
            continue
        yield from map(_change, changes)


def _change(told: Any) -> Change:
    value = told.get("value") if isinstance(told, dict) else None
    if not isinstance(value, dict):
        return Change("", {}, told)
    return Change(_text(told.get("field")), value, told)


def unmapped(told: Any, heard_at: Instant, *, code: str = "", text: str = "", at: Any = None) -> Receipt:
    """Genuine, and nothing that we know."""
    raw = raw_of(told)
    key = hashlib.sha256(raw.encode("utf-8", "surrogatepass")).hexdigest()
    return Receipt(
        key, ReceiptKind.UNMAPPED, moment(at, heard_at), code=code[:_LONGEST_CODE], text=text, raw=raw
    )


def raw_of(told: Any) -> str:
    return told if isinstance(told, str) else json.dumps(told, ensure_ascii=False, sort_keys=True)


def moment(seconds: Any, heard_at: Instant) -> Instant:
    """Seconds since the epoch, as number or text; when it was heard, where that is not told."""
    told = str(seconds) if isinstance(seconds, int | str) and not isinstance(seconds, bool) else ""
    if not (told.isascii() and told.isdecimal() and len(told) < 13):
        return heard_at
    return int(told) * _SECOND if int(told) < _LATEST else heard_at


def number_of(digits: Any) -> str:
    """WhatsApp's way of writing a number, as `Message.to` names it; empty if it is no number."""
    told = "".join(one for one in _text(digits) if one.isascii() and one.isdecimal())
    return f"+{told}" if told else ""


def _text(found: Any) -> str:
    return found if isinstance(found, str) else ""
