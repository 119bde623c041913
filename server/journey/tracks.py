"""What a run has passed on the drawing of each version that it travelled, so that a canvas only paints."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Protocol

from .moment import Instant
from .moving import version_in


class Passed(Protocol):
    """A visit, as far as it can be drawn."""

    @property
    def version(self) -> int: ...
    @property
    def step_key(self) -> str: ...
    @property
    def arrived_at(self) -> Instant: ...
    @property
    def left_at(self) -> Instant | None: ...
    @property
    def output(self) -> str: ...


@dataclass(slots=True)
class PassedStep:
    """A step that a run came to."""

    key: str
    times: int
    first_at: Instant
    """When it came there for the first time."""
    last_at: Instant
    """When it came there for the last time."""
    is_last: bool = False
    """Whether it waits here, or ended here."""


@dataclass(slots=True)
class PassedEdge:
    """An edge that a run took."""

    source: str
    output: str
    target: str
    times: int
    first_at: Instant
    last_at: Instant


@dataclass(slots=True)
class Track:
    """The way through one version, in the order in which each step and edge was first passed."""

    version: int
    steps: dict[str, PassedStep] = field(default_factory=dict)
    edges: dict[tuple[str, str], PassedEdge] = field(default_factory=dict)


Targets = Callable[[int, str, str], str]
"""Where an output of a step of a version leads to."""


def tracks(visits: Iterable[Passed], leads_to: Targets) -> list[Track]:
    """The way by version, in the order in which they were travelled. The last visit is where the run is."""
    found: dict[int, Track] = {}
    last: PassedStep | None = None
    for visit in visits:
        track = found.setdefault(visit.version, Track(visit.version))
        last = _came(track, visit)
        if visit.left_at is not None and visit.output and version_in(visit.output) is None:
            _took(track, visit, visit.left_at, leads_to)
    if last is not None:
        last.is_last = True
    return list(found.values())


def _came(track: Track, visit: Passed) -> PassedStep:
    at = visit.arrived_at
    step = track.steps.setdefault(visit.step_key, PassedStep(visit.step_key, 0, at, at))
    step.times, step.last_at = step.times + 1, at
    return step


def _took(track: Track, visit: Passed, at: Instant, leads_to: Targets) -> None:
    key = (visit.step_key, visit.output)
    if key not in track.edges:
        track.edges[key] = PassedEdge(*key, leads_to(track.version, *key), 0, at, at)
    edge = track.edges[key]
    edge.times, edge.last_at = edge.times + 1, at
