"""What is told of messages, over a channel or of one step: which metrics, parts of which wholes."""

from collections.abc import Collection
from dataclasses import dataclass
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
    Metric.FALLBACK_SENT,
    Metric.FALLBACK_DELIVERED,
)
"""What reports of messages show, in this order."""

HEARD_AS = {
    Metric.DELIVERED: ReceiptKind.DELIVERED,
    Metric.FALLBACK_DELIVERED: ReceiptKind.DELIVERED,
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
    Metric.FALLBACK_SENT: Metric.SENT,
    Metric.FALLBACK_DELIVERED: Metric.FALLBACK_SENT,
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
NOT_SENT = (Metric.FAILED, Metric.BOUNCED, Metric.SKIPPED)
OF_DELIVERED = (
    *(Metric.OPENED, Metric.CLICKED, Metric.UNSUBSCRIBED),
    *(Metric.COMPLAINED, Metric.REPLIED, Metric.SHOWN),
)
"""What some people rather compare with what has arrived."""


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


@dataclass(frozen=True, slots=True)
class Part:
    """A count with the whole that it is a part of."""

    count: int
    of: int
    base: Metric


@dataclass(frozen=True, slots=True)
class Numbers:
    """One metric of a channel, or of one of its steps."""

    metric: Metric
    total: int
    """Every time: all opens of a message."""
    unique: int
    """Messages, each once."""
    by_actor: dict[str, int] | None
    """None where actors are not told apart."""
    part: Part | None
    """None for what is no part of anything."""


_EVERY_TIME = {Metric.OPENED: Metric.OPENS, Metric.CLICKED: Metric.CLICKS}
_ONCE = {Metric.OPENS: Metric.OPENED, Metric.CLICKS: Metric.CLICKED}


def numbers(
    answer: Answer, metric: Metric, channel: str | None = None, step_key: str | None = None
) -> Numbers:
    where = (channel, step_key)
    unique = how_many(answer, _ONCE.get(metric, metric), *where)
    often = _EVERY_TIME.get(metric) or (metric if metric in _ONCE else None)
    whole = WHOLES.get(metric)
    return Numbers(
        metric=metric,
        total=unique if often is None else how_many(answer, often, *where),
        unique=unique,
        by_actor=by_actor(answer, metric, *where),
        part=None if whole is None else Part(unique, how_many(answer, whole, *where), whole),
    )


def click_to_open(answer: Answer, channel: str | None = None, step_key: str | None = None) -> Part:
    """Messages clicked, of those opened."""
    where = (channel, step_key)
    return Part(
        how_many(answer, Metric.CLICKED, *where), how_many(answer, Metric.OPENED, *where), Metric.OPENED
    )


def not_sent(answer: Answer, channel: str | None = None, step_key: str | None = None) -> Part:
    """Messages that failed, bounced or were skipped, of those decided."""
    lost = sum(how_many(answer, metric, channel, step_key) for metric in NOT_SENT)
    return Part(lost, how_many(answer, Metric.QUEUED, channel, step_key), Metric.QUEUED)
