"""One fact of an explanation, and how times, values and comparisons are put into words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from server.clock import Instant
from server.journey.conditions import holds, look_up
from server.journey.moment import Predicate

_LONGEST_VALUE = 80


class FactCode(StrEnum):
    """What kind of fact it is. Texts may change; these do not."""

    STATUS = "status"
    ENTRY = "entry"
    EVENT = "event"
    NO_EVENT = "no_event"
    CONDITION_HELD = "condition_held"
    CONDITION_FAILED = "condition_failed"
    REENTRY = "reentry"
    ENTERED = "entered"
    REFUSED = "refused"
    HELD_OUT = "held_out"
    DECIDED = "decided"
    SENT = "sent"
    CONVERTED = "converted"
    ENDED = "ended"
    WAITS = "waits"
    CAN_END = "can_end"
    ADDRESS = "address"
    CONNECTION = "connection"
    TEMPLATE = "template"
    EVIDENCE = "evidence"
    CONSENT = "consent"
    SUPPRESSED = "suppressed"
    DUE = "due"
    EXPIRES = "expires"
    ATTEMPTED = "attempted"
    HEARD = "heard"
    OUTCOME = "outcome"
    FALLBACK = "fallback"


@dataclass(frozen=True, slots=True)
class Fact:
    code: FactCode
    text: str
    at: Instant | None = None
    step_key: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)
    """What it was read from."""


def when(at: Instant, zone: str) -> str:
    """A time in words, in the project's zone."""
    return f"{datetime.fromtimestamp(at / 1000, ZoneInfo(zone)):%Y-%m-%d %H:%M:%S} ({zone})"


def quoted(value: Any) -> str:
    """A value in words."""
    if value is None:
        return "nothing"
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}…"


_OPERATORS = {
    "equals": "is {}",
    "not_equals": "is not {}",
    "greater": "is greater than {}",
    "at_least": "is at least {}",
    "less": "is less than {}",
    "at_most": "is at most {}",
    "contains": "contains {}",
    "starts_with": "starts with {}",
    "one_of": "is one of {}",
    "exists": "is there",
    "not_exists": "is not there",
}


def compared(predicates: Sequence[Predicate], values: Mapping[str, Any]) -> list[Fact]:
    """Each comparison by itself, with what was found."""
    found = []
    for one in predicates:
        here, held = look_up(values, one.name), holds(one, values)
        wanted = _OPERATORS[one.operator].format(quoted(one.value))
        holding = "that holds" if held else "that does not hold"
        text = f"`{one.name}` is {quoted(here)}; wanted was that it {wanted}: {holding}."
        code = FactCode.CONDITION_HELD if held else FactCode.CONDITION_FAILED
        about = {"name": one.name, "operator": one.operator, "wanted": one.value, "found": here}
        found.append(Fact(code, text, values=about))
    return found
