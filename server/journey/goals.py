"""Goals: what a journey is for. An event counts while a run is inside, and for a window after leaving."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from .conditions import all_hold, read_predicates
from .moment import Predicate
from .reading import Reader

DAY = 86_400_000
LONGEST_WINDOW = 90 * DAY

AMOUNT_SCALE = 10_000
"""Amounts are kept as whole numbers of ten-thousandths, so that sums are exact."""
_LARGEST_AMOUNT = 10**10
"""Sums are kept in 64 bits: beyond this, a few events would make one that cannot be written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    key: str
    title: str
    event: str
    where: tuple[Predicate, ...] = ()
    window_ms: int = 30 * DAY
    """How long after leaving the journey the event still counts; 0 is only while inside."""
    ends_journey: bool = False
    amount_property: str = ""
    """The event's property that says what the conversion is worth."""
    currency: str = ""

    def is_reached_by(self, event_name: str, properties: Mapping[str, Any]) -> bool:
        return event_name == self.event and all_hold(self.where, properties)

    def amount_of(self, properties: Mapping[str, Any]) -> int:
        """The event's amount in ten-thousandths of the currency's unit; 0 where there is none to read."""
        if not self.amount_property:
            return 0
        return to_amount(properties.get(self.amount_property))


def to_amount(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return 0
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        return 0
    if not amount.is_finite() or amount.copy_abs() > _LARGEST_AMOUNT:
        return 0
    return int((amount * AMOUNT_SCALE).to_integral_value())


def read_goal(reader: Reader) -> Goal:
    key = reader.text("key", longest=64)
    return Goal(
        key=key,
        title=reader.text("title", required=False, longest=200, default=key) or key,
        event=reader.text("event", longest=256),
        where=read_predicates(reader),
        window_ms=reader.duration(
            "window_ms", least=0, most=LONGEST_WINDOW, required=False, default=30 * DAY
        ),
        ends_journey=reader.flag("ends_journey"),
        amount_property=reader.text("amount_property", required=False, longest=256),
        currency=reader.text("currency", required=False, longest=3),
    )
