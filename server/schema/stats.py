"""The figures of a journey: everything in here comes from one snapshot, read in a few statements."""

from datetime import datetime
from typing import Annotated, TypeAlias

import strawberry

from server.aggregates.ask import Answer
from server.aggregates.messages import BY_ACTOR_TOO
from server.aggregates.metrics import Dimension
from server.aggregates.metrics import Metric as M
from server.aggregates.series import series
from server.clock import to_datetime
from server.journey.steps import channel_of

from .credits import CreditStats, credits_of
from .deliveries import ChannelStats, MetricStats, metric_of
from .fields import field
from .figures import Money, Period, Point, Share, Tally, share, to_period
from .from_data import to_step
from .graphs import Edge, Goal, to_edge
from .runs import to_money
from .source import Data, Source, money_of
from .steps import Step
from .variants import HoldoutStats, VariantStats, Verdict, holdout_of, variants_of, verdicts_of
from .words import (
    Base,
    ChannelName,
    EndReason,
    Interval,
    Metric,
    RefusedEntry,
    word,
)

MetricArgument: TypeAlias = Annotated[Metric, strawberry.argument(description="What is counted.")]
IntervalArgument: TypeAlias = Annotated[Interval, strawberry.argument(description="How long one point is.")]


@strawberry.type(description="How many runs ended for one reason.")
class EndCount:
    reason: EndReason = strawberry.field(description="The reason.")
    count: int = strawberry.field(description="How many runs.")
    share: Share = strawberry.field(description="Of all that ended, here or in the journey.")


@strawberry.type(description="How many times somebody was kept out for one reason.")
class RefusalCount:
    reason: RefusedEntry = strawberry.field(description="The reason.")
    count: int = strawberry.field(description="How many times.")


@strawberry.type(description="Who came, who is inside, who is gone. Entries are inside now or have ended.")
class AudienceStats:
    entries: int = strawberry.field(description="Runs that entered in the period; a re-entry counts again.")
    users: int | None = strawberry.field(
        description="Different users who entered in the period; null for a single version."
    )
    inside_now: int = strawberry.field(description="Runs that are inside now, whatever the period.")
    ended: int = strawberry.field(description="Runs that ended in the period.")
    moved_in: int = strawberry.field(
        description="Runs that an edit moved here from another version in the period; they count as no entry."
    )
    moved_out: int = strawberry.field(
        description="Runs that an edit moved from here to another version in the period; they have not ended."
    )
    ended_by: list[EndCount] = strawberry.field(
        description="The same by reason, the most frequent first.", metadata={"list_size": 5}
    )
    refused: list[RefusalCount] = strawberry.field(
        description="Times that somebody would have come in, and did not, by reason.",
        metadata={"list_size": 5},
    )


@strawberry.type(description="What a journey achieved for one goal.")
class GoalStats:
    goal: Goal = strawberry.field(description="The goal.")
    reached: Tally = strawberry.field(
        description="Runs that reached it for the first time, and users who reached it, in the period."
    )
    hits: int = strawberry.field(description="Every event that reached it; a run can do so again and again.")
    per_run: Share = strawberry.field(description="Runs that reached it, of the entries in the period.")
    per_user: Share | None = strawberry.field(
        description="Users who reached it, of the users who entered in the period; null for a single version."
    )
    revenue: Money | None = strawberry.field(
        description="What all hits were worth; null if the goal names no amount."
    )
    first_revenue: Money | None = strawberry.field(
        description="What each run's first hit was worth; null if the goal names no amount."
    )


DROP_OFFS = (EndReason.INTERNAL_ERROR, EndReason.SEND_ERROR)
"""Ends that nobody wanted: something went wrong inside, or nothing could be sent."""


