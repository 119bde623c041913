"""Push: a notification to each of the user's devices."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from .sending import LONGEST_URL, MessageStep, Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Push(MessageStep):
    kind: ClassVar[str] = "push"
    on: ClassVar[str] = "push"
    texts: ClassVar[Mapping[str, Text]] = {
        "title": Text(1000),
        "text": Text(10_000),
        "url": Text(LONGEST_URL),
        "image_url": Text(LONGEST_URL),
    }
    needs_one_of: ClassVar[tuple[str, ...]] = ("title", "text")
