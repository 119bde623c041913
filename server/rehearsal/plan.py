"""What is rehearsed: a graph, who comes, how people behave, from when until when."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import blake2b
from typing import Any

from server.clock import DAY, Instant

MOST_PEOPLE = 1000
LONGEST = 400 * DAY
MOST_ACTS = 20_000
"""Events of all people together that are said beforehand."""
MOST_HABITS = 20
LONGEST_WALL_SECONDS = 120.0
USUAL_WALL_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Act:
    """Something that a person does at a time, as an event of that name; or that the API lets it in."""

    at: Instant
    event: str = ""
    properties: Mapping[str, Any] = field(default_factory=dict)
    enters: str = ""
    """The entry by which the API lets the person in, instead of an event."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a person is reached on a channel. Nothing is ever sent there."""

    channel: str
    address: str
    state: str = "usable"
    suppressed_for: tuple[str, ...] = ()
    """The purposes for which nobody writes there; the empty one is all of them."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """What a person has decided about a channel for a purpose."""

    channel: str
    purpose: str
    granted: bool


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who comes. `name` is the user id in the rehearsal, and part of every draw."""

    name: str
    attributes: Mapping[str, Any] = field(default_factory=dict)
    addresses: Sequence[Address] = ()
    acts: Sequence[Act] = ()
    consents: Sequence[Agreement] = ()
    segments: frozenset[str] = frozenset()
    """Those that the person is in, as the graph names them."""


class After(StrEnum):
    """What a habit follows."""

    ARRIVED = "arrived"
    """A run came to the step; with no step named, it entered."""
    DELIVERED = "delivered"
    OPENED = "opened"
    CLICKED = "clicked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Habit:
    """What a share of people do after something happened to them, some time between soonest and latest."""

    event: str
    share: float = 1.0
    properties: Mapping[str, Any] = field(default_factory=dict)
    after: After = After.ARRIVED
    step: str = ""
    """The step; empty for the entry, and for the messages of all steps."""
    soonest_ms: int = 0
    latest_ms: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """What becomes of messages, in shares from 0 to 1. By default all arrive and nobody reads them."""

    refused: float = 0.0
    """By the provider, of all that are handed over."""
    bounced: float = 0.0
    """Of those taken over."""
    delivered: float = 1.0
    """Of those taken over that did not bounce."""
    opened: float = 0.0
    """Of those delivered."""
    clicked: float = 0.0
    """Of those opened."""
    unsubscribed: float = 0.0
    """Of those opened."""
    complained: float = 0.0
    """Of those delivered."""
    opened_within_ms: int = 8 * 3_600_000
    """After delivery."""
    clicked_within_ms: int = 300_000
    """After opening; unsubscribing and complaining as well."""


@dataclass(frozen=True, slots=True)
class StandIn:
    """A connection that takes everything over and passes nothing on."""

    name: str
    channel: str
    takes: str = ""
    preference: int = 100
    is_enabled: bool = True


@dataclass(frozen=True, slots=True)
class PlayedTemplate:
    """A template of the project's, in the version that is played; approved wherever it is sent."""

    key: str
    number: int
    content: str
    bindings: str
    declaration: str


@dataclass(frozen=True, slots=True)
class OtherJourney:
    """A journey that people may go on to. It runs, too; its figures are not shown."""

    journey_id: int
    title: str
    graph: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Plan:
    graph: Mapping[str, Any]
    people: Sequence[Person]
    start: Instant
    until: Instant
    title: str = "Rehearsal"
    journey_id: int = 1
    zone: str = "UTC"
    project_name: str = "Rehearsal"
    requires_consent: bool = False
    commerce: str = ""
    """By which events the project tells of orders and coupons, as it is kept."""
    rates: Mapping[str, Rates] = field(default_factory=dict)
    """By step or by channel, the step's first; the empty name is for all others."""
    habits: Sequence[Habit] = ()
    connections: Sequence[StandIn] | None = None
    """None makes one for everything that the graph sends through."""
    segments: Mapping[str, Any] = field(default_factory=dict)
    """The project's, by name, with their conditions; beside those whom people are said to be in."""
    caps: Sequence[tuple[str, int, int]] = ()
    """Frequency caps: channel, how many, in how many milliseconds."""
    others: Sequence["OtherJourney"] = ()
    """Journeys to which this one leads."""
    templates: Sequence[PlayedTemplate] = ()
    """Those of the project that the graphs name."""
    notes: Sequence[str] = ()
    """What whoever reads the result has to know."""
    seed: int = 0
    wall_seconds: float = USUAL_WALL_SECONDS

    def rates_for(self, step_key: str, channel: str) -> Rates:
        found = (self.rates.get(name) for name in (step_key, channel, ""))
        return next((rates for rates in found if rates is not None), Rates())

    def draw(self, *about: object) -> float:
        """A number from 0 up to 1 that is the same whenever the same is drawn for, in any order."""
        text = "\0".join(map(str, (self.seed, *about)))
        digest = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
        return int.from_bytes(digest, "big") / 2**64
