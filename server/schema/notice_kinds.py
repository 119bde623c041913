"""The kinds of notices. Whoever writes a new one adds a line."""

from enum import Enum

import strawberry

from .words import value


@strawberry.enum(description="What kind of thing an operator is told.")
class NoticeKind(Enum):
    VOUCHERS_LOW = value("vouchers_low", description="A pool of vouchers is nearly or quite empty.")
    SENDING_HELD = value(
        "sending_held",
        description="A journey's sending on a connection has paused itself: too many bounces or complaints.",
    )
    ALIMTALK_APPROVED = value("alimtalk_approved", description="A template of an Alimtalk was approved.")
    ALIMTALK_REJECTED = value("alimtalk_rejected", description="A template was rejected; the text says why.")
    ALIMTALK_STOPPED = value(
        "alimtalk_stopped", description="A template was stopped, or sanctioned by KakaoTalk."
    )
    ALIMTALK_DORMANT = value("alimtalk_dormant", description="A template fell asleep.")
    ALIMTALK_DORMANT_SOON = value(
        "alimtalk_dormant_soon", description="A template falls asleep in 30 days, unless a message is sent."
    )
    ALIMTALK_UNSENDABLE = value(
        "alimtalk_unsendable", description="A journey sends a template that cannot be sent any more."
    )
    ALIMTALK_UNSETTLED = value(
        "alimtalk_unsettled", description="A relay never got what it was asked about a template."
    )
    ALIMTALK_GONE = value(
        "alimtalk_gone", description="A template was deleted at its relay: it is not sent any more."
    )
    ALIMTALK_FULL = value(
        "alimtalk_full",
        description="A relay has templates that are not taken over: the project has as many as it may have.",
    )
    SENDER_PROFILE_BLOCKED = value(
        "sender_profile_blocked", description="A sender profile was blocked: nothing is sent as it."
    )
    SENDER_PROFILE_DORMANT = value("sender_profile_dormant", description="A sender profile fell asleep.")
    SENDER_PROFILE_DORMANT_SOON = value(
        "sender_profile_dormant_soon",
        description="A sender profile falls asleep in 30 days, or in 7, unless a message is sent.",
    )
    OTHER = value("other", description="A kind that this version of the API does not know.")
