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
    OTHER = value("other", description="A kind that this version of the API does not know.")
