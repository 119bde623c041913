"""What was sent over a channel or by a step, what came of it, and what did not arrive."""

import strawberry

from server.aggregates.ask import Answer
from server.aggregates.messages import SETS, TOLD, WHOLES, by_actor, how_many, is_observable, issues
from server.aggregates.metrics import Metric as M
from server.journey.steps import channel_of

from .fields import field
from .figures import Share, Tally, share
from .from_data import to_step
from .source import Source
from .steps import Step
from .words import Actor, Base, ChannelName, FailureReason, IssueFamily, Metric, word


@strawberry.type(description="One metric of a channel or of a message step.")
class MetricStats:
    metric: Metric = strawberry.field(description="What is counted.")
    observable: bool = strawberry.field(
        description="Whether the channel can tell. If not, every figure is null: not observable is not 0 %."
    )
    tally: Tally | None = strawberry.field(description="How often; how many users, where that is known.")
    share: Share | None = strawberry.field(description="Of what it is a part; null for what is no part.")
    human: int | None = strawberry.field(description="By people, where actors are told apart.")
    machine: int | None = strawberry.field(
        description="By scanners and prefetchers, where actors are told apart."
    )
    unsure: int | None = strawberry.field(description="By who knows whom, where actors are told apart.")


@strawberry.type(description="Messages that did not arrive, or may not have, for one reason.")
class DeliveryIssue:
    family: IssueFamily = strawberry.field(description="How they did not arrive.")
    reason: FailureReason = strawberry.field(description="Why.")
    share: Share = strawberry.field(description="How many, of all that the journey decided to send.")


@strawberry.type(description="The figures of one message step.")
class MessageStepStats:
    step: Step = strawberry.field(description="The step.")
    is_current: bool = strawberry.field(description="Whether the newest version still has it.")
    metrics: list[MetricStats] = strawberry.field(
        description="The channel's metrics, in its order.", metadata={"list_size": 17}
    )
    issues: list[DeliveryIssue] = strawberry.field(
        description="What went wrong, the most frequent first.", metadata={"list_size": 5}
    )


@strawberry.type(description="What was sent over one channel, and what came of it.")
class ChannelStats:
    source: strawberry.Private[Source]
    channel: ChannelName = strawberry.field(description="The channel.")
    name: strawberry.Private[str]

    @field("The channel's own metrics, in its own order.", list_size=17)
    def metrics(self) -> list[MetricStats]:
        return metrics_of(self.source, self.name, None)

    @field("One row for each message step.", list_size=5)
    def messages(self) -> list[MessageStepStats]:
        return [
            MessageStepStats(
                step=to_step(item),
                is_current=current,
                metrics=metrics_of(self.source, self.name, item["key"]),
                issues=issues_of(self.source, self.name, item["key"]),
            )
            for item, current in self.source.steps()
            if channel_of(item) == self.name
        ]

    @field("What went wrong, the most frequent first.", list_size=8)
    def issues(self) -> list[DeliveryIssue]:
        return issues_of(self.source, self.name, None)


_BASES = {M.QUEUED: Base.QUEUED, M.SENT: Base.SENT, M.VARIANT_SENT: Base.BRANCH_SENT}


def metrics_of(source: Source, channel: str, step_key: str | None) -> list[MetricStats]:
    return [metric_of(source, metric, channel, step_key) for metric in TOLD]


def metric_of(source: Source, metric: M, channel: str, step_key: str | None) -> MetricStats:
    total = how_many(source.answer, metric, channel, step_key)
    if not is_observable(metric, total, source.observes.get(channel, frozenset())):
        return MetricStats(
            metric=Metric(metric.value),
            observable=False,
            tally=None,
            share=None,
            human=None,
            machine=None,
            unsure=None,
        )
    by = by_actor(source.answer, metric, channel, step_key)
    return MetricStats(
        metric=Metric(metric.value),
        observable=True,
        tally=Tally(total=total, users=_users(source, metric, channel, step_key)),
        share=_share(source.answer, metric, channel, step_key, total),
        human=None if by is None else by.get(Actor.HUMAN.value, 0),
        machine=None if by is None else by.get(Actor.MACHINE.value, 0),
        unsure=None if by is None else by.get(Actor.UNSURE.value, 0),
    )


def _share(answer: Answer, metric: M, channel: str, step_key: str | None, total: int) -> Share | None:
    if metric not in WHOLES:
        return None
    whole = WHOLES[metric]
    return share(total, how_many(answer, whole, channel, step_key), _BASES[whole])


def _users(source: Source, metric: M, channel: str, step_key: str | None) -> int | None:
    if metric not in SETS:
        return None
    if step_key is not None:
        return source.users(SETS[metric], step_key)
    places = [(item["key"],) for item, _ in source.steps() if channel_of(item) == channel]
    return source.users_at(SETS[metric], places)


def issues_of(source: Source, channel: str, step_key: str | None) -> list[DeliveryIssue]:
    whole = how_many(source.answer, M.QUEUED, channel, step_key)
    return [
        DeliveryIssue(
            family=IssueFamily(issue.family.value),
            reason=word(FailureReason, issue.reason, FailureReason.UNKNOWN),
            share=share(issue.n, whole, Base.QUEUED),
        )
        for issue in issues(source.answer, channel, step_key)
    ]
