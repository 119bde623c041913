"""The figures of a journey: everything in here comes from one snapshot, read in a few statements."""

from datetime import datetime
from typing import Any

import strawberry

from server.aggregates import costs as billing
from server.clock import to_datetime

from . import costs, different_users
from .audience import AudienceStats
from .canvas import EdgeStats, StepStats
from .charts import (
    ActorArgument,
    ChannelArgument,
    FillArgument,
    GoalOnlyArgument,
    IntervalArgument,
    MetricArgument,
    StepArgument,
    line,
    one_channel,
)
from .cost_lines import CostLine, OpenCost
from .deliveries import ChannelStats, channels_of
from .different_users import DeedsArgument, GoalsArgument, StepsArgument
from .fields import IS_NO_NEWS, field
from .figure_words import Clock, Interval
from .figures import Money, Period, Point, to_period
from .health import HealthStats
from .performance import GoalStats, goal_stats
from .scalars import Count
from .source import Source
from .variants import HoldoutStats, holdout_of


@strawberry.type(description="Every figure of one journey in one period, all from one snapshot.")
class JourneyStats:
    source: strawberry.Private[Source]
    period: Period = strawberry.field(description="The days that they are about.")
    clock: Clock = strawberry.field(description="What decides whether something is in the period.")
    version: int | None = strawberry.field(description="The version that they are about; null for all.")
    watermark: datetime = strawberry.field(
        description="Everything that we were told, and every wait that was over, before this is counted.",
        metadata={IS_NO_NEWS: True},
    )

    @classmethod
    def from_source(cls, source: Source, clock: Clock) -> "JourneyStats":
        return cls(
            source=source,
            period=to_period(source.period),
            clock=clock,
            version=source.version,
            watermark=to_datetime(source.figures.watermark),
        )

    @field("The journey at a glance.")
    def health(self) -> HealthStats:
        return HealthStats(source=self.source)

    @field("Who came, who is inside, who is gone.")
    def audience(self) -> AudienceStats:
        return AudienceStats(source=self.source)

    @field(
        "How many different users did any of several things at any of several steps, in the period: exact, "
        "each user once."
    )
    def users(self, did: DeedsArgument, steps: StepsArgument = None, goals: GoalsArgument = None) -> Count:
        return different_users.count(self.source, did, steps, goals)

    @field("What it does against those who get nothing; null if nobody was ever held out.")
    def holdout(self) -> HoldoutStats | None:
        return holdout_of(self.source)

    @field("What it achieved, goal by goal.", list_size=3)
    def performance(self) -> list[GoalStats]:
        return [goal_stats(self.source, goal) for goal in self.source.goals]

    @field("One for each channel that it uses or has used.", list_size=3)
    def communications(self) -> list[ChannelStats]:
        return channels_of(self.source)

    @field(
        "What its messages cost without VAT, by currency, as far as prices are known: see `costLines`.",
        list_size=2,
    )
    def cost(self) -> list[Money]:
        return costs.cost_of(self.source)

    @field("Messages whose price is known: told by their providers, or booked by the price list.")
    def priced(self) -> Count:
        return costs.priced(self.source)

    @field("The same by connection, kind and source, with VAT apart.", list_size=5)
    def cost_lines(self) -> list[CostLine]:
        return [CostLine.of(one) for one in billing.billed(self.source.answer)]

    @field(
        "Messages that went out and are not booked: their outcome is open, or they have no price.",
        list_size=3,
    )
    def open_costs(self) -> list[OpenCost]:
        return [OpenCost.of(one) for one in billing.unbilled(self.source.answer)]

    @field(
        "What the goal hits credited to messages were worth, for each message sent; by currency.",
        list_size=2,
    )
    def revenue_per_message(self) -> list[Money]:
        return costs.revenue_per_message(self.source)

    @field(
        "Every step of the newest version, and earlier ones that are gone: the canvas.",
        list_size=12,
    )
    def steps(self) -> list[StepStats]:
        return [
            StepStats(source=self.source, item=item, is_current=current)
            for item, current in self.source.steps
        ]

    @field(
        "Every edge of the newest version, and earlier ones that are gone.",
        list_size=12,
    )
    def edges(self) -> list[EdgeStats]:
        return [
            EdgeStats(source=self.source, item=item, is_current=current)
            for item, current in self.source.edges
        ]

    @field("One metric over time; by default without the intervals in which nothing happened.", list_size=30)
    def over(
        self,
        metric: MetricArgument,
        by: IntervalArgument = Interval.DAY,
        fill: FillArgument = False,
        channel: ChannelArgument = None,
        step: StepArgument = None,
        goal: GoalOnlyArgument = None,
        actor: ActorArgument = None,
    ) -> list[Point]:
        only = None if channel is None else one_channel(channel)
        self.source.require(step, goal)
        where: dict[str, Any] = {"channel": only, "step_key": step, "goal": goal, "actor": actor}
        return line(self.source, metric, by, fill, **where)