@strawberry.type(description="The figures of one step. Arrivals are waiting, have left, or ended here.")
class StepStats:
    source: strawberry.Private[Source]
    item: strawberry.Private[Data]
    is_current: bool = strawberry.field(description="Whether the newest version still has it.")

    @field("The step, as the newest version that has it draws it.")
    def step(self) -> Step:
        return to_step(self.item)

    @field("Runs that came to it in the period, and different users.")
    def arrivals(self) -> Tally:
        key = self.item["key"]
        users = self.source.users(Dimension.ARRIVED, key)
        return Tally(total=self.source.answer.total(M.ARRIVALS, key), users=users)

    @field("Runs that wait at it now, whatever the period.")
    def waiting_now(self) -> int:
        return self.source.answer.waiting_now(self.item["key"])

    @field("Runs that went on from it in the period, by any output.")
    def left(self) -> int:
        return self.source.answer.total(M.LEFT, self.item["key"])

    @field("Those of its arrivals in the period that an edit moved here from a step of another version.")
    def moved_in(self) -> int:
        return self.source.answer.total(M.MOVED_IN, self.item["key"])

    @field("Those that left it in the period because an edit moved them to a step of another version.")
    def moved_out(self) -> int:
        return self.source.answer.total(M.MOVED_OUT, self.item["key"])

    @field("Runs that ended at it in the period, by reason.", list_size=3)
    def ended_here(self) -> list[EndCount]:
        return ends_of(self.source.answer, self.item["key"])

    @field("Runs that ended at it because something went wrong or could not be sent, of its arrivals.")
    def drop_offs(self) -> Share:
        answer, key = self.source.answer, self.item["key"]
        dropped = sum(answer.total(M.ENDED, key, reason=reason.value) for reason in DROP_OFFS)
        return share(dropped, answer.total(M.ARRIVALS, key), Base.ARRIVALS)

    @field("Its arrivals, of all entries in the period.")
    def of_entries(self) -> Share:
        answer = self.source.answer
        return share(answer.total(M.ARRIVALS, self.item["key"]), answer.total(M.ENTRIES), Base.ENTRIES)

    @field("Messages taken over by the provider; null for steps that send nothing.")
    def sent(self) -> MetricStats | None:
        return self._metric(M.SENT)

    @field("Messages opened at least once; null for steps that send nothing.")
    def opened(self) -> MetricStats | None:
        return self._metric(M.OPENED)

    @field("Messages clicked at least once; null for steps that send nothing.")
    def clicked(self) -> MetricStats | None:
        return self._metric(M.CLICKED)

    @field("Messages failed, bounced or skipped, of those decided; null for steps that send nothing.")
    def not_sent(self) -> Share | None:
        if not self._sends():
            return None
        answer, key = self.source.answer, self.item["key"]
        lost = sum(answer.total(metric, key) for metric in (M.FAILED, M.BOUNCED, M.SKIPPED))
        return share(lost, answer.total(M.QUEUED, key), Base.QUEUED)

    @field("Conversions credited to its messages, by goal; null for steps that send nothing.", list_size=3)
    def credited(self) -> list[CreditStats] | None:
        return credits_of(self.source, self.item["key"]) if self._sends() else None

    @field("Its branches, each compared with the first; null for steps that are no A/B/n split.", list_size=3)
    def variants(self) -> list[VariantStats] | None:
        return variants_of(self.source, self.item["key"])

    @field(
        "What was decided about it, the latest first; null for steps that are no A/B/n split.", list_size=2
    )
    def verdicts(self) -> list[Verdict] | None:
        return verdicts_of(self.source, self.item["key"])

    def _sends(self) -> bool:
        return channel_of(self.item) is not None

    def _metric(self, metric: M) -> MetricStats | None:
        if not self._sends():
            return None
        return metric_of(self.source, metric, channel_of(self.item) or "", self.item["key"])


