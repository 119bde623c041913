"""Which metrics the reports of a channel show: data.

A channel that is not listed here has everything that its connections can tell.
"""

from collections.abc import Collection, Mapping

from channels.contract import ReceiptKind

from .ask import Answer
from .messages import HEARD_AS, TOLD, how_many
from .metrics import Metric as M

_OPENED = frozenset({M.OPENED, M.OPENS})
_CLICKED = frozenset({M.CLICKED, M.CLICKS})
_IN_AN_APP = frozenset({M.SHOWN, M.INTERACTED, M.DISMISSED})
_FROM_READERS = frozenset({M.UNSUBSCRIBED, M.COMPLAINED, M.REPLIED})

LEFT_OUT: Mapping[str, frozenset[M]] = {
    "email": _IN_AN_APP,
    "push": _FROM_READERS | {M.BOUNCED, M.INTERACTED},
    "sms": _IN_AN_APP | {M.COMPLAINED, M.BOUNCED},
    "whatsapp": _IN_AN_APP | {M.COMPLAINED, M.BOUNCED},
    "kakao": _IN_AN_APP | _FROM_READERS | {M.BOUNCED},
    "brand_message": _IN_AN_APP | _FROM_READERS | {M.BOUNCED},
    "in_app": _OPENED | _FROM_READERS | {M.BOUNCED},
    "webhook": _OPENED | _CLICKED | _FROM_READERS | _IN_AN_APP,
}
"""By channel: what means nothing there. It is shown all the same once anything of it was counted."""


def metrics_of(channel: str, observes: Collection[ReceiptKind]) -> list[M]:
    """The metrics of a channel whose connections can bring these receipts, in the order of reports."""
    if channel in LEFT_OUT:
        return [metric for metric in TOLD if metric not in LEFT_OUT[channel]]
    return [metric for metric in TOLD if can_tell(metric, observes)]


def can_tell(metric: M, observes: Collection[ReceiptKind]) -> bool:
    """Whether a channel of which these receipts come can tell of a metric."""
    return metric not in HEARD_AS or HEARD_AS[metric] in observes


def shown(answer: Answer, channel: str, observes: Collection[ReceiptKind]) -> list[M]:
    """The metrics of a channel, and whatever else was counted there."""
    usual = metrics_of(channel, observes)
    heard = (metric for metric in HEARD_AS if metric not in usual)
    return usual + [metric for metric in heard if how_many(answer, metric, channel)]
