"""What every figure of one answer is made from."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

import orjson

from channels.contract import ReceiptKind
from server.aggregates.ask import Answer
from server.aggregates.drawn import Data, Drawn
from server.aggregates.messages import how_many, is_observable
from server.aggregates.metrics import Dimension, Metric
from server.aggregates.unions import Place, different_users
from server.errors import BadInput
from server.journey.goals import AMOUNT_SCALE
from server.loaders import Figures
from server.resolvers import periods

from .figures import Money
from .graphs import Goal, to_goals

_NOTHING: frozenset[ReceiptKind] = frozenset()


def money_of(goal: Goal, amount: int) -> Money | None:
    """An amount of the goal's; none if the goal names no amount."""
    return money_in([goal], amount)


def money_in(goals: Sequence[Goal], amount: int) -> Money | None:
    """An amount of all these goals together; none if none names an amount, or their currencies differ."""
    currencies = {goal.currency for goal in goals if goal.amount_property}
    if len(currencies) != 1:
        return None
    return Money(amount=Decimal(amount) / AMOUNT_SCALE, currency=currencies.pop())


def money_per(goals: Sequence[Goal], amount: int, times: int) -> Money | None:
    """The same for each of so many, rounded to a ten-thousandth; none for none."""
    return money_in(goals, round(Decimal(amount) / times)) if times else None


@dataclass
class Source(Drawn):
    """What every figure of one answer is made from."""

    journey_id: int
    period: periods.Period
    figures: Figures
    version: int | None
    observed: dict[str, frozenset[ReceiptKind]]
    """By channel: what can be heard there."""

    counts_by_happening: bool = True
    """Whether the period is about when things happened, and not about when their runs had entered."""

    @cached_property
    def graphs(self) -> list[Data]:
        """Of the versions asked about, the newest first."""
        chosen = (one for one in self.figures.versions if self.version in (None, one.number))
        return [orjson.loads(one.graph) for one in chosen]

    @property
    def answer(self) -> Answer:
        return self.figures.answer

    def users(self, dimension: Dimension, *parts: str) -> int | None:
        """How many different users; none if no query asks for any."""
        return self.users_at(dimension, [parts])

    def users_at(self, dimension: Dimension, places: Iterable[tuple[str, ...]]) -> int | None:
        return self.union((dimension, self.value(*parts)) for parts in places)

    def union(self, places: Iterable[Place]) -> int | None:
        if not self.answer.has_sets:
            return None
        return different_users(self.answer, places)

    def value(self, *parts: str) -> str:
        """The value of the user sets of the journey itself, or of a place in it."""
        return "/".join((str(self.journey_id), *parts))

    def recipients(self) -> int | None:
        """How many different users were sent a message."""
        keys = [key for keys in self.senders.values() for key in keys]
        return self.users_at(Dimension.SENT, [(key,) for key in keys])

    def observes(self, channel: str) -> frozenset[ReceiptKind]:
        """What can be heard on a channel."""
        return self.observed.get(channel, _NOTHING)

    def sees(self, metric: Metric, channel: str | None, step_key: str | None = None) -> bool:
        """Whether a channel can tell of a metric; of None, one of those that the step sends or sent on."""
        if channel is None:
            return any(self.sees(metric, one, step_key) for one in self.channels[step_key or ""])
        heard = self.observes(channel)
        return is_observable(metric, how_many(self.answer, metric, channel, step_key), heard)

    @cached_property
    def goals(self) -> list[Goal]:
        found: dict[str, Goal] = {}
        for graph in self.graphs:
            for goal in to_goals(graph):
                found.setdefault(goal.key, goal)
        return list(found.values())

    def require(self, step_key: str | None, goal_key: str | None) -> None:
        """Raises BadInput for a step or a goal that the journey has not."""
        self.goal(goal_key)
        keys = [item["key"] for item, _ in self.steps]
        if step_key is not None and step_key not in keys:
            raise BadInput(f"The journey has no step `{step_key}`; it has {_named(keys)}.")

    def goal(self, key: str | None) -> Goal | None:
        """The goal of this key; None for None."""
        if key is None:
            return None
        for goal in self.goals:
            if goal.key == key:
                return goal
        raise BadInput(f"The journey has no goal `{key}`; it has {_named(goal.key for goal in self.goals)}.")


def _named(keys: Iterable[str]) -> str:
    return ", ".join(f"`{key}`" for key in keys) or "none"
