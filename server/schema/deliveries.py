"""What was sent over a channel or by a step, what came of it, and what did not arrive."""

import strawberry

from channels.contract import ReceiptKind
from server.aggregates.ask import Answer
from server.aggregates.metrics import Dimension
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


_METRICS = (
    M.QUEUED,
    M.SENT,
    M.DELIVERED,
    M.OPENED,
    M.OPENS,
    M.CLICKED,
    M.CLICKS,
    M.UNSUBSCRIBED,
    M.COMPLAINED,
    M.REPLIED,
    M.SHOWN,
    M.INTERACTED,
    M.DISMISSED,
    M.BOUNCED,
    M.FAILED,
    M.SKIPPED,
    M.UNKNOWN,
)
"""What a channel's reports show, in this order."""

_HEARD_AS = {
    M.DELIVERED: ReceiptKind.DELIVERED,
    M.OPENED: ReceiptKind.OPENED,
    M.OPENS: ReceiptKind.OPENED,
    M.CLICKED: ReceiptKind.CLICKED,
    M.CLICKS: ReceiptKind.CLICKED,
    M.UNSUBSCRIBED: ReceiptKind.UNSUBSCRIBED,
    M.COMPLAINED: ReceiptKind.COMPLAINED,
    M.REPLIED: ReceiptKind.REPLIED,
    M.SHOWN: ReceiptKind.SHOWN,
    M.INTERACTED: ReceiptKind.INTERACTED,
    M.DISMISSED: ReceiptKind.DISMISSED,
    M.BOUNCED: ReceiptKind.BOUNCED,
}
"""What a channel has to observe for a metric; the others we know ourselves."""

BASES = {
    M.SENT: (M.QUEUED, Base.QUEUED),
    M.FAILED: (M.QUEUED, Base.QUEUED),
    M.SKIPPED: (M.QUEUED, Base.QUEUED),
    M.UNKNOWN: (M.QUEUED, Base.QUEUED),
    M.DELIVERED: (M.SENT, Base.SENT),
    M.BOUNCED: (M.SENT, Base.SENT),
    M.OPENED: (M.SENT, Base.SENT),
    M.CLICKED: (M.SENT, Base.SENT),
    M.UNSUBSCRIBED: (M.SENT, Base.SENT),
    M.COMPLAINED: (M.SENT, Base.SENT),
    M.REPLIED: (M.SENT, Base.SENT),
    M.SHOWN: (M.SENT, Base.SENT),
    M.INTERACTED: (M.SENT, Base.SENT),
    M.DISMISSED: (M.SENT, Base.SENT),
    M.VARIANT_OPENED: (M.VARIANT_SENT, Base.BRANCH_SENT),
    M.VARIANT_CLICKED: (M.VARIANT_SENT, Base.BRANCH_SENT),
}
_SETS = {
    M.SENT: Dimension.SENT,
    M.OPENED: Dimension.OPENED,
    M.OPENS: Dimension.OPENED,
    M.CLICKED: Dimension.CLICKED,
    M.CLICKS: Dimension.CLICKED,
}
_BY_ACTOR = (M.OPENS, M.CLICKS)
"""Counted by actor only."""
BY_ACTOR_TOO = (M.OPENED, M.CLICKED, M.VARIANT_OPENED, M.VARIANT_CLICKED)
"""Counted as a whole, without a reason, and by actor: a message opened by two kinds is one message."""


def metrics_of(source: Source, channel: str, step_key: str | None) -> list[MetricStats]:
    return [metric_of(source, metric, channel, step_key) for metric in _METRICS]


def metric_of(source: Source, metric: M, channel: str, step_key: str | None) -> MetricStats:
    total = _count(source.answer, metric, channel, step_key)
    heard_as = _HEARD_AS.get(metric)
    # Whatever was heard can be observed, whatever the adapter says of itself.
    if not total and heard_as is not None and heard_as not in source.observes.get(channel, frozenset()):
        return MetricStats(
            metric=Metric(metric.value),
            observable=False,
            tally=None,
            share=None,
            human=None,
            machine=None,
            unsure=None,
        )
    told_apart = metric in _BY_ACTOR or metric in BY_ACTOR_TOO
    by = source.answer.by_reason(metric, step_key, channel) if told_apart else {}
    return MetricStats(
        metric=Metric(metric.value),
        observable=True,
        tally=Tally(total=total, users=_users(source, metric, channel, step_key)),
        share=_share(source.answer, metric, channel, step_key, total),
        human=by.get(Actor.HUMAN.value, 0) if told_apart else None,
        machine=by.get(Actor.MACHINE.value, 0) if told_apart else None,
        unsure=by.get(Actor.UNSURE.value, 0) if told_apart else None,
    )


def _count(answer: Answer, metric: M, channel: str, step_key: str | None) -> int:
    reason = "" if metric in BY_ACTOR_TOO else None
    return answer.total(metric, step_key, channel=channel, reason=reason)


def _share(answer: Answer, metric: M, channel: str, step_key: str | None, total: int) -> Share | None:
    if metric not in BASES:
        return None
    whole, base = BASES[metric]
    return share(total, _count(answer, whole, channel, step_key), base)


def _users(source: Source, metric: M, channel: str, step_key: str | None) -> int | None:
    if metric not in _SETS:
        return None
    if step_key is not None:
        return source.users(_SETS[metric], step_key)
    places = [(item["key"],) for item, _ in source.steps() if channel_of(item) == channel]
    return source.users_at(_SETS[metric], places)


_FAMILIES = {
    M.FAILED: IssueFamily.FAILED,
    M.BOUNCED: IssueFamily.BOUNCED,
    M.SKIPPED: IssueFamily.SKIPPED,
    M.UNKNOWN: IssueFamily.UNKNOWN,
}


def issues_of(source: Source, channel: str, step_key: str | None) -> list[DeliveryIssue]:
    whole = _count(source.answer, M.QUEUED, channel, step_key)
    found = [
        (n, family, reason)
        for metric, family in _FAMILIES.items()
        for reason, n in source.answer.by_reason(metric, step_key, channel).items()
    ]
    found.sort(key=lambda issue: (-issue[0], issue[1].value, issue[2]))
    return [
        DeliveryIssue(
            family=family,
            reason=word(FailureReason, reason, FailureReason.UNKNOWN),
            share=share(n, whole, Base.QUEUED),
        )
        for n, family, reason in found
    ]
