"""E-mail to the user's address."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from .sending import MessageStep, Text

LONGEST_BODY = 200_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Email(MessageStep):
    kind: ClassVar[str] = "email"
    on: ClassVar[str] = "email"
    texts: ClassVar[Mapping[str, Text]] = {
        "subject": Text(998, required=True),
        "html": Text(LONGEST_BODY),
        "text": Text(LONGEST_BODY),
        "from_name": Text(200),
        "reply_to": Text(320),
    }
    needs_one_of: ClassVar[tuple[str, ...]] = ("html", "text")
