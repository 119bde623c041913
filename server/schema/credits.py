"""Conversions credited to a message step: what came of it."""

import strawberry

from server.aggregates import conversions
from server.aggregates.messages import how_many
from server.aggregates.metrics import Metric as M

from .fields import field
from .figure_words import Base
from .figures import Money, Share, share
from .graphs import Goal
from .scalars import Count
from .source import Source, money_in, money_per


@strawberry.type(
    description="Conversions by what led to them. Each is credited to one message of its run: the last that "
    "was opened before it, else the last that was sent."
)
class CreditStats:
    source: strawberry.Private[Source]
    step_key: strawberry.Private[str]
    channel_name: strawberry.Private[str | None]
    found: strawberry.Private[conversions.Credit]
    goal: Goal | None = strawberry.field(description="The goal; null is all of the journey's together.")
    total: Count = strawberry.field(description="Every hit that its messages have the credit for.")
    unique: Count = strawberry.field(
        description="Runs whose first hit they have the credit for; each once for each goal."
    )
    unique_after_open: Count = strawberry.field(
        description="Those of `unique` because they were opened: people who did something with a message."
    )
    after_open: Count = strawberry.field(
        description="Hits credited to its messages because they were opened."
    )
    after_send: Count = strawberry.field(
        description="Hits credited to its messages because they were the last sent, and none was opened."
    )
    assisted: Count = strawberry.field(
        description="Hits credited to another message, before which one of these was sent as well."
    )

    @field("`unique`, of the messages sent.")
    def share(self) -> Share:
        return share(self.unique, self._sent(), Base.SENT)

    @field("`uniqueAfterOpen`, of the messages sent.")
    def share_after_open(self) -> Share:
        return share(self.unique_after_open, self._sent(), Base.SENT)

    @field(
        "What the credited hits were worth; null if the goal names no amount, or goals differ in currency."
    )
    def revenue(self) -> Money | None:
        return money_in(self._goals(), self.found.amount)

    @field("What one credited hit was worth on average; null where there is none.")
    def average_order_value(self) -> Money | None:
        return money_per(self._goals(), self.found.amount, self.total)

    @field("What the credited hits were worth for each message sent; null where none was.")
    def revenue_per_message(self) -> Money | None:
        return money_per(self._goals(), self.found.amount, self._sent())

    def _goals(self) -> list[Goal]:
        return self.source.goals if self.goal is None else [self.goal]

    def _sent(self) -> int:
        return how_many(self.source.answer, M.SENT, self.channel_name, self.step_key)


def credit_of(source: Source, step_key: str, goal: Goal | None, channel: str | None = None) -> CreditStats:
    """What the messages of a step have the credit for, of one goal or of all together."""
    found = conversions.credit(source.answer, step_key, None if goal is None else str(goal.key), channel)
    return CreditStats(
        source=source,
        step_key=step_key,
        channel_name=channel,
        found=found,
        goal=goal,
        total=found.total,
        unique=found.runs,
        unique_after_open=found.runs_after_open,
        after_open=found.after_open,
        after_send=found.after_send,
        assisted=found.assisted,
    )


def credits_of(source: Source, step_key: str, channel: str | None = None) -> list[CreditStats]:
    return [credit_of(source, step_key, goal, channel) for goal in source.goals]
