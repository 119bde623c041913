"""What a step may know when a run arrives, wakes or hears something, and what it can decide."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple

from .experiments import NEWCOMER, Standing

Instant = int
"""Milliseconds since the epoch, UTC."""

NEXT = "next"
"""The output of a step that has only one."""


class EndReason(StrEnum):
    """Why a run is over. Labels are derived from it; it is never derived from a label."""

    COMPLETED = "completed"
    GOAL = "goal"
    CANCEL_EVENT = "cancel_event"
    MOVED_ON = "moved_on"
    """It went on in another journey."""
    HELD_OUT = "held_out"
    """The person belongs to the share that gets nothing, so that the rest can be compared with it."""
    INTERNAL_ERROR = "internal_error"
    SEND_ERROR = "send_error"
    """Its message could not be sent, and the step ends whoever it cannot write to."""
    OVERDUE = "overdue"
    """Its wait fell due during a pause, and the operator chose to go on without such runs."""
    EDITED = "edited"
    """The journey was changed, and the operator chose to end the runs of the old version."""
    REMOVED = "removed"
    """The person was taken out over the API."""
    ERASED = "erased"
    """The person was erased."""
    STOPPED = "stopped"
    MERGED = "merged"


class Past(NamedTuple):
    """An event of the user: when, and with which properties."""

    at: Instant
    properties: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Did:
    """A question to the user's past: how often did an event of this name, with these properties, happen?

    Asked of the time since the run entered; with `within_ms` of so long before the moment of asking; with
    `ever` of everything that is known.
    """

    event: str
    where: tuple["Predicate", ...] = ()
    within_ms: int | None = None
    ever: bool = False
    at_least: int = 1
    at_most: int | None = None


@dataclass(frozen=True, slots=True)
class Predicate:
    """One comparison with a named value: `name operator value`."""

    name: str
    operator: str
    value: Any = None


def _knows_nothing(name: str) -> Sequence[Past]:
    return ()


def _is_new(step_key: str) -> Standing:
    return NEWCOMER


def _not_asked_for(*what: str) -> Any:
    raise RuntimeError(f"A step asked for {what} without having said that it would.")


def _knows_no_segments(name: str, attributes: Mapping[str, Any]) -> bool:
    return bool(_not_asked_for(name))


@dataclass(slots=True, kw_only=True)
class Moment:
    """Everything a decision may depend on. Steps only read it; a passage takes it from step to step."""

    at: Instant
    attributes: Mapping[str, Any] = field(default_factory=dict)
    """What is known of the user now."""
    properties: Mapping[str, Any] = field(default_factory=dict)
    """The properties of the event that let the run in."""
    past: Callable[[str], Sequence[Past]] = _knows_nothing
    """The user's events of a name that some step looks for, in no order."""
    entered_at: Instant = 0
    arrived_at: Instant = 0
    """When the run came to the step that decides."""
    zone: str = "UTC"
    """The person's time zone, or else the project's; a step that asks for it has to ask for the user."""
    seed: str = ""
    """Stands for the person in draws that stick."""
    run_id: int = 0
    journey_id: int = 0
    variants: Mapping[str, str] = field(default_factory=dict)
    """Draws that stick: the output that the person got, by step."""
    standing: Callable[[str], Standing] = _is_new
    """How a split by chance stands for the person: what was decided, what was drawn there before."""
    memory: Mapping[str, Any] = field(default_factory=dict)
    """What the step has kept on this visit."""
    reaches: Callable[[str, str], str] = _not_asked_for
    """Why nothing of this purpose can be sent to the user on this channel; empty if something can."""
    is_in: Callable[[str, Mapping[str, Any]], bool] = _knows_no_segments
    """Whether the user, with these attributes, belongs to the segment of this name."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Stay here until then. `sends` asks for a message of this step first.

    `memory` is handed back with the next moment of this visit; engine and step share its member `messages`.
    """

    until: Instant
    memory: Mapping[str, Any] = field(default_factory=dict)
    sends: bool = False


@dataclass(frozen=True, slots=True)
class Leave:
    """Go on by this output. `sends` asks for a message of this step first.

    `saw` is what the decision looked at, kept for whoever asks why. `learns` changes what is known of the
    user. With `sticks` the output is what this person gets here, also the next time.
    """

    output: str = NEXT
    because: str = ""
    sends: bool = False
    saw: Mapping[str, Any] = field(default_factory=dict)
    learns: Mapping[str, Any] = field(default_factory=dict)
    sticks: bool = False


@dataclass(frozen=True, slots=True)
class End:
    """The run is over. `enters` is the journey in which the person goes on."""

    reason: EndReason
    because: str = ""
    saw: Mapping[str, Any] = field(default_factory=dict)
    enters: int | None = None


Decision = Wait | Leave | End


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong with a graph: where, and in words for the person who drew it."""

    path: tuple[str | int, ...]
    message: str
    code: str = "invalid"


Path = tuple[str | int, ...]
Outputs = Sequence[str]
