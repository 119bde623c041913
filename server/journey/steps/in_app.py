"""In-app: a message that waits for the user inside the app or the page."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from .sending import LONGEST_URL, MessageStep, Text


@dataclass(frozen=True, slots=True, kw_only=True)
class InApp(MessageStep):
    kind: ClassVar[str] = "in_app"
    on: ClassVar[str] = "in_app"
    texts: ClassVar[Mapping[str, Text]] = {
        "title": Text(1000),
        "text": Text(20_000),
        "url": Text(LONGEST_URL),
        "image_url": Text(LONGEST_URL),
    }
    needs_one_of: ClassVar[tuple[str, ...]] = ("title", "text")
