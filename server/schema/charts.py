"""Figures over time: the points of charts, and what asks for them."""

from datetime import datetime
from typing import Annotated, TypeAlias

import strawberry

from server.aggregates import charts
from server.aggregates.charts import Chart, Line
from server.aggregates.metrics import Metric as M
from server.clock import to_datetime
from server.errors import BadInput

from .figure_words import Interval, Metric
from .figures import Money, Point
from .graphs import Goal
from .runs import to_money
from .scalars import Count
from .source import Source, money_of
from .words import Actor, ChannelName, word

MetricArgument: TypeAlias = Annotated[Metric, strawberry.argument(description="What is counted.")]
IntervalArgument: TypeAlias = Annotated[
    Interval,
    strawberry.argument(description="How long one point is. A series has at most 3,000 points."),
]
FillArgument: TypeAlias = Annotated[
    bool,
    strawberry.argument(
        description="With points of 0 for intervals in which nothing happened, from the beginning of the "
        "period, or else from the first point, up to now; at most 3,000 points."
    ),
]
ActorArgument: TypeAlias = Annotated[
    Actor | None, strawberry.argument(description="Only by this kind of actor, for opens and clicks.")
]
ChannelArgument: TypeAlias = Annotated[
    ChannelName | None, strawberry.argument(description="Only on this channel.")
]
StepArgument: TypeAlias = Annotated[
    strawberry.ID | None, strawberry.argument(description="Only at the step of this key.")
]
GoalOnlyArgument: TypeAlias = Annotated[
    strawberry.ID | None,
    strawberry.argument(description="Only of the goal of this key, where goals are told."),
]


@strawberry.type(description="How much was sent over one channel.")
class ChannelCount:
    channel: ChannelName = strawberry.field(description="The channel.")
    name: str = strawberry.field(description="What its connections call it; tells apart what is `OTHER`.")
    count: Count = strawberry.field(description="How many messages.")


@strawberry.type(description="One point of the series of a goal.")
class GoalPoint:
    at: datetime = strawberry.field(description="When its hour, day or week begins.")
    reached: Count = strawberry.field(description="Runs that reached it for the first time.")
    hits: Count = strawberry.field(description="Every event that reached it.")
    revenue: Money | None = strawberry.field(
        description="What all hits were worth; null if the goal names no amount."
    )
    first_revenue: Money | None = strawberry.field(
        description="What each run's first hit was worth; null if the goal names no amount."
    )


@strawberry.type(description="A journey in one hour, on one day or in one week.")
class HealthPoint:
    at: datetime = strawberry.field(description="When its hour, day or week begins.")
    entries: Count = strawberry.field(description="Runs that entered.")
    sent: Count = strawberry.field(description="Messages that providers took over.")
    sent_by_channel: list[ChannelCount] = strawberry.field(
        description="The same by channel, the most used first.", metadata={"list_size": 3}
    )
    opened: Count = strawberry.field(description="Messages opened for the first time.")
    completed: Count = strawberry.field(description="Runs that came to an exit.")
    drop_offs: Count = strawberry.field(description="Runs that ended because of an error, of both kinds.")
    internal_errors: Count = strawberry.field(description="Those because something went wrong inside.")
    send_errors: Count = strawberry.field(description="Those because a message could not be sent.")
    goals_reached: Count = strawberry.field(
        description="Runs that reached a goal for the first time, each once for each of its goals."
    )
    hits: Count = strawberry.field(description="Every event that reached a goal.")


def line(
    source: Source,
    metric: Metric,
    by: Interval,
    fill: bool,
    *,
    channel: str | None = None,
    step_key: str | None = None,
    goal: str | None = None,
    actor: Actor | None = None,
) -> list[Point]:
    """One metric over time."""
    wanted = Line(M(metric.value), channel, step_key, goal, actor.value if actor else None)
    # Costs of different currencies do not add up, and a time is no money.
    of_goals = wanted.metric not in (M.COST, M.BILLED, M.STAYED)
    return [
        Point(at=to_datetime(at), count=found.n, amount=to_money(found.amount if of_goals else 0))
        for at, found in charts.points(source.answer, wanted, _chart(source, by, fill))
    ]


def goal_line(source: Source, goal: Goal, by: Interval, fill: bool) -> list[GoalPoint]:
    reached, hits = (Line(metric, output=str(goal.key)) for metric in charts.OF_GOAL)
    found = []
    for at, counts in charts.groups(source.answer, charts.OF_GOAL, _chart(source, by, fill)):
        first, every = charts.sums(counts, reached), charts.sums(counts, hits)
        if fill or first.n or every.n:
            found.append(_goal_point(goal, to_datetime(at), first, every))
    return found


def _goal_point(goal: Goal, at: datetime, first: charts.Sums, every: charts.Sums) -> GoalPoint:
    return GoalPoint(
        at=at,
        reached=first.n,
        hits=every.n,
        revenue=money_of(goal, every.amount),
        first_revenue=money_of(goal, first.amount),
    )


def health_line(source: Source, by: Interval, fill: bool) -> list[HealthPoint]:
    return [
        _health_point(to_datetime(at), charts.health_of(counts))
        for at, counts in charts.groups(source.answer, charts.OF_HEALTH, _chart(source, by, fill))
    ]


def _health_point(at: datetime, found: charts.HealthSums) -> HealthPoint:
    return HealthPoint(
        at=at,
        entries=found.entries,
        sent=sum(found.sent.values()),
        sent_by_channel=by_channel(found.sent),
        opened=found.opened,
        completed=found.completed,
        drop_offs=found.internal + found.send,
        internal_errors=found.internal,
        send_errors=found.send,
        goals_reached=found.reached,
        hits=found.hits,
    )


def one_channel(channel: ChannelName) -> str:
    if channel is ChannelName.OTHER:
        raise BadInput("`OTHER` stands for several channels; ask each below `communications`.")
    return str(channel.value)


def by_channel(sent: dict[str, int]) -> list[ChannelCount]:
    return [
        ChannelCount(channel=word(ChannelName, name, ChannelName.OTHER), name=name, count=n)
        for name, n in sent.items()
    ]


def _chart(source: Source, by: Interval, fill: bool) -> Chart:
    return Chart(by.value, fill, source.period.span, source.figures.watermark)
