"""Every kind of export by its name. A new one is a file in this room and a line here."""

from typing import Any

from .campaigns import CAMPAIGNS
from .channel import CHANNEL
from .cohorts import COHORT, EVERY_COHORT
from .goals import GOALS
from .message import MESSAGE
from .message_users import MESSAGE_USERS
from .run_list import RUN_LIST
from .segment_users import SEGMENT_USERS
from .sheets import Kind
from .step_users import STEP_USERS

_ALL: tuple[Kind[Any], ...] = (
    RUN_LIST,
    MESSAGE_USERS,
    STEP_USERS,
    CAMPAIGNS,
    GOALS,
    CHANNEL,
    MESSAGE,
    SEGMENT_USERS,
    COHORT,
    EVERY_COHORT,
)

KINDS: dict[str, Kind[Any]] = {kind.name: kind for kind in _ALL}
