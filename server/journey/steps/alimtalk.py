"""Alimtalk: a template that KakaoTalk has approved, filled for the user."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from .sending import MessageStep, Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Alimtalk(MessageStep):
    kind: ClassVar[str] = "alimtalk"
    on: ClassVar[str] = "kakao"
    texts: ClassVar[Mapping[str, Text]] = {
        "template": Text(100, required=True),
        "text": Text(10_000),
        "title": Text(1000),
    }
