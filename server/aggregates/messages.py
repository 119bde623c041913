"""What is told of messages, over a channel or of one step: which metrics, parts of which wholes."""

from collections.abc import Collection
from typing import NamedTuple

from channels.contract import ReceiptKind

from .ask import Answer
from .metrics import Dimension, Metric

TOLD = (
    Metric.QUEUED,
    Metric.SENT,
    Metric.DELIVERED,
    Metric.OPENED,
    Metric.OPENS,
    Metric.CLICKED,
    Metric.CLICKS,
    Metric.UNSUBSCRIBED,
    Metric.COMPLAINED,
    Metric.REPLIED,
    Metric.SHOWN,
    Metric.INTERACTED,
    Metric.DISMISSED,
    Metric.BOUNCED,
    Metric.FAILED,
    Metric.SKIPPED,
    Metric.UNKNOWN,
)
"""What reports of messages show, in this order."""

HEARD_AS = {
    Metric.DELIVERED: ReceiptKind.DELIVERED,
    Metric.OPENED: ReceiptKind.OPENED,
    Metric.OPENS: ReceiptKind.OPENED,
    Metric.CLICKED: ReceiptKind.CLICKED,
    Metric.CLICKS: ReceiptKind.CLICKED,
    Metric.UNSUBSCRIBED: ReceiptKind.UNSUBSCRIBED,
    Metric.COMPLAINED: ReceiptKind.COMPLAINED,
    Metric.REPLIED: ReceiptKind.REPLIED,
    Metric.SHOWN: ReceiptKind.SHOWN,
    Metric.INTERACTED: ReceiptKind.INTERACTED,
    Metric.DISMISSED: ReceiptKind.DISMISSED,
    Metric.BOUNCED: ReceiptKind.BOUNCED,
}
"""What a channel has to observe for a metric; the others we know ourselves."""

WHOLES = {
    Metric.SENT: Metric.QUEUED,
    Metric.FAILED: Metric.QUEUED,
    Metric.SKIPPED: Metric.QUEUED,
    Metric.UNKNOWN: Metric.QUEUED,
    Metric.DELIVERED: Metric.SENT,
    Metric.BOUNCED: Metric.SENT,
    Metric.OPENED: Metric.SENT,
    Metric.CLICKED: Metric.SENT,
    Metric.UNSUBSCRIBED: Metric.SENT,
    Metric.COMPLAINED: Metric.SENT,
    Metric.REPLIED: Metric.SENT,
    Metric.SHOWN: Metric.SENT,
    Metric.INTERACTED: Metric.SENT,
    Metric.DISMISSED: Metric.SENT,
    Metric.VARIANT_OPENED: Metric.VARIANT_SENT,
    Metric.VARIANT_CLICKED: Metric.VARIANT_SENT,
}
"""By metric: the whole that its share is a part of."""

SETS = {
    Metric.SENT: Dimension.SENT,
    Metric.OPENED: Dimension.OPENED,
    Metric.OPENS: Dimension.OPENED,
    Metric.CLICKED: Dimension.CLICKED,
    Metric.CLICKS: Dimension.CLICKED,
}
"""By metric: the sets that know whose messages they were."""

BY_ACTOR = (Metric.OPENS, Metric.CLICKS)
"""Counted by actor only."""
BY_ACTOR_TOO = (Metric.OPENED, Metric.CLICKED, Metric.VARIANT_OPENED, Metric.VARIANT_CLICKED)
"""Counted as a whole, without a reason, and by actor: a message opened by two kinds is one message."""

LOST = (Metric.FAILED, Metric.BOUNCED, Metric.SKIPPED, Metric.UNKNOWN)
"""Did not arrive, or may not have, each for a reason."""


def how_many(answer: Answer, metric: Metric, channel: str | None = None, step_key: str | None = None) -> int:
    reason = "" if metric in BY_ACTOR_TOO else None
    return answer.total(metric, step_key, channel=channel, reason=reason)


def by_actor(
    answer: Answer, metric: Metric, channel: str | None = None, step_key: str | None = None
) -> dict[str, int] | None:
    """How many by who did it; None for what nobody does."""
    if metric not in BY_ACTOR and metric not in BY_ACTOR_TOO:
        return None
    found = answer.by_reason(metric, step_key, channel)
    return {actor: n for actor, n in found.items() if actor}


def is_observable(metric: Metric, total: int, heard: Collection[ReceiptKind]) -> bool:
    """Whatever was heard can be observed, whatever the adapters say of themselves."""
    return bool(total) or metric not in HEARD_AS or HEARD_AS[metric] in heard


class Issue(NamedTuple):
    """Messages that were lost in one way for one reason."""

    family: Metric
    reason: str
    n: int


def issues(answer: Answer, channel: str | None = None, step_key: str | None = None) -> list[Issue]:
    """What did not arrive, the most frequent first."""
    found = [
        Issue(family, reason, n)
        for family in LOST
        for reason, n in answer.by_reason(family, step_key, channel).items()
    ]
    return sorted(found, key=lambda issue: (-issue.n, issue.family.value, issue.reason))
