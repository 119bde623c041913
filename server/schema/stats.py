"""The figures of a journey: everything in here comes from one snapshot, read in a few statements."""

from datetime import datetime
from typing import Annotated, TypeAlias

import strawberry

from server.aggregates.messages import BY_ACTOR_TOO
from server.aggregates.series import MADE_OF, series
from server.clock import to_datetime

from .audience import AudienceStats
from .canvas import EdgeStats, StepStats
from .deliveries import ChannelStats, channels_of
from .fields import field
from .figures import Period, Point, to_period
from .health import HealthStats
from .performance import GoalStats, goal_stats
from .runs import to_money
from .source import Source
from .variants import HoldoutStats, holdout_of
from .words import Interval, Metric

MetricArgument: TypeAlias = Annotated[Metric, strawberry.argument(description="What is counted.")]
IntervalArgument: TypeAlias = Annotated[Interval, strawberry.argument(description="How long one point is.")]


@strawberry.type(description="Every figure of one journey in one period, all from one snapshot.")
class JourneyStats:
    source: strawberry.Private[Source]
    period: Period = strawberry.field(description="The days that they are about.")
    watermark: datetime = strawberry.field(
        description="Everything that we were told, and every wait that was over, before this is counted."
    )

    @classmethod
    def from_source(cls, source: Source) -> "JourneyStats":
        mark = to_datetime(source.figures.watermark)
        return cls(source=source, period=to_period(source.period), watermark=mark)

    @field("The journey at a glance.")
    def health(self) -> HealthStats:
        return HealthStats(source=self.source)

    @field("Who came, who is inside, who is gone.")
    def audience(self) -> AudienceStats:
        return AudienceStats(source=self.source)

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

    @field(
        "A series of one metric, without the intervals in which nothing happened.",
        list_size=30,
    )
    def over(self, metric: MetricArgument, by: IntervalArgument = Interval.DAY) -> list[Point]:
        counts = [
            count
            for count in self.source.answer.series.get(MADE_OF[by.value], ())
            if count.metric == metric.value and (metric.value not in BY_ACTOR_TOO or count.reason == "")
        ]
        return [
            Point(at=to_datetime(at), count=n, amount=to_money(amount))
            for at, n, amount in series(counts, by.value, self.period.zone)
        ]
