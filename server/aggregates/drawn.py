"""The figures of one journey, with the drawings that name what they are about."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from channels.contract import ReceiptKind
from server.journey.steps import channel_of

from .ask import Answer
from .metrics import Dimension

Data = dict[str, Any]
_NOTHING: frozenset[ReceiptKind] = frozenset()


class Drawn:
    """What the graphs of a journey's versions draw; what is gone from the newest stays."""

    if TYPE_CHECKING:
        # As a property for everybody it would be taken for the default of a field.
        @property
        def graphs(self) -> Sequence[Data]:
            """Of the versions, the newest first."""

    @cached_property
    def steps(self) -> list[tuple[Data, bool]]:
        """Every step of the versions, each once as the newest has it, and whether that is the newest."""
        found: dict[str, tuple[Data, bool]] = {}
        for age, graph in enumerate(self.graphs):
            for item in graph["steps"]:
                found.setdefault(item["key"], (item, age == 0))
        return list(found.values())

    @cached_property
    def edges(self) -> list[tuple[Data, bool]]:
        found: dict[tuple[str, str], tuple[Data, bool]] = {}
        for age, graph in enumerate(self.graphs):
            for item in graph.get("edges") or ():
                found.setdefault((item["from"], item["output"]), (item, age == 0))
        return list(found.values())

    @cached_property
    def before(self) -> dict[str, list[str]]:
        """By step: those that lead to it, in any of the versions."""
        found: defaultdict[str, dict[str, None]] = defaultdict(dict)
        for graph in self.graphs:
            for item in graph.get("edges") or ():
                found[item["to"]].setdefault(item["from"])
        return {key: list(steps) for key, steps in found.items()}

    @cached_property
    def goals_drawn(self) -> list[Data]:
        """Every goal of the versions, each once as the newest has it."""
        found: dict[str, Data] = {}
        for graph in self.graphs:
            for goal in graph.get("goals") or ():
                found.setdefault(goal["key"], goal)
        return list(found.values())

    @cached_property
    def sending(self) -> dict[str, dict[str, tuple[Data, bool]]]:
        """By channel, the steps that send there, or did in an earlier version: what was sent stays.

        Each as the newest version that sends there has it, and whether that is the newest.
        """
        found: defaultdict[str, dict[str, tuple[Data, bool]]] = defaultdict(dict)
        for age, graph in enumerate(self.graphs):
            for item in graph["steps"]:
                channel = channel_of(item)
                if channel:
                    found[channel].setdefault(item["key"], (item, age == 0))
        return dict(found)

    @cached_property
    def senders(self) -> dict[str, list[str]]:
        """By channel: the keys of the steps that send there, or did."""
        return {channel: list(steps) for channel, steps in self.sending.items()}

    @cached_property
    def channels(self) -> dict[str, list[str]]:
        """By step: the channels on which it sends, or did, the newest first. Others have none."""
        found: defaultdict[str, dict[str, None]] = defaultdict(dict)
        for graph in self.graphs:
            for item in graph["steps"]:
                channel = channel_of(item)
                if channel:
                    found[item["key"]].setdefault(channel)
        return {key: list(channels) for key, channels in found.items()}


@dataclass
class DrawnFigures(Drawn):
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
