"""Update user: sets attributes to given values, or to those of the entry event, or forgets them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from ..conditions import look_up
from ..moment import Decision, Leave, Moment
from ..reading import Reader
from .base import StepBase, read_common

VALUE, PROPERTY, FORGET = "value", "property", "forget"
ADDRESSES = ("email", "phone", "push_tokens")
"""Attributes that say where somebody is reached: only the person's own events tell them."""
MOST_CHANGES = 50


@dataclass(frozen=True, slots=True)
class Change:
    """One attribute, and where its new value comes from."""

    attribute: str
    source: str
    given: Any = None
    """The value, or the name of the property."""

    def value(self, properties: Mapping[str, Any]) -> Any:
        """None forgets it."""
        if self.source == PROPERTY:
            return look_up(properties, self.given)
        return self.given if self.source == VALUE else None


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateUser(StepBase):
    kind: ClassVar[str] = "update_user"

    changes: tuple[Change, ...]

    @classmethod
    def read(cls, reader: Reader) -> "UpdateUser":
        common: dict[str, Any] = read_common(reader)
        changes = tuple(_read_change(item) for item in reader.items("changes", least=1, most=MOST_CHANGES))
        return cls(**common, changes=changes)

    def asks_for_user(self) -> bool:
        return True

    def arrive(self, moment: Moment) -> Decision:
        learns = {one.attribute: one.value(moment.properties) for one in self.changes}
        return Leave(learns=learns, saw=learns)


def _read_change(reader: Reader) -> Change:
    attribute = reader.text("attribute", longest=256)
    if attribute in ADDRESSES:
        message = f"{attribute!r} says where somebody is reached: only `identify` sets it"
        reader.refuse("attribute", message, "not_allowed")
    given = [name for name in (VALUE, PROPERTY, FORGET) if reader.value(name, required=False) is not None]
    if len(given) != 1:
        found = " and ".join(given) or "none of them"
        reader.refuse(None, f"One of `value`, `property` and `forget` is wanted, found {found}")
        return Change(attribute, FORGET)
    if given == [PROPERTY]:
        return Change(attribute, PROPERTY, reader.text(PROPERTY, longest=256))
    if given == [FORGET] and not reader.flag(FORGET):
        reader.refuse(FORGET, "`forget` can only be true")
    return Change(attribute, given[0], reader.value(VALUE, required=False))
