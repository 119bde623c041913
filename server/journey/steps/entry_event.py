"""Entry by event: lets a person in when an event of this name, with these properties, arrives."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from ..conditions import all_hold, look_up, read_predicates
from ..moment import Predicate
from ..reading import Reader
from .base import StepBase, read_common

MOST_NAMED = 100
LONGEST_ID = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryEvent(StepBase):
    kind: ClassVar[str] = "entry_event"
    is_entry: ClassVar[bool] = True

    event: str
    where: tuple[Predicate, ...] = ()
    users_in: str = ""
    """The property that names the users who come in; empty for the one who has done it."""

    @classmethod
    def read(cls, reader: Reader) -> "EntryEvent":
        common: dict[str, Any] = read_common(reader)
        return cls(
            **common,
            event=reader.text("event", longest=256),
            where=read_predicates(reader),
            users_in=reader.text("users_in", required=False, longest=256),
        )

    def lets_in(self, properties: Mapping[str, Any]) -> bool:
        return all_hold(self.where, properties)

    def names(self, properties: Mapping[str, Any]) -> list[str]:
        """The ids of the users whom the property names, one or a list, each once and at most 100."""
        found = look_up(properties, self.users_in)
        listed = found if isinstance(found, list) else [found]
        ids = (str(one) for one in listed if isinstance(one, str | int) and not isinstance(one, bool))
        return list(dict.fromkeys(one for one in ids if one and len(one) <= LONGEST_ID))[:MOST_NAMED]
