"""What every figure of one answer is made from."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import orjson

from channels.contract import ReceiptKind
from server.aggregates.ask import Answer
from server.aggregates.metrics import Dimension
from server.journey.goals import AMOUNT_SCALE
from server.loaders import Figures
from server.resolvers import periods

from .figures import Money
from .graphs import Goal, to_goals

Data = dict[str, Any]


def money_of(goal: Goal, amount: int) -> Money | None:
    """An amount of the goal's; none if the goal names no amount."""
    if not goal.amount_property:
        return None
    return Money(amount=Decimal(amount) / AMOUNT_SCALE, currency=goal.currency)


@dataclass(slots=True)
class Source:
    """What every figure of one answer is made from."""

    journey_id: int
    period: periods.Period
    figures: Figures
    version: int | None
    observes: dict[str, frozenset[ReceiptKind]]
    """By channel: what can be heard there."""
    graphs: list[Data] = field(default_factory=list)
    """Of the versions asked about, the newest first."""

    def __post_init__(self) -> None:
        chosen = [one for one in self.figures.versions if self.version in (None, one.number)]
        self.graphs = [orjson.loads(one.graph) for one in chosen]

    @property
    def answer(self) -> Answer:
        return self.figures.answer

    def users(self, dimension: Dimension, *parts: str) -> int | None:
        """How many different users; none if no query asks for any."""
        return self.users_at(dimension, [parts])

    def users_at(self, dimension: Dimension, places: Iterable[tuple[str, ...]]) -> int | None:
        if not self.answer.has_sets:
            return None
        values = ["/".join((str(self.journey_id), *parts)) for parts in places]
        return self.answer.users(dimension, *values)

    def steps(self) -> Iterable[tuple[Data, bool]]:
        """Every step of the versions, each once as the newest has it, and whether that is the newest."""
        seen: set[str] = set()
        for age, graph in enumerate(self.graphs):
            for item in graph["steps"]:
                if item["key"] not in seen:
                    seen.add(item["key"])
                    yield item, age == 0

    def edges(self) -> Iterable[tuple[Data, bool]]:
        seen: set[tuple[str, str]] = set()
        for age, graph in enumerate(self.graphs):
            for item in graph.get("edges") or ():
                if (item["from"], item["output"]) not in seen:
                    seen.add((item["from"], item["output"]))
                    yield item, age == 0

    def goals(self) -> list[Goal]:
        found: dict[str, Goal] = {}
        for graph in self.graphs:
            for goal in to_goals(graph):
                found.setdefault(goal.key, goal)
        return list(found.values())
