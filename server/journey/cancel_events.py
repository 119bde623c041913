"""Cancel events: whoever does such a thing leaves the journey at once, wherever the run waits."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .conditions import all_hold, read_predicates
from .moment import Predicate
from .reading import Reader


@dataclass(frozen=True, slots=True)
class CancelEvent:
    event: str
    where: tuple[Predicate, ...] = ()

    def is_met_by(self, event_name: str, properties: Mapping[str, Any]) -> bool:
        return event_name == self.event and all_hold(self.where, properties)


def read_cancel_event(reader: Reader) -> CancelEvent:
    return CancelEvent(reader.text("event", longest=256), read_predicates(reader))
