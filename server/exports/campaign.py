"""What a row of figures is made of: a journey in a span, or messages in it."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import orjson

from server.aggregates.ask import Answer, Span
from server.aggregates.costs import billed, charged
from server.aggregates.drawn import DrawnFigures
from server.aggregates.messages import SETS, WHOLES, how_many, is_observable
from server.aggregates.metrics import Dimension
from server.aggregates.metrics import Metric as M
from server.clock import Instant
from server.store.tables import Journey

from .figure import rate


@dataclass(frozen=True, slots=True)
class Campaign:
    """One journey in one span: everything in here comes from one snapshot."""

    journey: Journey
    figures: DrawnFigures
    span: Span
    clock: str
    """`happened` or `entered`: by what it falls into the span."""
    as_of: Instant
    watermark: Instant
    """Everything that we were told before it is counted."""

    @property
    def answer(self) -> Answer:
        return self.figures.answer

    @property
    def entries(self) -> int:
        return self.answer.total(M.ENTRIES)

    @property
    def messages(self) -> "Messages":
        """All that it sent."""
        return Messages(self.figures, self.figures.senders)

    def on(self, channel: str) -> "Messages":
        """What it sent there."""
        return Messages(self.figures, (channel,))


_TYPES = {"entry_audience": "AudienceBased", "entry_event": "TriggerBased", "entry_api": "ApiBased"}
"""By kind of entry: the type of a journey, for programs and people alike."""


def type_of(campaign: Campaign) -> str | None:
    """How people come in, by the version that they enter now, or else by the draft."""
    kinds = {item["kind"] for item in _graph(campaign).get("steps") or ()}
    return ", ".join(name for kind, name in _TYPES.items() if kind in kinds) or None


def _graph(campaign: Campaign) -> dict[str, Any]:
    if campaign.figures.graphs:
        return campaign.figures.graphs[0]
    draft = campaign.journey.draft
    return dict(orjson.loads(draft)) if draft else {}


@dataclass(frozen=True, slots=True)
class Messages:
    """The messages of some channels, or of one step; a figure is None where none of them can tell."""

    figures: DrawnFigures
    channels: Collection[str]
    step_key: str | None = None

    def telling(self, metric: M) -> list[str]:
        """The channels that can tell of it."""
        return [channel for channel in self.channels if self._tells(metric, channel)]

    def _tells(self, metric: M, channel: str) -> bool:
        total = how_many(self.figures.answer, metric, channel, self.step_key)
        return is_observable(metric, total, self.figures.observes(channel))

    def told(self, metric: M) -> int | None:
        """How many messages, each once; of opens and clicks, every one."""
        telling = self.telling(metric)
        return self._count(metric, telling) if telling or not self.channels else None

    def by(self, actor: str, metric: M) -> int | None:
        """Those that this kind of actor opened or clicked."""
        telling = self.telling(metric)
        if self.channels and not telling:
            return None
        answer = self.figures.answer
        return sum(answer.by_reason(metric, self.step_key, channel).get(actor, 0) for channel in telling)

    def rate(self, metric: M) -> float | None:
        """By the whole of which it is a part: of the channels that can tell, and none other."""
        telling = self.telling(metric)
        return rate(self._count(metric, telling), self._count(WHOLES[metric], telling))

    def users(self, metric: M) -> int | None:
        """How many different users: who was sent, who opened, who clicked."""
        telling = self.telling(metric)
        if self.channels and not telling:
            return None
        return self.figures.users_at(SETS[metric], [(key,) for key in self._steps(telling)])

    @property
    def priced(self) -> int:
        """How many of which the price is known."""
        return self._count(M.COST, self.channels)

    @property
    def costs(self) -> dict[str, int]:
        """What they cost without VAT, by currency, as far as prices are known."""
        found = Counter[str]()
        for channel in self.channels:
            for one in charged(self.figures.answer, channel, self.step_key):
                found[one.currency] += one.amount
        return dict(sorted(found.items()))

    @property
    def vats(self) -> dict[str, int]:
        """VAT on what the price list says, by currency."""
        found = Counter[str]()
        for channel in self.channels:
            for one in billed(self.figures.answer, channel, self.step_key):
                if one.vat is not None:
                    found[one.currency] += one.vat
        return dict(sorted(found.items()))

    @property
    def unbilled(self) -> int:
        """How many went out and are not booked."""
        return self._count(M.UNBILLED, self.channels)

    def _count(self, metric: M, channels: Collection[str]) -> int:
        return sum(how_many(self.figures.answer, metric, channel, self.step_key) for channel in channels)

    def _steps(self, channels: Collection[str]) -> list[str]:
        if self.step_key is not None:
            return [self.step_key]
        return [key for channel in channels for key in self.figures.senders.get(channel, ())]


def users_reaching(campaign: Campaign) -> int:
    """Different users who reached any of its goals."""
    goals = [(goal["key"],) for goal in campaign.figures.goals_drawn]
    return campaign.figures.users_at(Dimension.REACHED, goals)
