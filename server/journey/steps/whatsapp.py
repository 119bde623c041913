"""WhatsApp: an approved template, or a text while the user's last message is fresh."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from .sending import LONGEST_URL, MessageStep, Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Whatsapp(MessageStep):
    kind: ClassVar[str] = "whatsapp"
    on: ClassVar[str] = "whatsapp"
    texts: ClassVar[Mapping[str, Text]] = {
        "template": Text(512),
        "language": Text(20),
        "text": Text(20_000),
        "media_url": Text(LONGEST_URL),
    }
    needs_one_of: ClassVar[tuple[str, ...]] = ("template", "text", "media_url")
