"""Webhook: tells another server about the user."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from .sending import MessageStep, Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook(MessageStep):
    kind: ClassVar[str] = "webhook"
    on: ClassVar[str] = "webhook"
    texts: ClassVar[Mapping[str, Text]] = {
        "text": Text(20_000),
    }
