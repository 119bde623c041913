"""The figures of one journey, with the drawings that name what they are about."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from channels.contract import ReceiptKind
from server.journey.steps import channel_of

from .ask import Answer
from .metrics import Dimension

Data = dict[str, Any]
_NOTHING: frozenset[ReceiptKind] = frozenset()


@dataclass
class DrawnFigures:
    """An answer, and the graphs of the versions that it is about."""

    journey_id: int
    answer: Answer
    graphs: Sequence[Data]
    """The newest first."""
    observed: Mapping[str, Collection[ReceiptKind]]
    """By channel: what can be heard there."""

    def observes(self, channel: str) -> Collection[ReceiptKind]:
        """What can be heard on a channel."""
        return self.observed.get(channel, _NOTHING)

    @cached_property
    def steps(self) -> list[tuple[Data, bool]]:
        """Every step of the versions, each once as the newest has it, and whether that is the newest."""
        found: dict[str, tuple[Data, bool]] = {}
        for age, graph in enumerate(self.graphs):
            for item in graph["steps"]:
                found.setdefault(item["key"], (item, age == 0))
        return list(found.values())

    @cached_property
    def goals(self) -> list[Data]:
        """Every goal of the versions, each once as the newest has it."""
        found: dict[str, Data] = {}
        for graph in self.graphs:
            for goal in graph.get("goals") or ():
                found.setdefault(goal["key"], goal)
        return list(found.values())

    @cached_property
    def senders(self) -> dict[str, list[str]]:
        """By channel: the keys of the steps that send there."""
        found: defaultdict[str, list[str]] = defaultdict(list)
        for item, _ in self.steps:
            channel = channel_of(item)
            if channel:
                found[channel].append(item["key"])
        return dict(found)

    def users(self, dimension: Dimension, *parts: str) -> int:
        """How many different users."""
        return self.users_at(dimension, [parts])

    def users_at(self, dimension: Dimension, places: Iterable[tuple[str, ...]]) -> int:
        """How many different users in any of these places."""
        values = ["/".join((str(self.journey_id), *parts)) for parts in places]
        return self.answer.users(dimension, *values)


def set_values(journey_id: int, graphs: Iterable[Data]) -> list[str]:
    """The values of every user set that a journey can have: of itself, its steps, outputs and goals."""
    found = {str(journey_id)}
    for graph in graphs:
        found |= {f"{journey_id}/{step['key']}" for step in graph["steps"]}
        found |= {f"{journey_id}/{edge['from']}/{edge['output']}" for edge in graph.get("edges") or ()}
        found |= {f"{journey_id}/{goal['key']}" for goal in graph.get("goals") or ()}
    return sorted(found)
