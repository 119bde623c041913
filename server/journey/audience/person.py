"""What a question may look at, and what it says that it wants to look at."""

from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from ..moment import Instant, Past
from .windows import Window


class Facts(NamedTuple):
    """Things that happened to a person, of one kind. Who reads them knows each kind by its name."""

    kind: str
    """`event`, `visit`, `entered` …"""
    name: str = ""
    """Of an event, or what else tells these facts from others of the kind."""
    journey: int = 0
    """Of which they are; 0 for none, or for all."""


class Wanted(NamedTuple):
    """Facts that a question looks for, and in which time."""

    facts: Facts
    window: Window


def _did_nothing(facts: Facts) -> Sequence[Past]:
    return ()


def _is_unreachable(channel: str) -> str:
    return "not known"


@dataclass(frozen=True, slots=True)
class Person:
    """Everything that a question may look at."""

    at: Instant
    """As of when it is asked: what happened later does not exist."""
    attributes: Mapping[str, Any]
    past: Callable[[Facts], Sequence[Past]] = _did_nothing
    """The facts of a kind that is wanted, in no order."""
    lists: Container[str] = ()
    """The names of the lists that the person is on, of those that are wanted."""
    reaches: Callable[[str], str] = _is_unreachable
    """Why nothing can be sent to the person on a channel; empty if something can."""
    zone: str = "UTC"
    """The project's, whose days are meant."""


@dataclass(frozen=True, slots=True)
class Wants:
    """What has to be known of a person before a tree can be asked."""

    attributes: bool = False
    past: tuple[Wanted, ...] = ()
    lists: frozenset[str] = frozenset()
    channels: frozenset[str] = frozenset()
    segments: frozenset[str] = frozenset()
    """Of other segments, by name: they have to be put in their places before anybody is asked."""

    def __or__(self, other: "Wants") -> "Wants":
        return Wants(
            self.attributes or other.attributes,
            self.past + other.past,
            self.lists | other.lists,
            self.channels | other.channels,
            self.segments | other.segments,
        )

    @property
    def facts(self) -> frozenset[Facts]:
        return frozenset(one.facts for one in self.past)

    @property
    def journeys(self) -> frozenset[int]:
        return frozenset(one.facts.journey for one in self.past if one.facts.journey)

    def since(self, at: Instant, zone: str) -> Instant:
        """Before which nothing matters to who asks at that instant."""
        return min((one.window.bounds(at, zone).since for one in self.past), default=at)
