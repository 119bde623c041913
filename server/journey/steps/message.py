"""A message on any channel by its name, for channels that are plugged in by others."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from ..moment import Path
from ..reading import Reader
from .sending import MessageStep, read_templates


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomMessage(MessageStep):
    kind: ClassVar[str] = "message"

    @classmethod
    def read_content(cls, reader: Reader) -> Mapping[str, str]:
        return {name: text for name, text in read_templates(reader, "content").items() if text}

    def path_of(self, name: str) -> Path:
        return ("content", name)