@strawberry.type(description="The figures of one edge.")
class EdgeStats:
    edge: Edge = strawberry.field(description="The edge, as the newest version that has it draws it.")
    is_current: bool = strawberry.field(description="Whether the newest version still has it.")
    passed: Tally = strawberry.field(
        description="Runs that went along it in the period, and different users."
    )


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

    @field("Who came, who is inside, who is gone.")
    def audience(self) -> AudienceStats:
        answer = self.source.answer
        refused = answer.by_reason(M.REFUSED)
        return AudienceStats(
            entries=answer.total(M.ENTRIES),
            users=self.source.users(Dimension.ENTERED),
            inside_now=answer.inside_now(),
            ended=answer.total(M.ENDED),
            moved_in=answer.total(M.MOVED_IN),
            moved_out=answer.total(M.MOVED_OUT),
            ended_by=ends_of(answer, None),
            refused=[
                RefusalCount(reason=word(RefusedEntry, reason, RefusedEntry.OTHER), count=n)
                for reason, n in refused.items()
            ],
        )

    @field("What it does against those who get nothing; null if nobody was ever held out.")
    def holdout(self) -> HoldoutStats | None:
        return holdout_of(self.source)

    @field("What it achieved, goal by goal.", list_size=3)
    def performance(self) -> list[GoalStats]:
        return [goal_stats(self.source, goal) for goal in self.source.goals()]

    @field("One for each channel that it uses or has used.", list_size=3)
    def communications(self) -> list[ChannelStats]:
        channels = (channel_of(item) for item, _ in self.source.steps())
        names = dict.fromkeys(channel for channel in channels if channel)
        return [
            ChannelStats(source=self.source, channel=word(ChannelName, name, ChannelName.OTHER), name=name)
            for name in names
        ]

    @field(
        "Every step of the newest version, and earlier ones that are gone: the canvas.",
        list_size=12,
    )
    def steps(self) -> list[StepStats]:
        return [
            StepStats(source=self.source, item=item, is_current=current)
            for item, current in self.source.steps()
        ]

    @field(
        "Every edge of the newest version, and earlier ones that are gone.",
        list_size=12,
    )
    def edges(self) -> list[EdgeStats]:
        return [edge_stats(self.source, item, current) for item, current in self.source.edges()]

    @field(
        "A series of one metric, without the intervals in which nothing happened.",
        list_size=30,
    )
    def over(self, metric: MetricArgument, by: IntervalArgument = Interval.DAY) -> list[Point]:
        counts = [
            count
            for count in self.source.answer.hours
            if count.metric == metric.value and (metric.value not in BY_ACTOR_TOO or count.reason == "")
        ]
        return [
            Point(at=to_datetime(at), count=n, amount=to_money(amount))
            for at, n, amount in series(counts, by.value, self.period.zone)
        ]


def ends_of(answer: Answer, step_key: str | None) -> list[EndCount]:
    found = answer.by_reason(M.ENDED, step_key)
    whole = sum(found.values())
    return [
        EndCount(reason=EndReason(reason), count=n, share=share(n, whole, Base.ENDED))
        for reason, n in found.items()
    ]


def goal_stats(source: Source, goal: Goal) -> GoalStats:
    answer = source.answer
    reached = [count for count in answer.of(M.REACHED) if count.output == goal.key]
    hits = [count for count in answer.of(M.HITS) if count.output == goal.key]
    runs = sum(count.n for count in reached)
    users, entered = source.users(Dimension.REACHED, goal.key), source.users(Dimension.ENTERED)
    return GoalStats(
        goal=goal,
        reached=Tally(total=runs, users=users),
        hits=sum(count.n for count in hits),
        per_run=share(runs, answer.total(M.ENTRIES), Base.ENTRIES),
        per_user=None if users is None or entered is None else share(users, entered, Base.USERS_ENTERED),
        revenue=money_of(goal, sum(count.amount for count in hits)),
        first_revenue=money_of(goal, sum(count.amount for count in reached)),
    )


def edge_stats(source: Source, item: Data, current: bool) -> EdgeStats:
    step, output = item["from"], item["output"]
    passed = Tally(
        total=source.answer.total(M.LEFT, step, output=output),
        users=source.users(Dimension.LEFT, step, output),
    )
    return EdgeStats(edge=to_edge(item), is_current=current, passed=passed)
