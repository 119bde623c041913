"""A journey at a glance."""

import strawberry

from server.aggregates import conversions, health
from server.aggregates.metrics import Dimension
from server.aggregates.metrics import Metric as M

from .audience import DropOffs, EndCount, drop_offs, ends_of
from .charts import ChannelCount, FillArgument, HealthPoint, IntervalArgument, by_channel, health_line
from .fields import field
from .figure_words import Base, Interval
from .figures import Share, Tally, share
from .performance import GoalStats, goal_stats
from .scalars import Count
from .source import Source


@strawberry.type(
    description="A journey at a glance: who came, what was sent and opened, who dropped off, and what for."
)
class HealthStats:
    source: strawberry.Private[Source]

    @field("Runs that entered in the period, and different users.")
    def entries(self) -> Tally:
        users = self.source.users(Dimension.ENTERED)
        return Tally(total=self.source.answer.total(M.ENTRIES), users=users)

    @field("Messages that providers took over, on all channels together.")
    def sent(self) -> Count:
        return self.source.answer.total(M.SENT)

    @field("The same by channel, the most used first.", list_size=5)
    def sent_by_channel(self) -> list[ChannelCount]:
        return by_channel(health.sent_by_channel(self.source.answer))

    @field(
        "Messages opened at least once, of those sent on channels that can tell of opens; null if there is "
        "no such channel."
    )
    def opened(self) -> Share | None:
        answer, source = self.source.answer, self.source
        seen = [name for name in source.senders if source.sees(M.OPENED, name)]
        found = health.opened(answer, seen)
        return share(found.count, found.of, Base.SENT_OBSERVABLE) if seen else None

    @field("Runs that ended because of an error, of the entries in the period.")
    def drop_offs(self) -> DropOffs:
        return drop_offs(self.source.answer)

    @field("Everybody who left in the period, by reason, the most frequent first.", list_size=5)
    def ended_by(self) -> list[EndCount]:
        return ends_of(self.source.answer, None)

    @field("Runs that reached a goal for the first time in the period, each once for each of its goals.")
    def goals_reached(self) -> Count:
        return conversions.reached(self.source.answer).runs

    @field("What it achieved, goal by goal.", list_size=3)
    def goals(self) -> list[GoalStats]:
        return [goal_stats(self.source, goal) for goal in self.source.goals]

    @field("All of this over time, in one list.", list_size=30)
    def over(self, by: IntervalArgument = Interval.DAY, fill: FillArgument = False) -> list[HealthPoint]:
        return health_line(self.source, by, fill)
