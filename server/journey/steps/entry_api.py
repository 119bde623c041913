"""Entry by API: lets in those whom a request over the API names."""

from dataclasses import dataclass
from typing import Any, ClassVar

from ..reading import Reader
from .base import StepBase, read_common


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryApi(StepBase):
    kind: ClassVar[str] = "entry_api"
    is_entry: ClassVar[bool] = True

    @classmethod
    def read(cls, reader: Reader) -> "EntryApi":
        common: dict[str, Any] = read_common(reader)
        return cls(**common)
