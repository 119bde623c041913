"""What has changed between two drawings of a journey: steps, edges, goals and settings, field by field.

It compares plain data of either spelling, as stored or as handed in. In which order steps, edges and goals
are listed changes nothing for anybody, so it is no difference; everything else is.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

Data = Mapping[str, Any]
FieldPath = tuple[str, ...]


class Change(StrEnum):
    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One value; None where there is none."""

    path: FieldPath
    old: Any
    new: Any


@dataclass(frozen=True, slots=True)
class ItemChange:
    """A step or a goal, as it is now, or as it was if it is gone."""

    change: Change
    key: str
    item: Data
    fields: tuple[FieldChange, ...] = ()
    """What of it is otherwise; empty if it is new or gone as a whole."""


@dataclass(frozen=True, slots=True)
class EdgeChange:
    """One output of a step, and where it led and leads; None where it led, or leads, nowhere."""

    change: Change
    source: str
    output: str
    old_target: str | None
    new_target: str | None


@dataclass(frozen=True, slots=True)
class GraphDiff:
    steps: tuple[ItemChange, ...] = ()
    edges: tuple[EdgeChange, ...] = ()
    goals: tuple[ItemChange, ...] = ()
    settings: tuple[FieldChange, ...] = ()
    """Everything of a journey beside its steps, edges and goals."""

    @property
    def is_empty(self) -> bool:
        return not (self.steps or self.edges or self.goals or self.settings)


_LISTS = ("steps", "edges", "goals")


def diff(old: Data, new: Data) -> GraphDiff:
    """What makes the one drawing of the other. Steps and goals are the same if their keys are."""
    return GraphDiff(
        steps=tuple(_items(old.get("steps") or (), new.get("steps") or ())),
        edges=tuple(_edges(old.get("edges") or (), new.get("edges") or ())),
        goals=tuple(_items(old.get("goals") or (), new.get("goals") or ())),
        settings=tuple(_fields(_settings(old), _settings(new), ())),
    )


def _settings(data: Data) -> Data:
    return {name: value for name, value in data.items() if name not in _LISTS}


def _items(old: Sequence[Data], new: Sequence[Data]) -> Iterator[ItemChange]:
    before, after = _by_key(old), _by_key(new)
    for key, item in after.items():
        if key not in before:
            yield ItemChange(Change.ADDED, key, item)
        elif fields := tuple(_fields(before[key], item, ())):
            yield ItemChange(Change.CHANGED, key, item, fields)
    for key, item in before.items():
        if key not in after:
            yield ItemChange(Change.REMOVED, key, item)


def _by_key(items: Sequence[Data]) -> dict[str, Data]:
    """A drawing that is not sound may have two of one key; the first is the one that counts."""
    found: dict[str, Data] = {}
    for item in items:
        found.setdefault(str(item.get("key", "")), item)
    return found


def _edges(old: Sequence[Data], new: Sequence[Data]) -> Iterator[EdgeChange]:
    before, after = _targets(old), _targets(new)
    for way, target in after.items():
        was = before.get(way)
        if was != target:
            yield EdgeChange(Change.ADDED if was is None else Change.CHANGED, *way, was, target)
    for way, was in before.items():
        if way not in after:
            yield EdgeChange(Change.REMOVED, *way, was, None)


def _targets(edges: Sequence[Data]) -> dict[tuple[str, str], str]:
    found: dict[tuple[str, str], str] = {}
    for edge in edges:
        way = str(edge.get("from", "")), str(edge.get("output") or "next")
        found.setdefault(way, str(edge.get("to", "")))
    return found


def _fields(old: Any, new: Any, path: FieldPath) -> Iterator[FieldChange]:
    """Goes into objects, and into lists that are as long as they were; others are told as a whole."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for name in (*new, *(name for name in old if name not in new)):
            yield from _fields(old.get(name), new.get(name), (*path, str(name)))
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for index, (one, other) in enumerate(zip(old, new, strict=True)):
            yield from _fields(one, other, (*path, str(index)))
    elif not _same(old, new):
        yield FieldChange(path, old, new)


def _same(old: Any, new: Any) -> bool:
    # In Python True == 1; in what a person has drawn they are two different things.
    return bool(isinstance(old, bool) == isinstance(new, bool) and old == new)
