"""What a step may know when a run arrives or wakes, and what it can decide."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

Instant = int
"""Milliseconds since the epoch, UTC."""

NEXT = "next"
"""The output of a step that has only one."""


class EndReason(StrEnum):
    """Why a run is over. Labels are derived from it; it is never derived from a label."""

    COMPLETED = "completed"
    GOAL = "goal"
    INTERNAL_ERROR = "internal_error"
    STOPPED = "stopped"
    MERGED = "merged"


@dataclass(frozen=True, slots=True)
class Did:
    """A question to the user's past: did an event of this name, with these properties, happen since entry?"""

    event: str
    where: tuple["Predicate", ...] = ()


@dataclass(frozen=True, slots=True)
class Predicate:
    """One comparison with a named value: `name operator value`."""

    name: str
    operator: str
    value: Any = None


@dataclass(frozen=True, slots=True)
class Moment:
    """Everything a decision may depend on."""

    at: Instant
    attributes: Mapping[str, Any]
    """What is known of the user now."""
    properties: Mapping[str, Any]
    """The properties of the event that let the run in."""
    did: Callable[[Did], bool]
    """Answers from the user's events after the run's entry and before `at`."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Stay here until then."""

    until: Instant


@dataclass(frozen=True, slots=True)
class Leave:
    """Go on by this output. `sends` asks for a message of this step first."""

    output: str = NEXT
    because: str = ""
    sends: bool = False


@dataclass(frozen=True, slots=True)
class End:
    """The run is over."""

    reason: EndReason
    because: str = ""


Decision = Wait | Leave | End


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong with a graph: where, and in words for the person who drew it."""

    path: tuple[str | int, ...]
    message: str
    code: str = "invalid"


Path = tuple[str | int, ...]
Outputs = Sequence[str]
