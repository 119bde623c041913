"""Entry by event: lets a person in when an event of this name, with these properties, arrives."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from ..conditions import all_hold, read_predicates
from ..moment import Predicate
from ..reading import Reader
from .base import StepBase, read_common


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryEvent(StepBase):
    kind: ClassVar[str] = "entry_event"
    is_entry: ClassVar[bool] = True

    event: str
    where: tuple[Predicate, ...] = ()

    @classmethod
    def read(cls, reader: Reader) -> "EntryEvent":
        common: dict[str, Any] = read_common(reader)
        return cls(**common, event=reader.text("event", longest=256), where=read_predicates(reader))

    def lets_in(self, properties: Mapping[str, Any]) -> bool:
        return all_hold(self.where, properties)
