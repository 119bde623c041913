"""Conversions credited to a message step: what came of it."""

import strawberry

from server.aggregates.metrics import Metric as M
from server.journey.credit import OPENED, SENT

from .figures import Money
from .graphs import Goal
from .source import Source, money_of


@strawberry.type(
    description="Conversions by what led to them. Each is credited to one message of its run: the last that "
    "was opened before it, else the last that was sent."
)
class CreditStats:
    goal: Goal = strawberry.field(description="The goal.")
    after_open: int = strawberry.field(description="Hits credited to its messages because they were opened.")
    after_send: int = strawberry.field(
        description="Hits credited to its messages because they were the last sent, and none was opened."
    )
    assisted: int = strawberry.field(
        description="Hits credited to another message, before which one of these was sent as well."
    )
    revenue: Money | None = strawberry.field(
        description="What the credited hits were worth; null if the goal names no amount."
    )


def credits_of(source: Source, step_key: str) -> list[CreditStats]:
    return [_credit(source, step_key, goal) for goal in source.goals()]


def _credit(source: Source, step_key: str, goal: Goal) -> CreditStats:
    credited = [one for one in source.answer.of(M.CREDITED, step_key) if one.output == goal.key]
    assisted = [one for one in source.answer.of(M.ASSISTED, step_key) if one.output == goal.key]
    return CreditStats(
        goal=goal,
        after_open=sum(one.n for one in credited if one.reason == OPENED),
        after_send=sum(one.n for one in credited if one.reason == SENT),
        assisted=sum(one.n for one in assisted),
        revenue=money_of(goal, sum(one.amount for one in credited)),
    )
