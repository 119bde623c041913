"""Who came, who left and why, and what was sent in all: arithmetic over an answer."""

from collections import defaultdict
from collections.abc import Collection
from typing import NamedTuple

from .ask import Answer
from .messages import Part, how_many
from .metrics import Metric

COMPLETED, GOAL, CANCEL_EVENT = "completed", "goal", "cancel_event"
INTERNAL_ERROR, SEND_ERROR = "internal_error", "send_error"


class Ends(NamedTuple):
    """Runs that are over, in the journey or at a step, by what that means. Together they are `ended`."""

    completed: int
    goal: int
    cancel_event: int
    internal: int
    """Something went wrong inside."""
    send: int
    """Nothing could be sent."""
    otherwise: int

    @property
    def ended(self) -> int:
        return sum(self)

    @property
    def dropped(self) -> int:
        """Ends that nobody wanted."""
        return self.internal + self.send

    @property
    def early(self) -> int:
        """Neither at an exit nor because of an error."""
        return self.goal + self.cancel_event + self.otherwise


def ends(answer: Answer, step_key: str | None = None) -> Ends:
    by = answer.by_reason(Metric.ENDED, step_key)
    known = {
        "completed": by.pop(COMPLETED, 0),
        "goal": by.pop(GOAL, 0),
        "cancel_event": by.pop(CANCEL_EVENT, 0),
        "internal": by.pop(INTERNAL_ERROR, 0),
        "send": by.pop(SEND_ERROR, 0),
    }
    return Ends(**known, otherwise=sum(by.values()))


def sent_by_channel(answer: Answer) -> dict[str, int]:
    """The most used channel first, without those of which nothing is left."""
    found: defaultdict[str, int] = defaultdict(int)
    for one in answer.of(Metric.SENT):
        found[one.channel] += one.n
    return {channel: n for channel, n in sorted(found.items(), key=lambda item: (-item[1], item[0])) if n}


def opened(answer: Answer, channels: Collection[str]) -> Part:
    """Messages opened, of those sent on the channels that can tell of it."""
    return Part(
        sum(how_many(answer, Metric.OPENED, channel) for channel in channels),
        sum(how_many(answer, Metric.SENT, channel) for channel in channels),
        Metric.SENT,
    )


def triggered(answer: Answer) -> int:
    """Times that somebody came, was kept out, or was held out."""
    held_out = sum(one.n for one in answer.held_out if one.metric == Metric.ENTRIES)
    return answer.total(Metric.ENTRIES) + answer.total(Metric.REFUSED) + held_out
