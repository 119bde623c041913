"""What becomes of the people inside when a new version is published."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from .graph import Graph
from .moment import Problem

MARK = "@"
"""Begins the output by which a run leaves a step for another version; no output of a step begins so."""


class Fate(StrEnum):
    """What becomes of the people inside, as a whole."""

    STAY = "stay"
    """They go on in the version that they are in."""
    MOVE = "move"
    """They move from step to step: by the map, or else to the step of the same key."""
    END = "end"
    """Their runs end."""


class Unmapped(StrEnum):
    """What becomes of those whose step is neither in the map nor in the new version."""

    STAY = "stay"
    END = "end"


@dataclass(frozen=True, slots=True)
class Moving:
    """What somebody wants to become of the people inside."""

    fate: Fate = Fate.STAY
    steps: Mapping[str, str] = field(default_factory=dict)
    """From steps of earlier versions to steps of the new one."""
    unmapped: Unmapped = Unmapped.STAY


Plan = Mapping[str, str | None]
"""By the step at which somebody waits: the step of the new version, or None to end. Others stay."""


def plan(wanted: Moving, before: Iterable[Graph], after: Graph) -> Plan:
    """What becomes of whoever waits at any step of the versions before."""
    found: dict[str, str | None] = {}
    for key in (key for graph in before for key in graph.steps):
        if wanted.fate is Fate.END:
            found[key] = None
        elif wanted.fate is Fate.MOVE:
            target = wanted.steps.get(key, key)
            if target in after.steps and not after.steps[target].is_entry:
                found[key] = target
            elif wanted.unmapped is Unmapped.END:
                found[key] = None
    return found


def problems(wanted: Moving, before: Iterable[Graph], after: Graph) -> list[Problem]:
    """What is wrong with the map, with the place of each pair in it."""
    known = {key for graph in before for key in graph.steps}
    found = []
    if wanted.steps and wanted.fate is not Fate.MOVE:
        found.append(Problem((), "A map is for people who move."))
    for index, (source, target) in enumerate(wanted.steps.items()):
        if source not in known:
            message = f"No earlier version has a step {source!r}."
            found.append(Problem((index, "from"), message, "unknown_step"))
        if target not in after.steps:
            message = f"The new version has no step {target!r}."
            found.append(Problem((index, "to"), message, "unknown_step"))
        elif after.steps[target].is_entry:
            found.append(Problem((index, "to"), f"Nobody can be moved to the entry {target!r}."))
    return found


def output_to(version: int) -> str:
    """The output of a visit that ended because its run was moved; its `because` is the step there."""
    return f"{MARK}{version}"


def version_in(output: str) -> int | None:
    """The version that such an output leads to; None for an output of a step."""
    return int(output[1:]) if output.startswith(MARK) else None
