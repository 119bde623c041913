"""SMS, or its longer kin with a title and an image, to the user's number."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from .sending import LONGEST_URL, MessageStep, Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Sms(MessageStep):
    kind: ClassVar[str] = "sms"
    on: ClassVar[str] = "sms"
    texts: ClassVar[Mapping[str, Text]] = {
        "text": Text(20_000, required=True),
        "title": Text(1000),
        "image_url": Text(LONGEST_URL),
    }
